/*
 * 02: load a model and recommend the next items of one session.
 *
 *   02_recommend shop.safetensors P000012 P000345
 *
 * A recommender is an immutable snapshot that threads may share; each thread has a batch of its own
 * and uses it again and again.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>

enum { K = 5, LONGEST = 50 };

/* The items of the keys that the catalog has. */
static int64_t find_items(int32_t items[LONGEST], const alterrec_catalog *catalog, char **keys,
                          int count) {
    int64_t found = 0;
    for (int i = 0; i < count && found < LONGEST; i++) {
        int32_t item = alterrec_catalog_find(catalog, keys[i]);
        if (item >= 0)
            items[found++] = item;
        else
            fprintf(stderr, "no item %s in the model\n", keys[i]);
    }
    return found;
}

static alterrec_status recommend(const alterrec_recommender *recommender, alterrec_batch *batch,
                                 char **keys, int count) {
    const alterrec_catalog *catalog = alterrec_recommender_catalog(recommender);
    int32_t session[LONGEST];
    int64_t length = find_items(session, catalog, keys, count);

    alterrec_status status = alterrec_batch_add(batch, session, length);
    if (status == ALTERREC_OK)
        status = alterrec_batch_exclude_own(batch, 1);

    /* A batch of several sessions gives [sessions, K] items and scores. */
    int32_t items[K];
    float scores[K];
    if (status == ALTERREC_OK)
        status = alterrec_recommender_top_k(items, scores, NULL, recommender, batch, K, NULL);
    if (status != ALTERREC_OK)
        return status;
    for (int i = 0; i < K && items[i] >= 0; i++)
        printf("%d. %-10s %8.3f  %s\n", i + 1, alterrec_catalog_key(catalog, items[i]),
               (double)scores[i], alterrec_catalog_text(catalog, items[i]));
    return ALTERREC_OK;
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
        status = recommend(recommender, batch, argv + 2, argc - 2);
    if (status != ALTERREC_OK)
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());

    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_model_free(model);
    return status == ALTERREC_OK ? 0 : 1;
}
