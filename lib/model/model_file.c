/* Saving, loading and importing a model: what stands in its file is specified in docs/formats.md.
 */
#include "core/memory.h"
#include "data/config.h"
#include "model/file_kind.h"
#include "model/model.h"
#include "model/parameter_file.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_VERSION "1"

/* What the metadata entry `checksum` says if the writer of the file makes none. */
#define NO_CHECKSUM "none"

/* What the file keeps of the catalog. A list of strings is their bytes with a 0 behind each. */
#define KEYS     "catalog.keys"
#define TEXTS    "catalog.texts"
#define FEATURES "catalog.features"

/* The metadata entry that says how the features were hashed, if they were: of how many of the first
 * texts, word_ngrams, char_min, char_max, tfidf. */
#define HASH "text_hash"

/* The options that a file leaves out: paths and columns of the place where the model was trained,
 * which say nothing to who uses it. */
#define TRAINING_PLACE "data"

/* ---- Saving ---- */

static void declare_catalog(ar_tensor_writer *writer, const alterrec_catalog *catalog) {
    if (catalog->features != NULL)
        ar_tensor_writer_declare(writer, FEATURES, AR_DTYPE_F32, 2,
                                 (int64_t[]){catalog->items, catalog->feature_dim});
    ar_tensor_writer_declare(writer, KEYS, AR_DTYPE_U8, 1, &catalog->keys.text_used);
    if (catalog->texts != NULL)
        ar_tensor_writer_declare(writer, TEXTS, AR_DTYPE_U8, 1, &catalog->texts_size);
}

static void put_catalog(ar_tensor_writer *writer, const alterrec_catalog *catalog) {
    if (catalog->features != NULL)
        ar_tensor_writer_put(writer, catalog->features,
                             catalog->items * catalog->feature_dim * (int64_t)sizeof(float));
    ar_tensor_writer_put(writer, catalog->keys.text, catalog->keys.text_used);
    if (catalog->texts != NULL)
        ar_tensor_writer_put(writer, catalog->texts, catalog->texts_size);
}

static void put_metadata(ar_tensor_writer *writer, const alterrec_model *model,
                         const ar_text *config) {
    char items[32];
    (void)snprintf(items, sizeof items, "%lld", (long long)model->catalog->items);
    ar_tensor_writer_metadata(writer, "format", ar_file_kind_format(AR_FILE_MODEL));
    ar_tensor_writer_metadata(writer, "format_version", FORMAT_VERSION);
    ar_tensor_writer_metadata(writer, "items", items);
    ar_tensor_writer_metadata(writer, "config", config->bytes);
    const ar_text_hash_options *hash = &model->catalog->hash;
    if (model->catalog->hashed > 0) {
        char text[128];
        (void)snprintf(text, sizeof text, "%lld %lld %lld %lld %d",
                       (long long)model->catalog->hashed, (long long)hash->word_ngrams,
                       (long long)hash->char_min, (long long)hash->char_max, hash->tfidf ? 1 : 0);
        ar_tensor_writer_metadata(writer, HASH, text);
    }
}

alterrec_status alterrec_model_save(const alterrec_model *model, const char *path) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(path);
    ar_text config = {0};
    ar_tensor_writer writer;
    alterrec_status status = ar_config_print(&config, model->config, TRAINING_PLACE);
    if (status == ALTERREC_OK)
        status = ar_tensor_writer_open(&writer, path);
    if (status == ALTERREC_OK) {
        put_metadata(&writer, model, &config);
        ar_parameters_declare(&writer, &model->id.list);
        ar_parameters_declare(&writer, &model->text.list);
        ar_parameters_declare(&writer, &model->joint.list);
        declare_catalog(&writer, model->catalog);
        ar_parameters_put(&writer, &model->id.list, model->id.block);
        ar_parameters_put(&writer, &model->text.list, model->text.block);
        ar_parameters_put(&writer, &model->joint.list, model->joint.block);
        put_catalog(&writer, model->catalog);
        status = ar_tensor_writer_commit(&writer);
    }
    ar_text_free(&config);
    return status;
}

/* ---- Reading ---- */

static alterrec_status check_tower(const ar_tensor_file *file, const ar_tower_shape *shape) {
    ar_parameter_list list;
    AR_TRY(ar_parameter_list_create(&list, shape));
    alterrec_status status = ar_parameters_check(file, &list);
    ar_parameter_list_free(&list);
    return status;
}

