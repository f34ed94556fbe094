#include "model/new_items.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "nn/onednn.h"

#include <math.h>
#include <string.h>

/* New items whose cosines are computed in one product. */
enum { TILE = AR_PRODUCT_ROWS };

/* Adds the embedding, centred and scaled as the item table's normalisation does it; its variance is
 * returned. */
static double add_normalised(double *sum, const float *row, int64_t dim) {
    double mean = 0.0, variance = 0.0;
    for (int64_t c = 0; c < dim; c++)
        mean += (double)row[c];
    mean /= (double)dim;
    for (int64_t c = 0; c < dim; c++)
        variance += ((double)row[c] - mean) * ((double)row[c] - mean);
    variance /= (double)dim;
    double scale = 1.0 / sqrt(variance + (double)AR_TABLE_EPSILON);
    for (int64_t c = 0; c < dim; c++)
        sum[c] += ((double)row[c] - mean) * scale;
    return variance;
}

static double mean_square(const double *values, int64_t count) {
    double squares = 0.0;
    for (int64_t i = 0; i < count; i++)
        squares += values[i] * values[i];
    return squares / (double)count;
}

/* An embedding in the direction of `sum`. */
static void embed(float *row, const double *sum, int64_t dim, double scale) {
    for (int64_t c = 0; c < dim; c++)
        row[c] = (float)(sum[c] * scale);
}

/* The embedding whose normalisation is the mean of all. */
static void embed_all(float *row, double *sum, const alterrec_model *model) {
    /* 1 - q of embeddings so long that epsilon vanishes beside them. */
    const double least = 1e-12;
    int64_t items = model->catalog->items, dim = model->shape.dim;
    const float *rows = ar_model_tower(model, ALTERREC_ID)->weights.embedding;
    memset(sum, 0, (size_t)dim * sizeof *sum);
    for (int64_t i = 0; i < items; i++)
        (void)add_normalised(sum, rows + i * dim, dim);
    double rest = 1.0 - mean_square(sum, dim) / ((double)items * (double)items);
    embed(row, sum, dim,
          sqrt((double)AR_TABLE_EPSILON / (rest > least ? rest : least)) / (double)items);
}

/* The embedding of an item with these neighbours; if theirs cancel out, it stays as it is. */
static void embed_beside(float *row, double *sum, const alterrec_model *model,
                         const int32_t *neighbours, int64_t count) {
    const float *rows = ar_model_tower(model, ALTERREC_ID)->weights.embedding;
    int64_t dim = model->shape.dim;
    double variance = 0.0;
    memset(sum, 0, (size_t)dim * sizeof *sum);
    for (int64_t n = 0; n < count; n++)
        variance += add_normalised(sum, rows + neighbours[n] * dim, dim);
    double square = mean_square(sum, dim);
    if (square > 0.0)
        embed(row, sum, dim, sqrt(variance / (double)count / square));
}

/* Working memory of the search for neighbours. */
typedef struct neighbour_search {
    ar_onednn *onednn;
    double *lengths; /* [items] of the items' features */
    float *tile;     /* [TILE, feature_dim] */
    float *products; /* [TILE, items] */
    double *cosines; /* [TILE, k] of the neighbours, falling */
    int32_t *found;  /* [TILE, k] the neighbours */
    double *sums;    /* [TILE, dim] */
    int64_t k;
} neighbour_search;

static alterrec_status create_search(neighbour_search *search, const alterrec_model *model) {
    const alterrec_catalog *catalog = model->catalog;
    *search = (neighbour_search){.k = ar_config_int(model->config, "model.new_item_neighbours")};
    AR_TRY(ar_onednn_create(&search->onednn));
    AR_NEW(search->lengths, catalog->items);
    AR_NEW(search->tile, TILE * catalog->feature_dim);
    AR_NEW(search->products, TILE * catalog->items);
    AR_NEW(search->cosines, TILE * search->k);
    AR_NEW(search->found, TILE * search->k);
    AR_NEW(search->sums, TILE * model->shape.dim);
    for (int64_t i = 0; i < catalog->items; i++) {
        const float *row = catalog->features + i * catalog->feature_dim;
        double squares = 0.0;
        for (int64_t c = 0; c < catalog->feature_dim; c++)
            squares += (double)row[c] * (double)row[c];
        search->lengths[i] = sqrt(squares);
    }
    return ALTERREC_OK;
}

