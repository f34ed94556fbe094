/* Whether the compact tables change nothing on real sessions.
 *
 *   check_precisions MODEL SESSIONS [COUNT [K]]     10,000 sessions, k 20
 *
 * Every prefix of the sessions in the file SESSIONS (a session of item keys a line), up to COUNT,
 * is served by recommenders of serve.precision f32, bf16 and int8 of one model, in batches of 1, 7
 * and 64: items and bits of the scores must be the same. Exit code 1 if they are not. Then
 * serve.encoder bf16 and int8, which may differ: how many items their lists share with the others,
 * and how often either holds the item that really came next. */
#include <alterrec/alterrec.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const precisions[] = {"f32", "bf16", "int8"};
static const char *const formats[] = {"bf16", "int8"};
static const int64_t batch_sizes[] = {64, 7, 1};

static void must(alterrec_status status) {
    if (status == ALTERREC_OK)
        return;
    fprintf(stderr, "%s\n", alterrec_last_error());
    exit(1);
}

static void *array(int64_t count, size_t size) {
    void *made = calloc((size_t)count + 1, size);
    if (made == NULL)
        exit(1);
    return made;
}

/* The prefixes that are served. */
typedef struct prefixes {
    const int32_t **items;
    int64_t *lengths;
    int32_t *labels; /* the items that came next; -1: none did */
    int64_t count;
} prefixes;

static prefixes list_prefixes(const alterrec_sessions *sessions, int64_t most) {
    prefixes all = {.items = array(most, sizeof *all.items),
                    .lengths = array(most, sizeof *all.lengths),
                    .labels = array(most, sizeof *all.labels)};
    for (int64_t s = 0; s < alterrec_sessions_count(sessions); s++) {
        const int32_t *items;
        int64_t length;
        must(alterrec_sessions_get(&items, &length, sessions, s));
        for (int64_t t = 1; t <= length && all.count < most; t++) {
            all.items[all.count] = items;
            all.labels[all.count] = t < length ? items[t] : -1;
            all.lengths[all.count++] = t;
        }
    }
    return all;
}

/* Lists of all prefixes, in batches of `size`. */
static void serve(int32_t *items, float *scores, const alterrec_recommender *recommender,
                  const prefixes *all, int64_t size, int64_t k) {
    int64_t reranked = 0, rescans = 0, guaranteed = 0;
    alterrec_batch *batch;
    must(alterrec_batch_create(&batch));
    must(alterrec_batch_exclude_own(batch, 1));
    for (int64_t first = 0; first < all->count; first += size) {
        alterrec_search_report met = {.struct_size = sizeof met};
        must(alterrec_batch_clear(batch));
        for (int64_t p = first; p < first + size && p < all->count; p++)
            must(alterrec_batch_add(batch, all->items[p], all->lengths[p]));
        must(alterrec_recommender_top_k(items + first * k, scores + first * k, &met, recommender,
                                        batch, k, NULL));
        reranked += met.reranked;
        rescans += met.rescans;
        guaranteed += met.guaranteed;
    }
    alterrec_batch_free(batch);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    printf("  batches of %-3" PRId64 " %9.1f items scored in f32 a session, %" PRId64
           " rescans, %" PRId64 " of %" PRId64 " guaranteed\n",
           size, (double)reranked / (double)all->count, rescans, guaranteed, all->count);
}

static bool holds(const int32_t *list, int64_t k, int32_t item) {
    for (int64_t i = 0; i < k; i++)
        if (list[i] == item)
            return true;
    return false;
}

/* Lists of rounded encoders beside those of exact ones. */
static void compare_encoders(const int32_t *exact, const int32_t *rounded, const prefixes *all,
                             int64_t k, const char *format) {
    int64_t shared = 0, labels = 0, exact_hits = 0, rounded_hits = 0;
    for (int64_t p = 0; p < all->count; p++) {
        for (int64_t i = 0; i < k; i++)
            shared += holds(exact + p * k, k, rounded[p * k + i]);
        if (all->labels[p] < 0)
            continue;
        labels++;
        exact_hits += holds(exact + p * k, k, all->labels[p]);
        rounded_hits += holds(rounded + p * k, k, all->labels[p]);
    }
    printf("encoders in %s: %.2f %% of the lists' items are the same; of %" PRId64
           " next items f32 lists hold %.4f, these %.4f\n",
           format, 100.0 * (double)shared / (double)(all->count * k), labels,
           (double)exact_hits / (double)labels, (double)rounded_hits / (double)labels);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: check_precisions MODEL SESSIONS [COUNT [K]]\n");
        return 2;
    }
    int64_t most = argc > 3 ? strtoll(argv[3], NULL, 10) : 10000;
    int64_t k = argc > 4 ? strtoll(argv[4], NULL, 10) : 20, different = 0;
    alterrec_model *model;
    alterrec_config *config;
    alterrec_sessions *sessions;
    must(alterrec_model_load(&model, argv[1]));
    must(alterrec_config_clone(&config, alterrec_model_config(model)));
    must(alterrec_config_set(config, "data.min_session_length", "1"));
    must(alterrec_sessions_read(&sessions, alterrec_model_catalog(model), argv[2], config));
    prefixes all = list_prefixes(sessions, most);
    size_t size = (size_t)(all.count * k);
    int32_t *expected = array(all.count * k, sizeof *expected);
    int32_t *items = array(all.count * k, sizeof *items);
    float *expected_scores = array(all.count * k, sizeof *expected_scores);
    float *scores = array(all.count * k, sizeof *scores);
    for (int p = 0; p < 3; p++) {
        alterrec_recommender *recommender;
        must(alterrec_config_set(config, "serve.precision", precisions[p]));
        must(alterrec_recommender_create(&recommender, model, config));
        printf("%s, top %" PRId64 " of %" PRId64 " items\n", precisions[p], k,
               alterrec_catalog_items(alterrec_model_catalog(model)));
        for (int b = 0; b < 3; b++) {
            bool first = p == 0 && b == 0;
            serve(first ? expected : items, first ? expected_scores : scores, recommender, &all,
                  batch_sizes[b], k);
            for (int64_t i = 0; i < all.count && !first; i++)
                different += memcmp(items + i * k, expected + i * k, (size_t)k * 4) != 0 ||
                             memcmp(scores + i * k, expected_scores + i * k, (size_t)k * 4) != 0;
        }
        alterrec_recommender_free(recommender);
    }
    for (int e = 0; e < 2; e++) {
        alterrec_recommender *rounded;
        must(alterrec_config_set(config, "serve.encoder", formats[e]));
        must(alterrec_recommender_create(&rounded, model, config));
        printf("encoders in %s\n", formats[e]);
        serve(items, scores, rounded, &all, batch_sizes[0], k);
        alterrec_recommender_free(rounded);
        compare_encoders(expected, items, &all, k, formats[e]);
    }
    printf("%" PRId64 " lists of %" PRId64 " sessions differ (%zu places compared 8 times)\n",
           different, all.count, size);
    return different == 0 ? 0 : 1;
}