/* After ar_parameters_check. */
static void copy_all(alterrec_model *model, const ar_tensor_file *file) {
    for (int side = 0; side < AR_MODEL_SIDES; side++) {
        ar_tower *tower = ar_model_side(model, side);
        ar_parameters_copy(tower->block, &tower->list, file);
    }
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
    float *copy = NULL;
    const float *values = view->data;
    if (!view->aligned) {
        AR_NEW(copy, view->count);
        memcpy(copy, view->data, (size_t)view->bytes);
        values = copy;
    }
    alterrec_status status =
        alterrec_catalog_set_features(catalog, values, view->shape[0], view->shape[1]);
    ar_free(copy);
    return status == ALTERREC_OK ? ALTERREC_OK
                                 : ar_fail_at(status, "%s: tensor \"" FEATURES "\": ", file->path);
}

/* How the features were hashed, for items to come. */
static alterrec_status read_hash(alterrec_catalog *catalog, const ar_tensor_file *file) {
    enum { NUMBERS = 5, LARGEST = 1000 };
    const char *text = ar_tensor_file_metadata(file, HASH), *next = text;
    int64_t numbers[NUMBERS] = {0};
    if (text == NULL)
        return ALTERREC_OK;
    bool good = catalog->features != NULL && catalog->texts != NULL;
    for (int i = 0; i < NUMBERS && good; i++) {
        size_t length = strcspn(next, " ");
        good = ar_text_to_int(&numbers[i], next, length) && numbers[i] >= 0 &&
               (i == 0 ? numbers[i] <= catalog->items : numbers[i] <= LARGEST);
        next += length + (next[length] == ' ');
    }
    if (!good || *next != '\0' || numbers[0] == 0)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: metadata " HASH " \"%.40s\" says nothing",
                       file->path, text);
    catalog->hash = (ar_text_hash_options){.dim = catalog->feature_dim,
                                           .word_ngrams = numbers[1],
                                           .char_min = numbers[2],
                                           .char_max = numbers[3],
                                           .tfidf = numbers[4] != 0};
    catalog->hashed = numbers[0];
    return ar_text_hash_check(&catalog->hash, file->path);
}

static alterrec_status read_catalog(alterrec_catalog **catalog, const ar_tensor_file *file,
                                    int64_t items) {
    const char **keys = NULL, **texts = NULL;
    alterrec_status status = read_strings(&keys, file, KEYS, items);
    if (status == ALTERREC_OK && ar_tensor_file_find(file, TEXTS) != NULL)
        status = read_strings(&texts, file, TEXTS, items);
    if (status == ALTERREC_OK) {
        status = alterrec_catalog_create(catalog, keys, texts, items);
        if (status != ALTERREC_OK)
            status = ar_fail_at(status, "%s: ", file->path);
    }
    if (status == ALTERREC_OK && ar_tensor_file_find(file, FEATURES) != NULL)
        status = read_features(*catalog, file);
    if (status == ALTERREC_OK)
        status = read_hash(*catalog, file);
    ar_free(keys);
    ar_free(texts);
    return status;
}

/* A file that says it is a model's has a checksum, or says that it has none: one that lost it is
 * damaged. Of a later version, nothing else may be taken for known. */
static alterrec_status check_whole(const ar_tensor_file *file) {
    const char *version = ar_tensor_file_metadata(file, "format_version");
    const char *checksum = ar_tensor_file_metadata(file, "checksum");
    if (version == NULL || strcmp(version, FORMAT_VERSION) != 0)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED,
                       "%s: model format version \"%.40s\", this library reads " FORMAT_VERSION,
                       file->path, version != NULL ? version : "(none)");
    if (checksum == NULL)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: the metadata have no checksum; a program that makes none writes "
                       "\"" NO_CHECKSUM "\"",
                       file->path);
    return strcmp(checksum, NO_CHECKSUM) == 0 ? ALTERREC_OK : ar_tensor_file_verify(file);
}

static alterrec_status read_items(int64_t *items, const ar_tensor_file *file) {
    const char *count = ar_tensor_file_metadata(file, "items");
    if (count == NULL || !ar_text_to_int(items, count, strlen(count)) || *items < 1 ||
        *items > INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: metadata items \"%.40s\" is no number of items",
                       file->path, count != NULL ? count : "(none)");
    return ALTERREC_OK;
}

