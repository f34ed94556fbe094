/* Saving and opening a recommender: what stands in its file is specified in docs/formats.md. All
 * arrays are used where they are mapped, so that opening copies nothing and processes share pages.
 */
#include "core/limit.h"
#include "core/memory.h"
#include "data/config.h"
#include "model/file_kind.h"
#include "model/fusion.h"
#include "model/model.h"
#include "serve/recommender.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_VERSION "1"

#define KEYS        "catalog.keys"
#define KEY_STARTS  "catalog.key_starts"
#define KEY_SLOTS   "catalog.key_slots"
#define TEXTS       "catalog.texts"
#define TEXT_STARTS "catalog.text_starts"
#define SCALES      "towers.scale"

/* The options that a file leaves out, as a model's does. */
#define TRAINING_PLACE "data"

/* Every array begins at a multiple of this many bytes of the file, and so in memory. */
enum { ALIGNMENT = 64, MOST_ARRAYS = 32 };

/* What the metadata entry `towers` may say. */
enum { ID_ALONE, ID_AND_TEXT, JOINT, TOWER_SETS };
static const char *const tower_sets[TOWER_SETS] = {"id", "id text", "joint"};

static int tower_set(const alterrec_recommender *recommender) {
    return recommender->is_joint ? JOINT : recommender->tower_count == 2 ? ID_AND_TEXT : ID_ALONE;
}

static const char *tower_name(const alterrec_recommender *recommender, int tower) {
    return tower == 1 ? "text" : recommender->is_joint ? "joint" : "id";
}

/* ---- Saving ---- */

typedef struct saved_array {
    char name[64];
    ar_dtype dtype;
    int dims;
    int64_t shape[2], bytes;
    const void *data;
} saved_array;

/* In the order of the file, padding included. */
typedef struct saved_arrays {
    saved_array list[MOST_ARRAYS];
    int count;
    int64_t end; /* bytes so far */
} saved_arrays;

static void append(saved_arrays *arrays, const char *prefix, const char *name, ar_dtype dtype,
                   int64_t rows, int64_t columns, const void *data) {
    saved_array *array = &arrays->list[arrays->count++];
    *array = (saved_array){.dtype = dtype,
                           .dims = columns > 0 ? 2 : 1,
                           .shape = {rows, columns},
                           .bytes = rows * (columns > 0 ? columns : 1) * ar_dtype_size(dtype),
                           .data = data};
    (void)snprintf(array->name, sizeof array->name, "%s%s", prefix, name);
    arrays->end += array->bytes;
}

/* The container has no holes: what lies between two arrays is a tensor as well. */
static void add(saved_arrays *arrays, const char *prefix, const char *name, ar_dtype dtype,
                int64_t rows, int64_t columns, const void *data) {
    static const char zeros[ALIGNMENT];
    char number[24];
    int64_t over = arrays->end % ALIGNMENT;
    (void)snprintf(number, sizeof number, "%d", arrays->count);
    if (over > 0)
        append(arrays, "padding.", number, AR_DTYPE_U8, ALIGNMENT - over, 0, zeros);
    append(arrays, prefix, name, dtype, rows, columns, data);
}

static void list_arrays(saved_arrays *arrays, const alterrec_recommender *recommender) {
    const alterrec_catalog *catalog = recommender->catalog;
    const ar_dictionary *keys = &catalog->keys;
    ar_index_array index[AR_INDEX_MOST_ARRAYS];
    int count = ar_item_index_arrays(index, &recommender->index);
    for (int i = 0; i < count; i++)
        add(arrays, "index.", index[i].name, index[i].is_float ? AR_DTYPE_F32 : AR_DTYPE_U8,
            index[i].rows, index[i].columns, index[i].data);
    for (int t = 0; t < recommender->tower_count; t++)
        add(arrays, tower_name(recommender, t), ".encoder", AR_DTYPE_F32,
            ar_encoder_weights_count(&recommender->shape), 0, recommender->towers[t].block);
    add(arrays, "", SCALES, AR_DTYPE_F32, recommender->tower_count, 0,
        recommender->index.shape.scales);
    add(arrays, "", KEY_STARTS, AR_DTYPE_I64, recommender->items, 0, keys->starts);
    add(arrays, "", KEY_SLOTS, AR_DTYPE_I32, keys->slot_count, 0, keys->slots);
    add(arrays, "", KEYS, AR_DTYPE_U8, keys->text_used, 0, keys->text);
    if (catalog->texts == NULL)
        return;
    add(arrays, "", TEXT_STARTS, AR_DTYPE_I64, recommender->items, 0, catalog->text_starts);
    add(arrays, "", TEXTS, AR_DTYPE_U8, catalog->texts_size, 0, catalog->texts);
}

