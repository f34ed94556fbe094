/*
 * 09: go on with a training that was interrupted, and end where it would have ended.
 *
 *   09_resume shop/shop.yaml checkpoint.safetensors
 *
 * Trains three times: without interruption; until a crash after the second epoch; and on from the
 * checkpoint that the crash left behind. The first model and the last one have the same bits.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CRASH = -5001 }; /* an error of the host's own, far from the library's numbers */

/* A model of its own for each training; the data are shared. */
typedef struct training {
    alterrec_model *model;
    alterrec_trainer *trainer;
    const char *checkpoint;
    int32_t crash_after; /* epochs; 0: never */
} training;

static alterrec_status open_training(training *t, const alterrec_dataset *dataset,
                                     const alterrec_config *config) {
    alterrec_status status =
        alterrec_model_create(&t->model, alterrec_dataset_catalog(dataset), config);
    if (status != ALTERREC_OK)
        return status;
    return alterrec_trainer_create(
        &t->trainer, t->model, alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN),
        alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_VALID), config);
}

static void close_training(training *t) {
    alterrec_trainer_free(t->trainer);
    alterrec_model_free(t->model);
}

/* Saves after each epoch: the file that is there stays until the next one is whole, so that a crash
 * at any moment leaves a checkpoint behind. */
static int32_t save_epoch(const alterrec_progress *progress, void *user_data) {
    const training *t = user_data;
    if (progress->stage != ALTERREC_STAGE_EPOCH)
        return 0;
    alterrec_status status = alterrec_trainer_save(t->trainer, t->checkpoint);
    if (status != ALTERREC_OK)
        return status;
    return progress->epoch + 1 == t->crash_after ? CRASH : 0;
}

/* Whether every parameter of both models is the same, bit for bit. */
static alterrec_status compare(int *same, const alterrec_model *a, const alterrec_model *b) {
    alterrec_status status = ALTERREC_OK;
    *same = 1;
    for (int64_t i = 0; i < alterrec_model_tensor_count(a) && status == ALTERREC_OK; i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        status = alterrec_model_tensor_describe(&tensor, a, i);
        size_t size = (size_t)tensor.count * sizeof(float);
        float *of_a = malloc(size + 1), *of_b = malloc(size + 1);
        if (of_a == NULL || of_b == NULL)
            status = ALTERREC_ERROR_OUT_OF_MEMORY;
        if (status == ALTERREC_OK)
            status = alterrec_model_get_tensor(of_a, a, tensor.name, tensor.count);
        if (status == ALTERREC_OK)
            status = alterrec_model_get_tensor(of_b, b, tensor.name, tensor.count);
        if (status == ALTERREC_OK && memcmp(of_a, of_b, size) != 0)
            *same = 0;
        free(of_a);
        free(of_b);
    }
    return status;
}

/* Trains until the crash, then on in a new trainer of a new model. */
static alterrec_status crash_and_resume(training *second, const alterrec_dataset *dataset,
                                        const alterrec_config *config, const char *checkpoint) {
    training first = {.checkpoint = checkpoint, .crash_after = 2};
    alterrec_status status = open_training(&first, dataset, config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_progress(first.trainer, save_epoch, &first);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_run(first.trainer);
    close_training(&first);
    if (status != CRASH)
        return status;
    printf("crashed after epoch %d\n", first.crash_after);

    status = open_training(second, dataset, config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_resume(second->trainer, checkpoint);
    if (status == ALTERREC_OK)
        printf("resumed with epoch %lld\n",
               (long long)alterrec_trainer_epochs(second->trainer) + 1);
    return status == ALTERREC_OK ? alterrec_trainer_run(second->trainer) : status;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s OPTIONS.yaml CHECKPOINT.safetensors\n", argv[0]);
        return 2;
    }
    alterrec_config *config = NULL;
    alterrec_dataset *dataset = NULL;
    training whole = {0}, resumed = {0};
    int same = 0;
    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = alterrec_config_read(config, argv[1]);
    if (status == ALTERREC_OK)
        status = alterrec_dataset_read(&dataset, config);
    if (status == ALTERREC_OK)
        status = open_training(&whole, dataset, config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_run(whole.trainer);
    if (status == ALTERREC_OK)
        status = crash_and_resume(&resumed, dataset, config, argv[2]);
    if (status == ALTERREC_OK)
        status = compare(&same, whole.model, resumed.model);
    if (status == ALTERREC_OK)
        printf("after %lld epochs the weights are %s\n",
               (long long)alterrec_trainer_epochs(resumed.trainer),
               same ? "those of the uninterrupted training" : "others");
    else
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());
    close_training(&whole);
    close_training(&resumed);
    alterrec_dataset_free(dataset);
    alterrec_config_free(config);
    return status == ALTERREC_OK && same ? 0 : 1;
}
