/*
 * 05: recommend by a fusion of your own, here reciprocal rank fusion.
 *
 *   05_own_fusion shop.safetensors P000012 P000345
 *
 * The weighted sum depends on how large each tower's scores are. Ranks do not: an item at rank r of
 * a tower gets 1 / (60 + r) from it, and the two are added. An evaluator takes the same callback
 * (alterrec_evaluator_on_fusion), so that what is measured is what is served.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <stdlib.h>

enum { K = 5, LONGEST = 50 };

typedef struct scored {
    float score;
    int32_t item;
} scored;

/* The better first; ties go to the lower index, as everywhere in the library. */
static int compare(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->item < b->item ? -1 : 1;
}

static void add_ranks(float *fused, scored *order, const float *scores, int64_t items) {
    for (int64_t i = 0; i < items; i++)
        order[i] = (scored){scores[i], (int32_t)i};
    qsort(order, (size_t)items, sizeof *order, compare);
    for (int64_t r = 0; r < items; r++)
        fused[order[r].item] += 1.0F / (float)(60 + r + 1);
}

/* The callback: it sees whole rows, every item of the catalog, and fills every fused score. It
 * keeps nothing between calls, so that threads may share the recommender. Its own error, a negative
 * number far from the library's, comes back from alterrec_recommender_top_k. */
static int32_t fuse_by_rank(const alterrec_fusion_tile *tile, void *user_data) {
    (void)user_data;
    scored *order = malloc((size_t)tile->items * sizeof *order);
    if (order == NULL)
        return -5001;
    for (int64_t s = 0; s < tile->sessions; s++) {
        float *fused = tile->fused + s * tile->items;
        for (int64_t i = 0; i < tile->items; i++)
            fused[i] = 0.0F;
        add_ranks(fused, order, tile->id + s * tile->items, tile->items);
        add_ranks(fused, order, tile->text + s * tile->items, tile->items);
    }
    free(order);
    return 0;
}

/* The session's best items. */
static alterrec_status recommend(const alterrec_recommender *recommender, alterrec_batch *batch,
                                 const alterrec_search *search, const char *title) {
    int32_t items[K];
    float scores[K];
    const alterrec_catalog *catalog = alterrec_recommender_catalog(recommender);
    alterrec_status status =
        alterrec_recommender_top_k(items, scores, NULL, recommender, batch, K, search);
    if (status != ALTERREC_OK)
        return status;
    printf("%s\n", title);
    for (int i = 0; i < K && items[i] >= 0; i++)
        printf("%d. %-10s %8.4f  %s\n", i + 1, alterrec_catalog_key(catalog, items[i]),
               (double)scores[i], alterrec_catalog_text(catalog, items[i]));
    return ALTERREC_OK;
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
    if (argc < 3) {
        fprintf(stderr, "usage: %s MODEL.safetensors KEY KEY ...\n", argv[0]);
        return 2;
    }
    alterrec_model *model = NULL;
    alterrec_recommender *recommender = NULL;
    alterrec_batch *batch = NULL;
    alterrec_status status = alterrec_model_load(&model, argv[1]);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_create(&recommender, model, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_batch_create(&batch);
    if (status == ALTERREC_OK)
        status = add_session(batch, alterrec_model_catalog(model), argv + 2, argc - 2);
    if (status == ALTERREC_OK)
        status = recommend(recommender, batch, NULL, "by the weighted sum");

    /* How to search is said with each call: others may use another fusion meanwhile, or none. */
    alterrec_search search = {.struct_size = sizeof search, .fusion = fuse_by_rank};
    if (status == ALTERREC_OK)
        status = recommend(recommender, batch, &search, "by ranks");
    if (status != ALTERREC_OK)
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());

    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_model_free(model);
    return status == ALTERREC_OK ? 0 : 1;
}
