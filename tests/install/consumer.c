/* A host that knows the installed library alone: C99, built by pkg-config and by find_package. */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    if (alterrec_version() / 1000000 != ALTERREC_VERSION_MAJOR)
        return 1;
    const char *info = alterrec_build_info();
    if (info == NULL || strlen(info) == 0)
        return 2;
    if (strcmp(alterrec_status_name(ALTERREC_ERROR_IO), "IO") != 0)
        return 3;

    /* Down to oneDNN and back: a model that has learned nothing still ranks all items but the own.
     */
    alterrec_catalog *catalog = NULL;
    alterrec_model *model = NULL;
    alterrec_recommender *recommender = NULL;
    alterrec_batch *batch = NULL;
    const char *keys[] = {"cup", "saucer", "spoon"};
    int32_t clicks[] = {1}, best[3];
    if (alterrec_catalog_create(&catalog, keys, NULL, 3) != ALTERREC_OK ||
        alterrec_model_create(&model, catalog, NULL) != ALTERREC_OK ||
        alterrec_recommender_create(&recommender, model, NULL) != ALTERREC_OK ||
        alterrec_batch_create(&batch) != ALTERREC_OK ||
        alterrec_batch_add(batch, clicks, 1) != ALTERREC_OK ||
        alterrec_batch_exclude_own(batch, 1) != ALTERREC_OK ||
        alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 3, NULL) != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        return 4;
    }
    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_model_free(model);
    alterrec_catalog_free(catalog);
    if (best[0] + best[1] != 2 || best[2] != -1)
        return 5;
    printf("%s\n", info);
    return 0;
}
