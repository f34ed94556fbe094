#include "support/small_model.h"

#include "core/memory.h"

#include <check.h>
#include <string.h>

enum { FEATURE_DIM = 12 };

static void make_twins(float *rows, int64_t items, int64_t dim) {
    for (int64_t i = 4; i < items; i += 5)
        memcpy(rows + i * dim, rows + (i - 1) * dim, (size_t)dim * sizeof *rows);
}

static void set_features(small_model *small) {
    float *features = ar_new(small->items * FEATURE_DIM, sizeof *features);
    for (int64_t i = 0; i < small->items * FEATURE_DIM; i++)
        features[i] = (float)ar_random_normal(&small->random);
    make_twins(features, small->items, FEATURE_DIM);
    MUST(alterrec_catalog_set_features(small->catalog, features, small->items, FEATURE_DIM));
    ar_free(features);
}

static void make_embedding_twins(const small_model *small) {
    int64_t count = small->items * SMALL_DIM;
    float *rows = ar_new(count, sizeof *rows);
    MUST(alterrec_model_get_tensor(rows, small->model, "id.embedding.weight", count));
    make_twins(rows, small->items, SMALL_DIM);
    MUST(alterrec_model_set_tensor(small->model, "id.embedding.weight", rows, count));
    ar_free(rows);
}

void small_model_open(small_model *small, int64_t items, bool text) {
    *small = (small_model){.items = items};
    ar_random_seed(&small->random, (uint64_t)items);
    MUST(alterrec_config_create(&small->config));
    MUST(alterrec_config_set(small->config, "model.dim", "16"));
    MUST(alterrec_config_set(small->config, "model.heads", "2"));
    MUST(alterrec_config_set(small->config, "model.blocks", "2"));
    MUST(alterrec_config_set(small->config, "model.max_len", "6"));
    MUST(alterrec_config_set(small->config, "model.init", "usual"));
    MUST(alterrec_config_set(small->config, "fusion.alpha", "0.3"));
    MUST(alterrec_catalog_create(&small->catalog, NULL, NULL, items));
    if (text)
        set_features(small);
    MUST(alterrec_model_create(&small->model, small->catalog, small->config));
    make_embedding_twins(small);
}

void small_model_close(small_model *small) {
    alterrec_model_free(small->model);
    alterrec_catalog_free(small->catalog);
    alterrec_config_free(small->config);
}

alterrec_sessions *small_sessions(small_model *small, int64_t count, int64_t longest) {
    int32_t *items = ar_new(count * longest, sizeof *items);
    int64_t *offsets = ar_new(count + 1, sizeof *offsets);
    for (int64_t s = 0; s < count; s++) {
        int64_t length = 1 + ar_random_below(&small->random, (uint32_t)longest);
        offsets[s + 1] = offsets[s] + length;
        for (int64_t i = offsets[s]; i < offsets[s + 1]; i++)
            items[i] = (int32_t)ar_random_below(&small->random, (uint32_t)small->items);
    }
    alterrec_sessions *sessions;
    MUST(alterrec_sessions_create(&sessions, small->catalog, items, offsets, count));
    ar_free(items);
    ar_free(offsets);
    return sessions;
}

void small_add(alterrec_batch *batch, const alterrec_sessions *sessions, int64_t session) {
    const int32_t *items;
    int64_t length;
    MUST(alterrec_sessions_get(&items, &length, sessions, session));
    MUST(alterrec_batch_add(batch, items, length));
}
