#include "support/shop.h"

#include "core/memory.h"
#include "core/random.h"

#include <check.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

void shop_set(shop *s, const char *key, const char *value) {
    MUST(alterrec_config_set(s->config, key, value));
}

static void make_sessions(alterrec_sessions **sessions, const alterrec_catalog *catalog,
                          int64_t count, ar_random *random) {
    enum { LONGEST = 9 };
    int64_t items = alterrec_catalog_items(catalog), used = 0;
    int32_t *list = ar_new(count * LONGEST, sizeof *list);
    int64_t *offsets = ar_new(count + 1, sizeof *offsets);
    for (int64_t s = 0; s < count; s++) {
        int64_t item = ar_random_below(random, (uint32_t)items);
        int64_t length = 1 + ar_random_below(random, LONGEST);
        for (int64_t t = 0; t < length; t++) {
            list[used++] = (int32_t)item;
            item = (item + 1 + ar_random_below(random, 3)) % items;
        }
        offsets[s + 1] = used;
    }
    MUST(alterrec_sessions_create(sessions, catalog, list, offsets, count));
    ar_free(list);
    ar_free(offsets);
}

void shop_open(shop *s, int64_t items, int64_t count) {
    enum { FEATURES = 6 };
    ar_random random;
    ar_random_seed(&random, 7);
    *s = (shop){0};
    float *features = ar_new(items * FEATURES, sizeof *features);
    for (int64_t i = 0; i < items * FEATURES; i++)
        features[i] = (float)ar_random_normal(&random);
    MUST(alterrec_catalog_create(&s->catalog, NULL, NULL, items));
    MUST(alterrec_catalog_set_features(s->catalog, features, items, FEATURES));
    ar_free(features);
    make_sessions(&s->train, s->catalog, count, &random);
    make_sessions(&s->valid, s->catalog, count / 4 + 2, &random);
    MUST(alterrec_config_create(&s->config));
    static const char *const options[][2] = {
        {"model.dim", "8"},          {"model.heads", "2"},         {"model.blocks", "1"},
        {"model.max_len", "5"},      {"model.dropout", "0"},       {"train.batch_size", "32"},
        {"train.epochs", "6"},       {"compute.threads", "2"},     {"negatives.k1", "2"},
        {"negatives.k2", "20"},      {"schedule.gap", "1"},        {"schedule.random_epochs", "2"},
        {"optimizer.decay", "none"}, {"train.valid_metric", "mrr"}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        shop_set(s, options[i][0], options[i][1]);
}

void shop_close(shop *s) {
    alterrec_sessions_free(s->train);
    alterrec_sessions_free(s->valid);
    alterrec_catalog_free(s->catalog);
    alterrec_config_free(s->config);
    *s = (shop){0};
}
