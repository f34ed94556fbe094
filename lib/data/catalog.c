#include "data/catalog.h"

#include "core/memory.h"
#include "core/text.h"
#include "data/config.h"
#include "data/item_texts.h"
#include "data/table_reader.h"

#include <stdio.h>
#include <string.h>

alterrec_catalog *ar_catalog_hold(const alterrec_catalog *catalog) {
    /* Holding changes nothing that a reader of the handle could see. */
    alterrec_catalog *held = (alterrec_catalog *)(uintptr_t)catalog;
    ar_reference_take(&held->reference);
    return held;
}

alterrec_catalog *alterrec_catalog_hold(const alterrec_catalog *catalog) {
    return catalog != NULL ? ar_catalog_hold(catalog) : NULL;
}

bool ar_catalog_same(const alterrec_catalog *a, const alterrec_catalog *b) {
    /* The keys' text holds each key's end too, so equal texts are equal keys. */
    return a == b || (a->items == b->items && a->keys.text_used == b->keys.text_used &&
                      memcmp(a->keys.text, b->keys.text, (size_t)a->keys.text_used) == 0);
}

void alterrec_catalog_free(alterrec_catalog *catalog) {
    if (catalog == NULL || !ar_reference_drop(&catalog->reference))
        return;
    ar_dictionary_free(&catalog->keys);
    if (catalog->map == NULL) {
        ar_free(catalog->texts);
        ar_free(catalog->text_starts);
    }
    ar_shared_map_free(catalog->map);
    ar_free(catalog->features);
    ar_free(catalog);
}

static alterrec_status copy_texts(alterrec_catalog *catalog, const char *const *texts) {
    int64_t size = 0;
    for (int64_t i = 0; i < catalog->items; i++)
        size += (texts[i] != NULL ? (int64_t)strlen(texts[i]) : 0) + 1;
    AR_NEW(catalog->text_starts, catalog->items);
    AR_NEW(catalog->texts, size);
    for (int64_t i = 0; i < catalog->items; i++) {
        size_t length = texts[i] != NULL ? strlen(texts[i]) : 0;
        if (length > 0)
            memcpy(catalog->texts + catalog->texts_size, texts[i], length);
        catalog->text_starts[i] = catalog->texts_size;
        catalog->texts_size += (int64_t)length + 1;
    }
    return ALTERREC_OK;
}

alterrec_status ar_catalog_from_keys(alterrec_catalog **catalog, ar_dictionary *keys,
                                     const char *const *texts) {
    *catalog = NULL;
    alterrec_catalog *made;
    AR_NEW(made, 1);
    made->items = keys->count;
    alterrec_status status = texts != NULL ? copy_texts(made, texts) : ALTERREC_OK;
    if (status != ALTERREC_OK) {
        alterrec_catalog_free(made);
        return status;
    }
    made->keys = *keys;
    *keys = (ar_dictionary){0};
    *catalog = made;
    return ALTERREC_OK;
}

static alterrec_status borrow(alterrec_catalog *catalog, const ar_catalog_arrays *arrays) {
    AR_TRY(ar_dictionary_borrow(&catalog->keys, &arrays->keys));
    catalog->items = arrays->keys.count;
    if (arrays->texts == NULL)
        return ALTERREC_OK;
    AR_TRY(ar_dictionary_check_starts(arrays->text_starts, catalog->items, arrays->texts,
                                      arrays->texts_size));
    /* A catalog with a mapping changes none of its arrays. */
    catalog->texts = (char *)(uintptr_t)arrays->texts;
    catalog->text_starts = (int64_t *)(uintptr_t)arrays->text_starts;
    catalog->texts_size = arrays->texts_size;
    return ALTERREC_OK;
}

alterrec_status ar_catalog_borrow(alterrec_catalog **catalog, ar_shared_map *map,
                                  const ar_catalog_arrays *arrays) {
    *catalog = NULL;
    alterrec_catalog *made;
    AR_NEW(made, 1);
    made->map = ar_shared_map_hold(map);
    alterrec_status status = borrow(made, arrays);
    if (status != ALTERREC_OK) {
        alterrec_catalog_free(made);
        return status;
    }
    *catalog = made;
    return ALTERREC_OK;
}

