/*
 * 07: add items to a trained model and save it.
 *
 *   07_new_items shop.safetensors items.tsv larger.safetensors
 *
 * Items of the file whose keys the model does not have are added with their texts, of which a model
 * with hashed features makes its own. The new items are scored at once, without any training.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <stdlib.h>

static alterrec_status add(alterrec_model *model, const alterrec_catalog *read) {
    int64_t items = alterrec_catalog_items(read), count = 0;
    const char **keys = calloc((size_t)items, sizeof *keys);
    const char **texts = calloc((size_t)items, sizeof *texts);
    alterrec_status status = ALTERREC_OK;
    for (int32_t i = 0; keys != NULL && texts != NULL && i < items; i++) {
        const char *key = alterrec_catalog_key(read, i);
        if (alterrec_catalog_find(alterrec_model_catalog(model), key) >= 0)
            continue;
        keys[count] = key;
        texts[count++] = alterrec_catalog_text(read, i);
    }
    if (count > 0)
        status = alterrec_model_add_items(model, keys, texts, NULL, count);
    if (status == ALTERREC_OK)
        printf("%lld of %lld items are new, the model has %lld\n", (long long)count,
               (long long)items, (long long)alterrec_catalog_items(alterrec_model_catalog(model)));
    free(keys);
    free(texts);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL.safetensors ITEMS.tsv LARGER.safetensors\n", argv[0]);
        return 2;
    }
    alterrec_model *model = NULL;
    alterrec_catalog *read = NULL;
    alterrec_status status = alterrec_model_load(&model, argv[1]);
    if (status == ALTERREC_OK)
        status = alterrec_catalog_read(&read, argv[2], NULL);
    if (status == ALTERREC_OK)
        status = add(model, read);
    if (status == ALTERREC_OK)
        status = alterrec_model_save(model, argv[3]);
    if (status != ALTERREC_OK)
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());

    alterrec_catalog_free(read);
    alterrec_model_free(model);
    return status == ALTERREC_OK ? 0 : 1;
}