static alterrec_status write_file(const alterrec_recommender *recommender, const char *path,
                                  const ar_text *config) {
    ar_tensor_writer writer;
    saved_arrays arrays = {.count = 0};
    char items[32], block[32], head[32];
    const ar_index_shape *shape = &recommender->index.shape;
    list_arrays(&arrays, recommender);
    (void)snprintf(items, sizeof items, "%lld", (long long)recommender->items);
    AR_TRY(ar_tensor_writer_open(&writer, path));
    ar_tensor_writer_metadata(&writer, "format", ar_file_kind_format(AR_FILE_RECOMMENDER));
    ar_tensor_writer_metadata(&writer, "format_version", FORMAT_VERSION);
    ar_tensor_writer_metadata(&writer, "items", items);
    ar_tensor_writer_metadata(&writer, "towers", tower_sets[tower_set(recommender)]);
    if (shape->precision != AR_INDEX_F32) {
        (void)snprintf(block, sizeof block, "%lld", (long long)shape->block);
        (void)snprintf(head, sizeof head, "%lld", (long long)shape->head);
        ar_tensor_writer_metadata(&writer, "block", block);
        ar_tensor_writer_metadata(&writer, "head", head);
    }
    ar_tensor_writer_metadata(&writer, "config", config->bytes);
    for (int i = 0; i < arrays.count; i++) {
        const saved_array *array = &arrays.list[i];
        ar_tensor_writer_declare(&writer, array->name, array->dtype, array->dims, array->shape);
    }
    for (int i = 0; i < arrays.count; i++)
        ar_tensor_writer_put(&writer, arrays.list[i].data, arrays.list[i].bytes);
    return ar_tensor_writer_commit(&writer);
}

alterrec_status alterrec_recommender_save(const alterrec_recommender *recommender,
                                          const char *path) {
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(path);
    ar_text config = {0};
    alterrec_status status = ar_config_print(&config, recommender->config, TRAINING_PLACE);
    if (status == ALTERREC_OK)
        status = write_file(recommender, path, &config);
    ar_text_free(&config);
    return status;
}

/* ---- Opening ---- */

/* The array `name` if it has this dtype and shape (-1: any size) and stands where it can be used.
 */
static alterrec_status take(const ar_tensor_view **view, const ar_tensor_file *file,
                            const char *prefix, const char *name, ar_dtype dtype, int64_t rows,
                            int64_t columns) {
    char whole[64];
    (void)snprintf(whole, sizeof whole, "%s%s", prefix, name);
    AR_TRY(ar_tensor_file_expect(view, file, whole, dtype, columns > 0 ? 2 : 1,
                                 (int64_t[]){rows, columns}));
    if ((uintptr_t)(*view)->data % ALIGNMENT != 0)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: tensor \"%s\" does not begin at a multiple of %d bytes", file->path,
                       whole, ALIGNMENT);
    return ALTERREC_OK;
}

static alterrec_status check_format(const ar_tensor_file *file) {
    const char *version = ar_tensor_file_metadata(file, "format_version");
    AR_TRY(ar_file_check_kind(file, AR_FILE_RECOMMENDER));
    if (version == NULL || strcmp(version, FORMAT_VERSION) != 0)
        return ar_fail(
            ALTERREC_ERROR_UNSUPPORTED,
            "%s: recommender format version \"%.40s\", this library reads " FORMAT_VERSION,
            file->path, version != NULL ? version : "(none)");
    return ALTERREC_OK;
}

