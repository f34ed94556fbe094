/*
 * 10: serve from an index of your own, a vector database or a library of nearest neighbours.
 *
 *   10_vectors shop.safetensors items.npy P000012 P000345
 *
 * The fused score is an inner product: what the library's own search ranks by is the inner product
 * of an item's vector and a session's. Here the index is a plain loop over the items' vectors, and
 * its best items are held against the library's. items.npy is what you would load into yours, to be
 * searched by inner product (not by cosine or distance).
 */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <stdlib.h>

enum { K = 5, LONGEST = 50 };

static double inner_product(const float *a, const float *b, int64_t width) {
    double sum = 0.0;
    for (int64_t i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The index: the K items whose vectors [items, width] have the largest inner products. */
static void search(int32_t *best, double *scores, const float *vectors, int64_t items,
                   const float *session, int64_t width) {
    int held = 0;
    for (int64_t i = 0; i < items; i++) {
        double score = inner_product(vectors + i * width, session, width);
        int place = held < K ? held++ : K - 1;
        if (place == K - 1 && held == K && i >= K && score <= scores[K - 1])
            continue;
        for (; place > 0 && score > scores[place - 1]; place--) {
            scores[place] = scores[place - 1];
            best[place] = best[place - 1];
        }
        scores[place] = score;
        best[place] = (int32_t)i;
    }
}

static alterrec_status compare(const alterrec_recommender *recommender, alterrec_batch *batch) {
    const alterrec_catalog *catalog = alterrec_recommender_catalog(recommender);
    int64_t items = alterrec_catalog_items(catalog),
            width = alterrec_recommender_width(recommender);
    float *vectors = malloc((size_t)(items * width) * sizeof *vectors);
    float *session = malloc((size_t)width * sizeof *session);
    int32_t own[K], best[K];
    float own_scores[K];
    double scores[K];
    alterrec_status status =
        vectors != NULL && session != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    if (status == ALTERREC_OK)
        status = alterrec_recommender_item_vectors(vectors, recommender, 0, items);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_session_vectors(session, recommender, batch);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_top_k(own, own_scores, NULL, recommender, batch, K, NULL);
    if (status == ALTERREC_OK) {
        search(best, scores, vectors, items, session, width);
        printf("     %-10s %10s   %-10s %10s\n", "library", "score", "index", "score");
        for (int i = 0; i < K; i++)
            printf("%3d. %-10s %10.4f   %-10s %10.4f%s\n", i + 1,
                   alterrec_catalog_key(catalog, own[i]), (double)own_scores[i],
                   alterrec_catalog_key(catalog, best[i]), scores[i],
                   own[i] == best[i] ? "" : "   differs");
    }
    free(vectors);
    free(session);
    return status;
}

static alterrec_status add_session(alterrec_batch *batch, const alterrec_catalog *catalog,
                                   char **keys, int count) {
    int32_t session[LONGEST];
    int64_t length = 0;
    for (int i = 0; i < count && length < LONGEST; i++) {
        int32_t item = alterrec_catalog_find(catalog, keys[i]);
        if (item >= 0)
            session[length++] = item;
    }
    return alterrec_batch_add(batch, session, length);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s MODEL.safetensors ITEMS.npy KEY KEY ...\n", argv[0]);
        return 2;
    }
    alterrec_model *model = NULL;
    alterrec_recommender *recommender = NULL;
    alterrec_batch *batch = NULL;
    alterrec_status status = alterrec_model_load(&model, argv[1]);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_create(&recommender, model, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_write_item_vectors(recommender, argv[2]);
    if (status == ALTERREC_OK)
        status = alterrec_batch_create(&batch);
    if (status == ALTERREC_OK)
        status = add_session(batch, alterrec_model_catalog(model), argv + 3, argc - 3);
    if (status == ALTERREC_OK)
        status = compare(recommender, batch);
    if (status != ALTERREC_OK)
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());

    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_model_free(model);
    return status == ALTERREC_OK ? 0 : 1;
}