static alterrec_status read_config(alterrec_config *config, const ar_tensor_file *file) {
    const char *text = ar_tensor_file_metadata(file, "config");
    if (text == NULL)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: the metadata have no config", file->path);
    alterrec_status status = ar_config_read_named(config, "config", text, strlen(text));
    /* An option or a value that is not known is what a later version would write. */
    if (status == ALTERREC_ERROR_NOT_FOUND || status == ALTERREC_ERROR_INVALID_ARGUMENT)
        return ar_fail_at(
            ALTERREC_ERROR_UNSUPPORTED,
            "%s: written by a later version of the library, or damaged: ", file->path);
    return status == ALTERREC_OK ? ALTERREC_OK : ar_fail_at(status, "%s: ", file->path);
}

/* The dimension of the text features, 0 if the file has none. A tower of texts whose features are
 * lost is not passed over as a tensor of no model would be. */
static alterrec_status read_feature_dim(int64_t *dim, const ar_tensor_file *file, int64_t items) {
    const ar_tensor_view *view;
    *dim = 0;
    if (ar_tensor_file_find(file, FEATURES) == NULL &&
        ar_tensor_file_find(file, "text.projection.weight") == NULL &&
        ar_tensor_file_find(file, "joint.text.projection.weight") == NULL)
        return ALTERREC_OK;
    AR_TRY(ar_tensor_file_expect(&view, file, FEATURES, AR_DTYPE_F32, 2, (int64_t[]){items, -1}));
    *dim = view->shape[1];
    return ALTERREC_OK;
}

static alterrec_status load(alterrec_model **model, alterrec_catalog **catalog,
                            alterrec_config *config, const ar_tensor_file *file) {
    int64_t items, feature_dim;
    ar_encoder_shape encoder;
    ar_tower_shape shapes[2];
    AR_TRY(check_whole(file));
    AR_TRY(read_items(&items, file));
    AR_TRY(read_config(config, file));
    alterrec_status status = ar_model_shape(&encoder, config);
    if (status != ALTERREC_OK)
        return ar_fail_at(status, "%s: ", file->path);
    AR_TRY(read_feature_dim(&feature_dim, file, items));
    int count = ar_model_towers(shapes, config, &encoder, items, feature_dim);
    for (int i = 0; i < count; i++)
        AR_TRY(check_tower(file, &shapes[i]));
    AR_TRY(read_catalog(catalog, file, items));
    status = ar_model_create_empty(model, *catalog, config);
    if (status != ALTERREC_OK)
        return ar_fail_at(status, "%s: ", file->path);
    copy_all(*model, file);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_load(alterrec_model **model, const char *path) {
    AR_NOT_NULL(model);
    *model = NULL;
    AR_NOT_NULL(path);
    ar_tensor_file file;
    AR_TRY(ar_tensor_file_open(&file, path));
    alterrec_catalog *catalog = NULL;
    alterrec_config *config = NULL;
    alterrec_status status = ar_file_check_kind(&file, AR_FILE_MODEL);
    if (status == ALTERREC_OK)
        status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = load(model, &catalog, config, &file);
    alterrec_config_free(config);
    alterrec_catalog_free(catalog);
    ar_tensor_file_close(&file);
    /* The parts of a model file that do not fit each other are a fault of the file. */
    bool misfit = status == ALTERREC_ERROR_NOT_FOUND || status == ALTERREC_ERROR_MISMATCH ||
                  status == ALTERREC_ERROR_INVALID_ARGUMENT;
    return misfit ? ALTERREC_ERROR_PARSE : status;
}

/* Files of this library are held to their checksum: no shape would tell a flipped bit of a weight.
 * What another program means by "checksum" is its own. */
static alterrec_status check_source(const ar_tensor_file *file) {
    static const char ours[] = "alterrec-";
    const char *format = ar_tensor_file_metadata(file, "format");
    if (ar_file_is(file, AR_FILE_MODEL))
        return check_whole(file);
    bool checked = format != NULL && strncmp(format, ours, sizeof ours - 1) == 0 &&
                   ar_tensor_file_metadata(file, "checksum") != NULL;
    return checked ? ar_tensor_file_verify(file) : ALTERREC_OK;
}

static alterrec_status import(alterrec_model *model, const ar_tensor_file *file) {
    AR_TRY(check_source(file));
    for (int side = 0; side < AR_MODEL_SIDES; side++)
        AR_TRY(ar_parameters_check(file, &ar_model_side(model, side)->list));
    copy_all(model, file);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_import(alterrec_model *model, const char *path) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(path);
    ar_tensor_file file;
    AR_TRY(ar_tensor_file_open(&file, path));
    alterrec_status status = ar_model_enter(model, __func__);
    if (status == ALTERREC_OK) {
        status = import(model, &file);
        ar_model_leave(model);
    }
    ar_tensor_file_close(&file);
    return status;
}
