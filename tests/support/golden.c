#include "support/golden.h"

#include "core/memory.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

static void path_of(char *path, size_t size, const char *name, const char *file) {
    (void)snprintf(path, size, "%s/golden/%s/%s", TEST_DATA, name, file);
}

static void set_option(alterrec_config *config, const char *key, const ar_json *number) {
    char text[32];
    ck_assert_ptr_nonnull(number);
    (void)snprintf(text, sizeof text, "%.9g", number->number);
    MUST(alterrec_config_set(config, key, text));
}

static void read_sessions(golden *g) {
    const ar_json *sessions = ar_json_member(g->manifest.root, "sessions");
    const ar_json *label = ar_json_member(g->manifest.root, "labels")->first;
    const ar_json *augmented = ar_json_member(g->manifest.root, "is_augmented")->first;
    int64_t total = 0;
    g->count = sessions->count;
    for (const ar_json *s = sessions->first; s != NULL; s = s->next)
        total += s->count;
    g->items = ar_new(total, sizeof *g->items);
    g->offsets = ar_new(g->count + 1, sizeof *g->offsets);
    g->labels = ar_new(g->count, sizeof *g->labels);
    g->augmented = ar_new(g->count, sizeof *g->augmented);
    int64_t s = 0, t = 0;
    for (const ar_json *session = sessions->first; session != NULL; session = session->next) {
        for (const ar_json *item = session->first; item != NULL; item = item->next)
            g->items[t++] = (int32_t)item->integer;
        g->labels[s] = (int32_t)label->integer;
        g->augmented[s] = (int32_t)augmented->integer;
        label = label->next;
        augmented = augmented->next;
        g->offsets[++s] = t;
    }
}

void golden_open(golden *g, const char *name) {
    char path[1024];
    *g = (golden){0};
    ar_map map;
    path_of(path, sizeof path, name, "case.json");
    MUST(ar_map_open(&map, path));
    MUST(ar_json_parse(&g->manifest, map.bytes, map.size));
    ar_map_close(&map);
    path_of(path, sizeof path, name, "expected.safetensors");
    MUST(ar_tensor_file_open(&g->expected, path));
    path_of(path, sizeof path, name, "gradients.safetensors");
    MUST(ar_tensor_file_open(&g->gradients, path));
    path_of(path, sizeof path, name, "after_3_adam_steps.safetensors");
    MUST(ar_tensor_file_open(&g->after, path));

    const ar_json *config = ar_json_member(g->manifest.root, "config");
    int64_t items = ar_json_member(config, "items")->integer;
    int64_t feature_dim = ar_json_member(config, "text_dim")->integer;
    MUST(alterrec_config_create(&g->config));
    set_option(g->config, "model.dim", ar_json_member(config, "dim"));
    set_option(g->config, "model.heads", ar_json_member(config, "heads"));
    set_option(g->config, "model.blocks", ar_json_member(config, "blocks"));
    set_option(g->config, "model.max_len", ar_json_member(config, "max_len"));
    set_option(g->config, "model.temperature", ar_json_member(config, "temperature"));
    set_option(g->config, "fusion.alpha", ar_json_member(config, "alpha"));
    MUST(alterrec_config_set(g->config, "model.dropout", "0"));
    MUST(alterrec_catalog_create(&g->catalog, NULL, NULL, items));
    MUST(alterrec_catalog_set_features(g->catalog, golden_floats(&g->expected, "text_features"),
                                       items, feature_dim));
    MUST(alterrec_model_create(&g->model, g->catalog, g->config));
    path_of(path, sizeof path, name, "model.safetensors");
    MUST(alterrec_model_import(g->model, path));
    read_sessions(g);
}

void golden_close(golden *g) {
    alterrec_model_free(g->model);
    alterrec_catalog_free(g->catalog);
    alterrec_config_free(g->config);
    ar_tensor_file_close(&g->expected);
    ar_tensor_file_close(&g->gradients);
    ar_tensor_file_close(&g->after);
    ar_json_free(&g->manifest);
    ar_free(g->items);
    ar_free(g->offsets);
    ar_free(g->labels);
    ar_free(g->augmented);
}

static const ar_tensor_view *find(const ar_tensor_file *file, const char *name) {
    const ar_tensor_view *view = ar_tensor_file_find(file, name);
    ck_assert_msg(view != NULL, "no tensor %s", name);
    return view;
}

const float *golden_floats(const ar_tensor_file *file, const char *name) {
    return find(file, name)->data;
}

const int32_t *golden_ints(const ar_tensor_file *file, const char *name) {
    return find(file, name)->data;
}

double golden_double(const ar_tensor_file *file, const char *name) {
    double value;
    memcpy(&value, find(file, name)->data, sizeof value);
    return value;
}

double relative_error(const float *a, const float *b, int64_t count) {
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < count; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    return norm > 0.0 ? sqrt(difference / norm) : sqrt(difference);
}

double largest_error(const float *a, const float *b, int64_t count) {
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)a[i] - (double)b[i]);
        largest = error > largest ? error : largest;
    }
    return largest;
}
