/* A catalog with more items: ar_catalog_enlarge. */
#include "core/memory.h"
#include "core/text.h"
#include "data/catalog.h"

#include <math.h>
#include <string.h>

/* Puts new key `index` behind those of the catalog. */
static alterrec_status insert_key(ar_dictionary *keys, const alterrec_catalog *catalog,
                                  const char *key, int64_t index, const char *function) {
    if (key == NULL || key[0] == '\0')
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: keys[%lld] is %s", function,
                       (long long)index, key == NULL ? "NULL" : "empty");
    if (!ar_text_is_utf8(key, strlen(key), NULL))
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: keys[%lld] is not UTF-8", function,
                       (long long)index);
    int64_t number;
    AR_TRY(ar_dictionary_insert(keys, &number, key, strlen(key)));
    if (number < catalog->items)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: keys[%lld], `%s`, is the key of item %lld already", function,
                       (long long)index, key, (long long)number);
    if (number != catalog->items + index)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: keys[%lld] and keys[%lld] are both `%s`", function,
                       (long long)(number - catalog->items), (long long)index, key);
    return ALTERREC_OK;
}

static alterrec_status insert_keys(ar_dictionary *keys, const alterrec_catalog *catalog,
                                   const ar_more_items *more, const char *function) {
    for (int64_t i = 0; i < catalog->items; i++) {
        int64_t number;
        AR_TRY(ar_dictionary_insert(keys, &number, ar_dictionary_key(&catalog->keys, i),
                                    ar_dictionary_key_length(&catalog->keys, i)));
    }
    for (int64_t i = 0; i < more->count; i++)
        AR_TRY(insert_key(keys, catalog, more->keys[i], i, function));
    return ALTERREC_OK;
}

static alterrec_status check_texts(const ar_more_items *more, const char *function) {
    for (int64_t i = 0; more->texts != NULL && i < more->count; i++)
        if (more->texts[i] != NULL &&
            !ar_text_is_utf8(more->texts[i], strlen(more->texts[i]), NULL))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: texts[%lld] is not UTF-8",
                           function, (long long)i);
    return ALTERREC_OK;
}

/* The catalog's texts and the new ones; *texts stays NULL if neither has any. */
static alterrec_status list_texts(const char ***texts, const alterrec_catalog *catalog,
                                  const ar_more_items *more) {
    if (catalog->texts == NULL && more->texts == NULL)
        return ALTERREC_OK;
    AR_NEW(*texts, catalog->items + more->count);
    for (int64_t i = 0; catalog->texts != NULL && i < catalog->items; i++)
        (*texts)[i] = catalog->texts + catalog->text_starts[i];
    for (int64_t i = 0; more->texts != NULL && i < more->count; i++)
        (*texts)[catalog->items + i] = more->texts[i];
    return ALTERREC_OK;
}

/* The new rows by hashing: they are zero before. */
static alterrec_status hash_features(float *rows, const alterrec_catalog *catalog,
                                     const ar_more_items *more, const char *function) {
    if (catalog->hashed == 0)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: features is NULL, and those of the catalog were not hashed from its "
                       "texts: [%lld, %lld] values are needed",
                       function, (long long)more->count, (long long)catalog->feature_dim);
    if (more->texts == NULL)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: features and texts are both NULL, the text tower needs one of them",
                       function);
    return ar_text_hash_more(rows, more->texts, more->count, catalog->texts, catalog->text_starts,
                             catalog->hashed, &catalog->hash);
}

static alterrec_status copy_features(float *rows, int64_t dim, const ar_more_items *more,
                                     const char *function) {
    for (int64_t i = 0; i < more->count * dim; i++)
        if (!isfinite(more->features[i]))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: the feature at row %lld, column %lld is not finite", function,
                           (long long)(i / dim), (long long)(i % dim));
    memcpy(rows, more->features, (size_t)(more->count * dim) * sizeof *rows);
    return ALTERREC_OK;
}

static alterrec_status add_features(alterrec_catalog *enlarged, const alterrec_catalog *catalog,
                                    const ar_more_items *more, const char *function) {
    int64_t dim = catalog->feature_dim, held = catalog->items * dim;
    if (dim == 0 && more->features != NULL)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: features are given, the items of the catalog have none", function);
    if (dim == 0)
        return ALTERREC_OK;
    AR_NEW(enlarged->features, enlarged->items * dim);
    memcpy(enlarged->features, catalog->features, (size_t)held * sizeof(float));
    enlarged->feature_dim = dim;
    enlarged->hashed = catalog->hashed;
    enlarged->hash = catalog->hash;
    float *rows = enlarged->features + held;
    return more->features != NULL ? copy_features(rows, dim, more, function)
                                  : hash_features(rows, catalog, more, function);
}

alterrec_status ar_catalog_enlarge(alterrec_catalog **enlarged, const alterrec_catalog *catalog,
                                   const ar_more_items *more, const char *function) {
    *enlarged = NULL;
    alterrec_catalog *made = NULL;
    ar_dictionary keys = {0};
    const char **texts = NULL;
    alterrec_status status = check_texts(more, function);
    if (status == ALTERREC_OK)
        status = insert_keys(&keys, catalog, more, function);
    if (status == ALTERREC_OK)
        status = list_texts(&texts, catalog, more);
    if (status == ALTERREC_OK)
        status = ar_catalog_from_keys(&made, &keys, texts);
    if (status == ALTERREC_OK)
        status = add_features(made, catalog, more, function);
    ar_free(texts);
    ar_dictionary_free(&keys);
    if (status != ALTERREC_OK) {
        alterrec_catalog_free(made);
        return status;
    }
    *enlarged = made;
    return ALTERREC_OK;
}