static alterrec_status insert_given_key(ar_dictionary *keys, const char *key, int64_t item) {
    if (key == NULL || key[0] == '\0')
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_catalog_create: the key of item %lld is %s", (long long)item,
                       key == NULL ? "NULL" : "empty");
    if (!ar_text_is_utf8(key, strlen(key), NULL))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_catalog_create: the key of item %lld is not UTF-8",
                       (long long)item);
    int64_t number;
    AR_TRY(ar_dictionary_insert(keys, &number, key, strlen(key)));
    if (number != item)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_catalog_create: items %lld and %lld have the same key `%s`",
                       (long long)number, (long long)item, key);
    return ALTERREC_OK;
}

/* Item i's key is given, or else its number in decimal. */
static alterrec_status insert_keys(ar_dictionary *keys, const char *const *given, int64_t items) {
    for (int64_t i = 0; i < items; i++) {
        if (given != NULL) {
            AR_TRY(insert_given_key(keys, given[i], i));
        } else {
            char key[24];
            int length = snprintf(key, sizeof key, "%lld", (long long)i);
            int64_t number;
            AR_TRY(ar_dictionary_insert(keys, &number, key, (size_t)length));
        }
    }
    return ALTERREC_OK;
}

alterrec_status alterrec_catalog_create(alterrec_catalog **catalog, const char *const *keys,
                                        const char *const *texts, int64_t items) {
    AR_NOT_NULL(catalog);
    *catalog = NULL;
    if (items < 1 || items > INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "alterrec_catalog_create: items %lld is outside 1..%d", (long long)items,
                       INT32_MAX - 1);
    for (int64_t i = 0; texts != NULL && i < items; i++)
        if (texts[i] != NULL && !ar_text_is_utf8(texts[i], strlen(texts[i]), NULL))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "alterrec_catalog_create: the text of item %lld is not UTF-8",
                           (long long)i);
    ar_dictionary made = {0};
    alterrec_status status = insert_keys(&made, keys, items);
    if (status == ALTERREC_OK)
        status = ar_catalog_from_keys(catalog, &made, texts);
    ar_dictionary_free(&made);
    return status;
}

int64_t alterrec_catalog_items(const alterrec_catalog *catalog) {
    return catalog != NULL ? catalog->items : 0;
}

static bool has_item(const alterrec_catalog *catalog, int32_t item) {
    return catalog != NULL && item >= 0 && item < catalog->items;
}

const char *alterrec_catalog_key(const alterrec_catalog *catalog, int32_t item) {
    return has_item(catalog, item) ? ar_dictionary_key(&catalog->keys, item) : NULL;
}

const char *alterrec_catalog_text(const alterrec_catalog *catalog, int32_t item) {
    if (!has_item(catalog, item))
        return NULL;
    return catalog->texts != NULL ? catalog->texts + catalog->text_starts[item] : "";
}

int32_t alterrec_catalog_find(const alterrec_catalog *catalog, const char *key) {
    if (catalog == NULL || key == NULL)
        return -1;
    return (int32_t)ar_dictionary_find(&catalog->keys, key, strlen(key));
}

int64_t alterrec_catalog_feature_dim(const alterrec_catalog *catalog) {
    return catalog != NULL ? catalog->feature_dim : 0;
}

const float *alterrec_catalog_features(const alterrec_catalog *catalog) {
    return catalog != NULL ? catalog->features : NULL;
}

enum { MOST_TEXT_COLUMNS = 16 };

/* The columns of an item file. */
typedef struct item_columns {
    int64_t key;
    int64_t texts[MOST_TEXT_COLUMNS];
    int64_t text_count;
} item_columns;

