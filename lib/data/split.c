#include "data/split.h"

#include "core/memory.h"
#include "core/random.h"
#include "data/config.h"
#include "data/sessions.h"

#include <math.h>
#include <string.h>

enum { SPLIT_TIME, SPLIT_RANDOM, SPLIT_NONE };

/* How many sessions go to each set: shares are rounded to the nearest, training gets the rest. */
static alterrec_status count_sets(int64_t counts[3], int64_t all, const alterrec_config *config) {
    double valid = ar_config_float(config, "data.valid_share");
    double test = ar_config_float(config, "data.test_share");
    if (ar_config_choice(config, "data.split") == SPLIT_NONE)
        valid = test = 0.0;
    counts[ALTERREC_SPLIT_VALID] = (int64_t)llround(valid * (double)all);
    counts[ALTERREC_SPLIT_TEST] = (int64_t)llround(test * (double)all);
    counts[ALTERREC_SPLIT_TRAIN] = all - counts[ALTERREC_SPLIT_VALID] - counts[ALTERREC_SPLIT_TEST];
    if (counts[ALTERREC_SPLIT_TRAIN] < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "data.valid_share %g and data.test_share %g leave no training session of "
                       "%lld",
                       valid, test, (long long)all);
    return ALTERREC_OK;
}

/* parts[s] = the set that session s goes to. */
static alterrec_status choose_sets(unsigned char *parts, const int64_t counts[3], int64_t all,
                                   const alterrec_config *config) {
    int64_t *order;
    AR_NEW(order, all);
    for (int64_t s = 0; s < all; s++)
        order[s] = s;
    if (ar_config_choice(config, "data.split") == SPLIT_RANDOM) {
        ar_random random;
        ar_random_seed(&random, (uint64_t)ar_config_int(config, "data.split_seed"));
        ar_random_shuffle(&random, order, all);
    }
    for (int64_t i = 0; i < all; i++) {
        bool train = i < counts[ALTERREC_SPLIT_TRAIN];
        bool valid = i < counts[ALTERREC_SPLIT_TRAIN] + counts[ALTERREC_SPLIT_VALID];
        parts[order[i]] = train   ? ALTERREC_SPLIT_TRAIN
                          : valid ? ALTERREC_SPLIT_VALID
                                  : ALTERREC_SPLIT_TEST;
    }
    ar_free(order);
    return ALTERREC_OK;
}

/* The `count` sessions of `all` that go to the set `part`. */
static alterrec_status gather(alterrec_sessions **set, const ar_interactions *all,
                              const unsigned char *parts, int part, int64_t count,
                              const alterrec_catalog *catalog) {
    int64_t interactions = 0;
    for (int64_t s = 0; s < all->count; s++)
        if (parts[s] == part)
            interactions += all->offsets[s + 1] - all->offsets[s];
    int32_t *items = ar_new(interactions, sizeof *items);
    int64_t *offsets = ar_new(count + 1, sizeof *offsets);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (items != NULL && offsets != NULL) {
        int64_t taken = 0;
        for (int64_t s = 0; s < all->count; s++) {
            if (parts[s] != part)
                continue;
            int64_t length = all->offsets[s + 1] - all->offsets[s];
            memcpy(items + offsets[taken], all->items + all->offsets[s],
                   (size_t)length * sizeof *items);
            offsets[taken + 1] = offsets[taken] + length;
            taken++;
        }
        status = ar_sessions_take(set, catalog, &items, &offsets, count);
    }
    ar_free(items);
    ar_free(offsets);
    return status;
}

alterrec_status ar_split(alterrec_sessions *sets[3], const ar_interactions *all,
                         const alterrec_catalog *catalog, const alterrec_config *config) {
    sets[0] = sets[1] = sets[2] = NULL;
    if (ar_config_choice(config, "data.split") == SPLIT_TIME && !all->chronological)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "data.split: time, but data.time_column names no column; set it, or set "
                       "data.split to random or none");
    int64_t counts[3];
    AR_TRY(count_sets(counts, all->count, config));
    unsigned char *parts;
    AR_NEW(parts, all->count);
    alterrec_status status = choose_sets(parts, counts, all->count, config);
    for (int part = 0; part < 3 && status == ALTERREC_OK; part++)
        if (counts[part] > 0)
            status = gather(&sets[part], all, parts, part, counts[part], catalog);
    ar_free(parts);
    for (int part = 0; part < 3 && status != ALTERREC_OK; part++) {
        alterrec_sessions_free(sets[part]);
        sets[part] = NULL;
    }
    return status;
}
