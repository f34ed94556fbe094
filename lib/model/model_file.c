/* Saving, loading and importing a model: what stands in its file is specified in docs/formats.md.
 */
#include "core/memory.h"
#include "data/config.h"
#include "model/model.h"
#include "model/tensor_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORMAT         "alterrec-model"
#define FORMAT_VERSION "1"

/* What the file keeps of the catalog, beside the features: each list of strings as bytes with a 0
 * behind every one. */
#define KEYS     "catalog.keys"
#define TEXTS    "catalog.texts"
#define FEATURES "text.features"

static void declare_catalog(ar_tensor_writer *writer, const alterrec_catalog *catalog) {
    if (catalog->features != NULL)
        ar_tensor_writer_declare(writer, FEATURES, AR_DTYPE_F32, 2,
                                 (int64_t[]){catalog->items, catalog->feature_dim});
}

static void declare_strings(ar_tensor_writer *writer, const alterrec_catalog *catalog) {
    ar_tensor_writer_declare(writer, KEYS, AR_DTYPE_U8, 1, &catalog->keys.text_used);
    if (catalog->texts != NULL)
        ar_tensor_writer_declare(writer, TEXTS, AR_DTYPE_U8, 1, &catalog->texts_size);
}

static void declare_tower(ar_tensor_writer *writer, const ar_tower *tower) {
    for (int64_t t = 0; t < tower->list.tensor_count; t++) {
        const ar_tensor *tensor = &tower->list.tensors[t];
        ar_tensor_writer_declare(writer, tensor->name, AR_DTYPE_F32, tensor->dims, tensor->shape);
    }
}

static void put_tower(ar_tensor_writer *writer, const ar_tower *tower) {
    for (int64_t t = 0; t < tower->list.tensor_count; t++) {
        const ar_tensor *tensor = &tower->list.tensors[t];
        ar_tensor_writer_put(writer, tower->block + tensor->offset,
                             tensor->count * (int64_t)sizeof(float));
    }
}

alterrec_status alterrec_model_save(const alterrec_model *model, const char *path) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(path);
    const alterrec_catalog *catalog = model->catalog;
    ar_tensor_writer writer;
    AR_TRY(ar_tensor_writer_open(&writer, path));
    ar_text config = {0};
    char items[32];
    (void)snprintf(items, sizeof items, "%lld", (long long)catalog->items);
    alterrec_status status = ar_config_print(&config, model->config);
    if (status != ALTERREC_OK) {
        ar_tensor_writer_abandon(&writer);
        ar_text_free(&config);
        return status;
    }
    ar_tensor_writer_metadata(&writer, "format", FORMAT);
    ar_tensor_writer_metadata(&writer, "format_version", FORMAT_VERSION);
    ar_tensor_writer_metadata(&writer, "items", items);
    ar_tensor_writer_metadata(&writer, "config", config.bytes);
    ar_text_free(&config);
    declare_tower(&writer, &model->id);
    declare_tower(&writer, &model->text);
    declare_catalog(&writer, catalog);
    declare_strings(&writer, catalog);
    put_tower(&writer, &model->id);
    put_tower(&writer, &model->text);
    if (catalog->features != NULL)
        ar_tensor_writer_put(&writer, catalog->features,
                             catalog->items * catalog->feature_dim * (int64_t)sizeof(float));
    ar_tensor_writer_put(&writer, catalog->keys.text, catalog->keys.text_used);
    if (catalog->texts != NULL)
        ar_tensor_writer_put(&writer, catalog->texts, catalog->texts_size);
    return ar_tensor_writer_commit(&writer);
}

/* Copies a tower's tensors out of the file; the block is only touched, never half filled, because
 * every tensor is found and checked first. */
static alterrec_status read_tower(float *block, const ar_tower *tower, const ar_tensor_file *file) {
    for (int64_t t = 0; t < tower->list.tensor_count; t++) {
        const ar_tensor *tensor = &tower->list.tensors[t];
        const ar_tensor_view *view;
        AR_TRY(ar_tensor_file_expect(&view, file, tensor->name, AR_DTYPE_F32, tensor->dims,
                                     tensor->shape));
        memcpy(block + tensor->offset, view->data, (size_t)view->bytes);
        for (int64_t i = 0; i < tensor->count; i++)
            if (!isfinite(block[tensor->offset + i]))
                return ar_fail(ALTERREC_ERROR_PARSE, "%s: tensor \"%s\": value %lld is not finite",
                               file->path, tensor->name, (long long)i);
    }
    return ALTERREC_OK;
}

/* The `count` strings of a byte tensor: strings[i] points into `bytes`. */
static alterrec_status read_strings(const char ***strings, const ar_tensor_file *file,
                                    const char *name, int64_t count) {
    const ar_tensor_view *view;
    *strings = NULL;
    AR_TRY(ar_tensor_file_expect(&view, file, name, AR_DTYPE_U8, 1, (int64_t[]){-1}));
    const char *bytes = view->data;
    const char **list;
    AR_NEW(list, count);
    int64_t found = 0, start = 0;
    for (int64_t i = 0; i < view->bytes; i++) {
        if (bytes[i] != '\0')
            continue;
        if (found < count)
            list[found] = bytes + start;
        found++;
        start = i + 1;
    }
    if (found != count || start != view->bytes) {
        ar_free(list);
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: tensor \"%s\" holds %lld strings, not %lld",
                       file->path, name, (long long)found, (long long)count);
    }
    *strings = list;
    return ALTERREC_OK;
}