/* Finds the columns that the comma list data.item_text_column names. */
static alterrec_status find_text_columns(item_columns *at, const ar_table_reader *table,
                                         const char *names) {
    static const char option[] = "data.item_text_column";
    while (*names != '\0') {
        size_t length = strcspn(names, ",");
        const char *next = names + length + (names[length] == ',');
        for (; length > 0 && *names == ' '; length--)
            names++;
        while (length > 0 && names[length - 1] == ' ')
            length--;
        if (at->text_count == MOST_TEXT_COLUMNS)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: more than %d columns", option,
                           MOST_TEXT_COLUMNS);
        char *name = ar_copy_text(names, length);
        if (name == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        alterrec_status status =
            ar_table_reader_column(&at->texts[at->text_count++], table, name, option);
        ar_free(name);
        AR_TRY(status);
        names = next;
    }
    return ALTERREC_OK;
}

/* Appends the row's texts, tidied and parted by spaces, with a 0 behind them. */
static alterrec_status append_text(ar_text *texts, const ar_table_reader *table,
                                   const item_columns *at) {
    int64_t start = texts->length;
    for (int64_t i = 0; i < at->text_count; i++) {
        const ar_cell *cell = &table->cells[at->texts[i]];
        ar_text_put(texts, cell->bytes, cell->length);
        ar_text_put(texts, " ", 1);
    }
    if (texts->status == ALTERREC_OK && texts->length > start)
        texts->length =
            start + (int64_t)ar_item_texts_tidy(texts->bytes + start, texts->bytes + start,
                                                (size_t)(texts->length - start));
    ar_text_put(texts, "", 1);
    return texts->status;
}

static alterrec_status read_items(ar_dictionary *keys, ar_text *texts, ar_table_reader *table,
                                  const item_columns *at) {
    bool found;
    for (;;) {
        AR_TRY(ar_table_reader_next(table, &found));
        if (!found)
            return ALTERREC_OK;
        ar_cell key = ar_cell_trim(table->cells[at->key]);
        if (key.length == 0)
            return ar_text_file_at(&table->file, key.place,
                                   ar_fail(ALTERREC_ERROR_PARSE, "the item's key is empty"));
        int64_t number, items = keys->count;
        AR_TRY(ar_dictionary_insert(keys, &number, key.bytes, key.length));
        if (number != items)
            return ar_text_file_at(&table->file, key.place,
                                   ar_fail(ALTERREC_ERROR_PARSE,
                                           "item `%s` stands in the file twice, first as item %lld",
                                           ar_dictionary_key(keys, number), (long long)number));
        if (at->text_count > 0)
            AR_TRY(append_text(texts, table, at));
    }
}

/* A catalog from keys and texts that stand one behind the other. */
static alterrec_status make_catalog(alterrec_catalog **catalog, ar_dictionary *keys,
                                    const ar_text *texts) {
    if (texts->length == 0)
        return ar_catalog_from_keys(catalog, keys, NULL);
    const char **starts;
    AR_NEW(starts, keys->count);
    const char *next = texts->bytes;
    for (int64_t i = 0; i < keys->count; i++) {
        starts[i] = next;
        next += strlen(next) + 1;
    }
    alterrec_status status = ar_catalog_from_keys(catalog, keys, starts);
    ar_free(starts);
    return status;
}

alterrec_status alterrec_catalog_read(alterrec_catalog **catalog, const char *path,
                                      const alterrec_config *config) {
    AR_NOT_NULL(catalog);
    *catalog = NULL;
    AR_NOT_NULL(path);
    ar_format format = ar_format_of_path(path);
    if (format == AR_FORMAT_AUTO)
        format = AR_FORMAT_TSV;
    ar_table_reader table;
    AR_TRY(ar_table_reader_open(&table, path, format));
    item_columns at = {0};
    ar_dictionary keys = {0};
    ar_text texts = {0};
    alterrec_status status = ar_table_reader_column(
        &at.key, &table, ar_config_text(config, "data.item_key_column"), "data.item_key_column");
    if (status == ALTERREC_OK)
        status = find_text_columns(&at, &table, ar_config_text(config, "data.item_text_column"));
    if (status == ALTERREC_OK)
        status = read_items(&keys, &texts, &table, &at);
    if (status == ALTERREC_OK)
        status = make_catalog(catalog, &keys, &texts);
    ar_dictionary_free(&keys);
    ar_text_free(&texts);
    ar_table_reader_close(&table);
    return status;
}