static alterrec_status read_number(int64_t *number, const ar_tensor_file *file, const char *name,
                                   int64_t most) {
    const char *text = ar_tensor_file_metadata(file, name);
    if (text == NULL || !ar_text_to_int(number, text, strlen(text)) || *number < 1 ||
        *number > most)
        return ar_fail(ALTERREC_ERROR_PARSE,
                       "%s: metadata %s \"%.40s\" is no number within 1..%lld", file->path, name,
                       text != NULL ? text : "(none)", (long long)most);
    return ALTERREC_OK;
}

static alterrec_status read_numbers(alterrec_recommender *recommender, const ar_tensor_file *file) {
    const char *towers = ar_tensor_file_metadata(file, "towers");
    AR_TRY(read_number(&recommender->items, file, "items", INT32_MAX - 1));
    int set = 0;
    while (set < TOWER_SETS && (towers == NULL || strcmp(towers, tower_sets[set]) != 0))
        set++;
    recommender->tower_count = set == ID_AND_TEXT ? 2 : 1;
    recommender->is_joint = set == JOINT;
    if (set == TOWER_SETS)
        return ar_fail(ALTERREC_ERROR_UNSUPPORTED, "%s: metadata towers \"%.40s\" are not known",
                       file->path, towers != NULL ? towers : "(none)");
    return ALTERREC_OK;
}

static alterrec_status take_texts(ar_catalog_arrays *arrays, const ar_tensor_file *file) {
    const ar_tensor_view *view;
    if (ar_tensor_file_find(file, TEXTS) == NULL)
        return ALTERREC_OK;
    AR_TRY(take(&view, file, "", TEXTS, AR_DTYPE_U8, -1, 0));
    arrays->texts = view->data;
    arrays->texts_size = view->bytes;
    AR_TRY(take(&view, file, "", TEXT_STARTS, AR_DTYPE_I64, arrays->keys.count, 0));
    arrays->text_starts = view->data;
    return ALTERREC_OK;
}

static alterrec_status open_catalog(alterrec_recommender *recommender, const ar_tensor_file *file) {
    const ar_tensor_view *text, *starts, *slots;
    AR_TRY(take(&text, file, "", KEYS, AR_DTYPE_U8, -1, 0));
    AR_TRY(take(&starts, file, "", KEY_STARTS, AR_DTYPE_I64, recommender->items, 0));
    AR_TRY(take(&slots, file, "", KEY_SLOTS, AR_DTYPE_I32, -1, 0));
    /* A borrowed dictionary writes to none of its arrays. */
    ar_catalog_arrays arrays = {.keys = {.text = (char *)(uintptr_t)text->data,
                                         .text_used = text->bytes,
                                         .starts = (int64_t *)(uintptr_t)starts->data,
                                         .slots = (int32_t *)(uintptr_t)slots->data,
                                         .slot_count = slots->count,
                                         .count = recommender->items}};
    AR_TRY(take_texts(&arrays, file));
    alterrec_status status = ar_catalog_borrow(&recommender->catalog, recommender->map, &arrays);
    return status == ALTERREC_OK ? ALTERREC_OK : ar_fail_at(status, "%s: catalog: ", file->path);
}

static alterrec_status take_finite(const float **values, const ar_tensor_file *file,
                                   const char *prefix, const char *name, int64_t count) {
    const ar_tensor_view *view;
    AR_TRY(take(&view, file, prefix, name, AR_DTYPE_F32, count, 0));
    if (!ar_scores_finite(view->data, count))
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: tensor \"%s%s\": a value is not finite",
                       file->path, prefix, name);
    *values = view->data;
    return ALTERREC_OK;
}

static alterrec_status open_towers(alterrec_recommender *recommender, const ar_tensor_file *file) {
    int64_t count = ar_encoder_weights_count(&recommender->shape);
    for (int t = 0; t < recommender->tower_count; t++) {
        struct ar_serving_tower *tower = &recommender->towers[t];
        AR_TRY(take_finite(&tower->block, file, tower_name(recommender, t), ".encoder", count));
    }
    return ar_recommender_pack_encoders(recommender);
}

