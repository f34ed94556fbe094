#include "bench_model.h"
#include "program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_SIZE = 24, LONGEST_SESSION = 50 };

/* Keys "0", "1", ...: their texts in one block, freed with *texts. */
static const char **make_keys(char **texts, int64_t items) {
    const char **keys = program_resize(NULL, items, sizeof *keys);
    *texts = program_resize(NULL, items, KEY_SIZE);
    for (int64_t i = 0; i < items; i++) {
        char *key = *texts + i * KEY_SIZE;
        snprintf(key, KEY_SIZE, "%" PRId64, i);
        keys[i] = key;
    }
    return keys;
}

static alterrec_status set_features(alterrec_catalog *catalog, int64_t items, int64_t dim) {
    float *features = program_resize(NULL, items * dim, sizeof *features);
    cli_dice dice = {1};
    for (int64_t i = 0; i < items * dim; i++)
        features[i] = (float)dice_uniform(&dice) - 0.5f;
    alterrec_status status = alterrec_catalog_set_features(catalog, features, items, dim);
    free(features);
    return status;
}

int bench_model_create(alterrec_model **model, const alterrec_config *config, int64_t items,
                       int64_t feature_dim) {
    alterrec_catalog *catalog;
    char *texts;
    const char **keys = make_keys(&texts, items);
    *model = NULL;
    alterrec_status status = alterrec_catalog_create(&catalog, keys, NULL, items);
    free(keys);
    free(texts);
    if (status == ALTERREC_OK && feature_dim > 0)
        status = set_features(catalog, items, feature_dim);
    if (status == ALTERREC_OK)
        status = alterrec_model_create(model, catalog, config);
    alterrec_catalog_free(catalog);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}

void bench_sessions_make(bench_sessions *sessions, int64_t count, double mean, int64_t items,
                         cli_dice *dice) {
    sessions->count = count;
    sessions->offsets = program_resize(NULL, count + 1, sizeof *sessions->offsets);
    sessions->items = program_resize(NULL, count * LONGEST_SESSION, sizeof *sessions->items);
    sessions->offsets[0] = 0;
    double further = 1.0 - 1.0 / mean; /* how likely one more item is */
    for (int64_t s = 0; s < count; s++) {
        int64_t length = 1;
        while (length < LONGEST_SESSION && dice_uniform(dice) < further)
            length++;
        int32_t *session = sessions->items + sessions->offsets[s];
        for (int64_t i = 0; i < length; i++)
            session[i] = (int32_t)dice_below(dice, items);
        sessions->offsets[s + 1] = sessions->offsets[s] + length;
    }
}

void bench_sessions_free(bench_sessions *sessions) {
    free(sessions->items);
    free(sessions->offsets);
    *sessions = (bench_sessions){0};
}

int bench_sessions_create(alterrec_sessions **sessions, const alterrec_model *model,
                          int64_t examples, int64_t mean) {
    cli_dice dice = {11};
    bench_sessions random;
    const alterrec_catalog *catalog = alterrec_model_catalog(model);
    /* A session of L items makes L - 1 examples. */
    int64_t count = examples / (mean > 1 ? mean - 1 : 1);
    bench_sessions_make(&random, count + count / 8 + 16, (double)mean,
                        alterrec_catalog_items(catalog), &dice);
    alterrec_status status =
        alterrec_sessions_create(sessions, catalog, random.items, random.offsets, random.count);
    bench_sessions_free(&random);
    return status == ALTERREC_OK ? PROGRAM_OK : program_library_error();
}