static alterrec_status read_features(alterrec_catalog *catalog, const ar_tensor_file *file) {
    const ar_tensor_view *view;
    AR_TRY(ar_tensor_file_expect(&view, file, FEATURES, AR_DTYPE_F32, 2,
                                 (int64_t[]){catalog->items, -1}));
    if (view->aligned)
        return alterrec_catalog_set_features(catalog, view->data, view->shape[0], view->shape[1]);
    float *copy;
    AR_NEW(copy, view->count);
    memcpy(copy, view->data, (size_t)view->bytes);
    alterrec_status status =
        alterrec_catalog_set_features(catalog, copy, view->shape[0], view->shape[1]);
    ar_free(copy);
    return status;
}

static alterrec_status read_catalog(alterrec_catalog **catalog, const ar_tensor_file *file,
                                    int64_t items) {
    const char **keys = NULL, **texts = NULL;
    *catalog = NULL;
    alterrec_status status = read_strings(&keys, file, KEYS, items);
    if (status == ALTERREC_OK && ar_tensor_file_find(file, TEXTS) != NULL)
        status = read_strings(&texts, file, TEXTS, items);
    if (status == ALTERREC_OK) {
        status = alterrec_catalog_create(catalog, keys, texts, items);
        if (status != ALTERREC_OK)
            status = ar_fail_at(status, "%s: ", file->path);
    }
    ar_free(keys);
    ar_free(texts);
    if (status == ALTERREC_OK && ar_tensor_file_find(file, FEATURES) != NULL) {
        status = read_features(*catalog, file);
        if (status != ALTERREC_OK) {
            alterrec_catalog_free(*catalog);
            *catalog = NULL;
        }
    }
    return status;
}

/* The metadata that every model file has. */
static alterrec_status read_metadata(const char **config, int64_t *items,
                                     const ar_tensor_file *file) {
    const char *format = ar_tensor_file_metadata(file, "format");
    const char *version = ar_tensor_file_metadata(file, "format_version");
    const char *count = ar_tensor_file_metadata(file, "items");
    *config = ar_tensor_file_metadata(file, "config");
    if (format == NULL || strcmp(format, FORMAT) != 0)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: is not a model file: its metadata have no format \"" FORMAT "\"",
                       file->path);
    if (version == NULL || strcmp(version, FORMAT_VERSION) != 0)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "%s: model format version \"%s\", this library reads " FORMAT_VERSION,
                       file->path, version != NULL ? version : "(none)");
    if (count == NULL || !ar_text_to_int(items, count, strlen(count)) || *items < 1 ||
        *items > INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: metadata items \"%s\" is no number of items",
                       file->path, count != NULL ? count : "(none)");
    if (*config == NULL)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: the metadata have no config", file->path);
    return ALTERREC_OK;
}

static alterrec_status load(alterrec_model **model, alterrec_catalog **catalog,
                            alterrec_config *config, const ar_tensor_file *file) {
    const char *options;
    int64_t items;
    AR_TRY(read_metadata(&options, &items, file));
    AR_TRY(ar_config_read_named(config, file->path, options, strlen(options)));
    /* Before anything of the claimed size is allocated: the file must hold an embedding of it. */
    int64_t shape[2] = {items, ar_config_int(config, "model.dim")};
    const ar_tensor_view *embedding;
    AR_TRY(ar_tensor_file_expect(&embedding, file, "id.embedding.weight", AR_DTYPE_F32, 2, shape));
    AR_TRY(read_catalog(catalog, file, items));
    AR_TRY(ar_model_create_empty(model, *catalog, config));
    AR_TRY(read_tower((*model)->id.block, &(*model)->id, file));
    return (*model)->has_text ? read_tower((*model)->text.block, &(*model)->text, file)
                              : ALTERREC_OK;
}

alterrec_status alterrec_model_load(alterrec_model **model, const char *path) {
    AR_NOT_NULL(model);
    *model = NULL;
    AR_NOT_NULL(path);
    ar_tensor_file file;
    AR_TRY(ar_tensor_file_open(&file, path));
    alterrec_catalog *catalog = NULL;
    alterrec_config *config = NULL;
    alterrec_status status = ALTERREC_OK;
    /* A file of another writer may have no checksum; ours always has one. */
    if (ar_tensor_file_metadata(&file, "checksum") != NULL)
        status = ar_tensor_file_verify(&file);
    if (status == ALTERREC_OK)
        status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = load(model, &catalog, config, &file);
    if (status != ALTERREC_OK) {
        alterrec_model_free(*model);
        *model = NULL;
    }
    alterrec_config_free(config);
    alterrec_catalog_free(catalog);
    ar_tensor_file_close(&file);
    return status;
}

alterrec_status alterrec_model_import(alterrec_model *model, const char *path) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(path);
    if (atomic_load(&model->busy))
        return ar_fail(ALTERREC_ERROR_BUSY, "%s: a trainer is using the model", __func__);
    ar_tensor_file file;
    AR_TRY(ar_tensor_file_open(&file, path));
    float *id = ar_new(model->id.list.count, sizeof *id);
    float *text = ar_new(model->text.list.count, sizeof *text);
    alterrec_status status =
        id != NULL && text != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    if (status == ALTERREC_OK)
        status = read_tower(id, &model->id, &file);
    if (status == ALTERREC_OK && model->has_text)
        status = read_tower(text, &model->text, &file);
    if (status == ALTERREC_OK) {
        memcpy(model->id.block, id, (size_t)model->id.list.count * sizeof *id);
        if (model->has_text)
            memcpy(model->text.block, text, (size_t)model->text.list.count * sizeof *text);
    }
    ar_free(id);
    ar_free(text);
    ar_tensor_file_close(&file);
    return status;
}
