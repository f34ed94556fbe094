#include "data/features.h"

#include "core/file.h"
#include "core/memory.h"
#include "data/catalog.h"
#include "data/count.h"

#include <math.h>
#include <string.h>

alterrec_status ar_features_check_free(const alterrec_catalog *catalog, const char *function) {
    if (atomic_load(&catalog->models) > 0)
        return ar_fail(ALTERREC_ERROR_BUSY,
                       "%s: a model holds the catalog; set its features before making models",
                       function);
    return ALTERREC_OK;
}

void ar_features_take(alterrec_catalog *catalog, float *features, int64_t dim) {
    ar_free(catalog->features);
    catalog->features = features;
    catalog->feature_dim = dim;
    catalog->hashed = 0;
}

alterrec_status alterrec_catalog_set_features(alterrec_catalog *catalog, const float *features,
                                              int64_t rows, int64_t dim) {
    AR_NOT_NULL(catalog);
    AR_NOT_NULL(features);
    AR_TRY(ar_features_check_free(catalog, __func__));
    if (rows != catalog->items)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: rows is %lld, the catalog has %lld items",
                       __func__, (long long)rows, (long long)catalog->items);
    if (dim < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: dim is %lld, at least 1", __func__,
                       (long long)dim);
    AR_TRY(ar_count_check(rows, dim, "dim", __func__));
    int64_t count = rows * dim;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(features[i]))
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: the value at row %lld, column %lld is not finite", __func__,
                           (long long)(i / dim), (long long)(i % dim));
    float *copy;
    AR_NEW(copy, count);
    memcpy(copy, features, (size_t)count * sizeof *copy);
    ar_features_take(catalog, copy, dim);
    return ALTERREC_OK;
}

/* Reads the mapped file into *features, which the caller frees on an error. */
static alterrec_status read_features(float **features, ar_npy_shape *shape, const ar_map *map,
                                     int64_t items) {
    AR_TRY(ar_npy_parse(shape, map->bytes, map->size));
    if (shape->rows != items)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%lld rows, the catalog has %lld items",
                       (long long)shape->rows, (long long)items);
    if (shape->columns < 1)
        return ar_fail(ALTERREC_ERROR_PARSE, "rows of no columns");
    AR_NEW(*features, shape->rows * shape->columns);
    return ar_npy_values(*features, shape, map->bytes);
}

alterrec_status alterrec_catalog_read_features(alterrec_catalog *catalog, const char *path) {
    AR_NOT_NULL(catalog);
    AR_NOT_NULL(path);
    AR_TRY(ar_features_check_free(catalog, __func__));
    ar_map map;
    AR_TRY(ar_map_open(&map, path));
    float *features = NULL;
    ar_npy_shape shape;
    alterrec_status status = read_features(&features, &shape, &map, catalog->items);
    ar_map_close(&map);
    if (status != ALTERREC_OK) {
        ar_free(features);
        return ar_fail_at(status, "%s: ", path);
    }
    ar_features_take(catalog, features, shape.columns);
    return ALTERREC_OK;
}
