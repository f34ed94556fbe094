/*
 * 01: train a model on the files that a YAML file of options names, and save it.
 *
 *   01_train shop/shop.yaml shop.safetensors
 *
 * The pattern of every call: the result comes first, the status is returned, and after an error
 * alterrec_last_error() says in words what is wrong.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>

/* One line an epoch. Returning a positive number would stop the training cleanly. */
static int32_t show_epoch(const alterrec_progress *progress, void *user_data) {
    (void)user_data;
    const alterrec_epoch_report *report = progress->report;
    if (progress->stage == ALTERREC_STAGE_EPOCH)
        printf("epoch %2d  %-4s  loss %7.4f  fused %.4f  ID %.4f  text %.4f%s\n", report->epoch + 1,
               report->tower == ALTERREC_ID ? "ID" : "text", report->loss, report->valid_metric[0],
               report->valid_metric[1], report->valid_metric[2], report->best ? "  best" : "");
    return 0;
}

static alterrec_status train(const char *options, const char *model_path) {
    alterrec_config *config = NULL;
    alterrec_dataset *dataset = NULL;
    alterrec_model *model = NULL;
    alterrec_trainer *trainer = NULL;

    /* Options: every default, then those of the file. alterrec_config_set() sets a single one. */
    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = alterrec_config_read(config, options);

    /* Data: items, their text features, and the sessions, split into train, valid and test. */
    if (status == ALTERREC_OK)
        status = alterrec_dataset_read(&dataset, config);

    /* Model: fresh parameters of both towers for the items of the catalog. */
    if (status == ALTERREC_OK)
        status = alterrec_model_create(&model, alterrec_dataset_catalog(dataset), config);

    /* Trainer: the towers in turns; at the end the model has the weights that were best on valid.
     */
    if (status == ALTERREC_OK)
        status = alterrec_trainer_create(
            &trainer, model, alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN),
            alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_VALID), config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_progress(trainer, show_epoch, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_run(trainer);

    if (status == ALTERREC_OK)
        status = alterrec_model_save(model, model_path);

    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    alterrec_dataset_free(dataset);
    alterrec_config_free(config);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s OPTIONS.yaml MODEL.safetensors\n", argv[0]);
        return 2;
    }
    alterrec_status status = train(argv[1], argv[2]);
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());
        return 1;
    }
    return 0;
}