static alterrec_status open_index(alterrec_recommender *recommender, const ar_tensor_file *file) {
    const float *scales = NULL;
    const void *data[AR_INDEX_MOST_ARRAYS];
    ar_index_array arrays[AR_INDEX_MOST_ARRAYS];
    ar_index_shape shape;
    AR_TRY(take_finite(&scales, file, "", SCALES, recommender->tower_count));
    AR_TRY(ar_recommender_index_shape(&shape, recommender, scales));
    if (shape.precision != AR_INDEX_F32) {
        AR_TRY(read_number(&shape.block, file, "block", ar_at_most(shape.dim, AR_BASIS_MOST)));
        AR_TRY(read_number(&shape.head, file, "head", shape.towers * shape.dim));
    }
    int count = ar_index_shape_arrays(arrays, &shape);
    for (int i = 0; i < count; i++) {
        const ar_tensor_view *view;
        AR_TRY(take(&view, file, "index.", arrays[i].name,
                    arrays[i].is_float ? AR_DTYPE_F32 : AR_DTYPE_U8, arrays[i].rows,
                    arrays[i].columns));
        data[i] = view->data;
    }
    alterrec_status status = ar_item_index_view(&recommender->index, &shape, data);
    return status == ALTERREC_OK ? ALTERREC_OK : ar_fail_at(status, "%s: index: ", file->path);
}

/* The file's options; `config` has a say in what is this process's own alone. */
static alterrec_status read_config(alterrec_config **read, const ar_tensor_file *file,
                                   const alterrec_config *config) {
    const char *text = ar_tensor_file_metadata(file, "config");
    if (text == NULL)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s: the metadata have no config", file->path);
    AR_TRY(alterrec_config_create(read));
    alterrec_status status = ar_config_read_named(*read, "config", text, strlen(text));
    /* An option or a value that is not known is what a later version would write. */
    if (status == ALTERREC_ERROR_NOT_FOUND || status == ALTERREC_ERROR_INVALID_ARGUMENT)
        status =
            ar_fail_at(ALTERREC_ERROR_UNSUPPORTED,
                       "%s: written by a later version of the library, or damaged: ", file->path);
    else if (status != ALTERREC_OK)
        status = ar_fail_at(status, "%s: ", file->path);
    if (status == ALTERREC_OK)
        status = ar_config_take(*read, config, "compute.threads");
    if (status != ALTERREC_OK)
        alterrec_config_free(*read);
    return status;
}

static alterrec_status open_file(alterrec_recommender **recommender, ar_tensor_file *file,
                                 const alterrec_config *config) {
    alterrec_config *read;
    AR_TRY(check_format(file));
    if (ar_config_bool(config, "serve.verify"))
        AR_TRY(ar_tensor_file_verify(file));
    AR_TRY(read_config(&read, file, config));
    alterrec_status status = ar_recommender_create_empty(recommender, read);
    if (status != ALTERREC_OK)
        return ar_fail_at(status, "%s: ", file->path);
    AR_TRY(read_numbers(*recommender, file));
    AR_TRY(ar_shared_map_create(&(*recommender)->map, &file->map));
    AR_TRY(open_catalog(*recommender, file));
    AR_TRY(open_towers(*recommender, file));
    return open_index(*recommender, file);
}

alterrec_status alterrec_recommender_open(alterrec_recommender **recommender, const char *path,
                                          const alterrec_config *config) {
    AR_NOT_NULL(recommender);
    *recommender = NULL;
    AR_NOT_NULL(path);
    ar_tensor_file file;
    alterrec_recommender *opened = NULL;
    AR_TRY(ar_tensor_file_open(&file, path));
    alterrec_status status = open_file(&opened, &file, config);
    ar_tensor_file_close(&file);
    if (status == ALTERREC_OK) {
        *recommender = opened;
        return ALTERREC_OK;
    }
    alterrec_recommender_free(opened);
    /* The parts of a file that do not fit each other are a fault of the file. */
    bool misfit = status == ALTERREC_ERROR_NOT_FOUND || status == ALTERREC_ERROR_MISMATCH ||
                  status == ALTERREC_ERROR_INVALID_ARGUMENT || status == ALTERREC_ERROR_NOT_FINITE;
    return misfit ? ALTERREC_ERROR_PARSE : status;
}