static void free_search(neighbour_search *search) {
    ar_onednn_free(search->onednn);
    ar_free(search->lengths);
    ar_free(search->tile);
    ar_free(search->products);
    ar_free(search->cosines);
    ar_free(search->found);
    ar_free(search->sums);
}

/* Finds the neighbours of the tile's row `at`; their number is returned. The new item's own length
 * changes nothing about the order of the cosines, nor about which are above 0. */
static int64_t select_neighbours(const neighbour_search *search, int64_t items, int64_t at) {
    const float *products = search->products + at * items;
    double *cosines = search->cosines + at * search->k;
    int32_t *found = search->found + at * search->k;
    int64_t count = 0;
    for (int64_t i = 0; i < items; i++) {
        /* Items without features have products of 0. */
        if (!(products[i] > 0.0f))
            continue;
        double cosine = (double)products[i] / search->lengths[i];
        if (count == search->k && !(cosine > cosines[count - 1]))
            continue;
        int64_t place = count < search->k ? count++ : count - 1;
        for (; place > 0 && cosine > cosines[place - 1]; place--) {
            cosines[place] = cosines[place - 1];
            found[place] = found[place - 1];
        }
        cosines[place] = cosine;
        found[place] = (int32_t)i;
    }
    return count;
}

/* Fills up to TILE rows; one that has no neighbours stays as it is. */
static alterrec_status embed_tile(float *rows, const neighbour_search *search,
                                  const alterrec_model *model, const float *features,
                                  int64_t count) {
    int64_t items = model->catalog->items, dim = model->shape.dim;
    int64_t feature_dim = model->catalog->feature_dim;
    memset(search->tile, 0, (size_t)(TILE * feature_dim) * sizeof(float));
    memcpy(search->tile, features, (size_t)(count * feature_dim) * sizeof(float));
    AR_TRY(ar_matmul(search->onednn, search->products, search->tile, model->catalog->features, NULL,
                     TILE, items, feature_dim, AR_WEIGHTS_TRANSPOSED));
#pragma omp parallel for if (count * items > AR_PARALLEL_LEAST)
    for (int64_t at = 0; at < count; at++) {
        int64_t neighbours = select_neighbours(search, items, at);
        if (neighbours > 0)
            embed_beside(rows + at * dim, search->sums + at * dim, model,
                         search->found + at * search->k, neighbours);
    }
    return ALTERREC_OK;
}

static alterrec_status embed_by_neighbours(float *rows, const alterrec_model *model,
                                           const float *features, int64_t count) {
    neighbour_search search;
    int previous = ar_threads_enter(ar_config_int(model->config, "compute.threads"));
    alterrec_status status = create_search(&search, model);
    for (int64_t i = 0; i < count && status == ALTERREC_OK; i += TILE)
        status = embed_tile(rows + i * model->shape.dim, &search, model,
                            features + i * model->catalog->feature_dim,
                            count - i < TILE ? count - i : TILE);
    ar_threads_leave(previous);
    free_search(&search);
    return status;
}

alterrec_status ar_new_item_rows(float *rows, const alterrec_model *model, const float *features,
                                 int64_t count) {
    int64_t dim = model->shape.dim;
    double *sum;
    AR_NEW(sum, dim);
    embed_all(rows, sum, model);
    ar_free(sum);
    for (int64_t i = 1; i < count; i++)
        memcpy(rows + i * dim, rows, (size_t)dim * sizeof *rows);
    bool all = ar_config_choice(model->config, "model.new_items") == 1;
    return all || features == NULL ? ALTERREC_OK
                                   : embed_by_neighbours(rows, model, features, count);
}
