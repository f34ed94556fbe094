/*
 * 08: train step by step, in a loop of your own, with batches of your own among the trainer's.
 *
 *   08_own_steps shop/shop.yaml shop.safetensors
 *
 * alterrec_trainer_run goes through epochs, alterrec_trainer_epoch through the steps of one. The
 * loop below is what the second does, with one batch more: a session that just ended, of which only
 * what came last is to be learned.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>

enum { EPOCHS = 2 };

/* The trainer's own batches, in the order that seed and epoch decide. */
static alterrec_status train_all(double *loss, alterrec_trainer *trainer, alterrec_batch *batch) {
    int64_t batches = alterrec_trainer_batches(trainer), examples = 0;
    alterrec_status status = ALTERREC_OK;
    *loss = 0;
    for (int64_t i = 0; i < batches && status == ALTERREC_OK; i++) {
        alterrec_step_report report = {.struct_size = sizeof report};
        status = alterrec_trainer_batch(batch, trainer, i);
        if (status == ALTERREC_OK) /* NULL: as the built-in schedule plans it */
            status = alterrec_trainer_step(&report, trainer, batch, NULL);
        *loss += report.loss * (double)report.examples;
        examples += report.examples;
    }
    *loss /= examples > 0 ? (double)examples : 1;
    return status;
}

/* A batch of the host's: labels[t] is what is to follow items[0..t]; -1: no example. */
static alterrec_status train_visit(double *loss, alterrec_trainer *trainer, alterrec_batch *batch) {
    static const int32_t items[] = {3, 14, 15}, labels[] = {-1, -1, 9};
    alterrec_step_report report = {.struct_size = sizeof report};
    alterrec_plan plan = {.struct_size = sizeof plan};
    alterrec_status status = alterrec_batch_clear(batch);
    if (status == ALTERREC_OK)
        status = alterrec_batch_add_labelled(batch, items, labels, 3);

    /* The tower in turn, but against every other item, and with a smaller step. */
    if (status == ALTERREC_OK)
        status = alterrec_trainer_plan(&plan, trainer);
    plan.negatives = ALTERREC_NEGATIVES_FULL;
    plan.learning_rate *= 0.1;
    if (status == ALTERREC_OK)
        status = alterrec_trainer_step(&report, trainer, batch, &plan);
    *loss = report.loss;
    return status;
}

static alterrec_status train(alterrec_trainer *trainer, alterrec_batch *batch) {
    alterrec_status status = ALTERREC_OK;
    for (int epoch = 0; epoch < EPOCHS && status == ALTERREC_OK; epoch++) {
        alterrec_epoch_report report = {.struct_size = sizeof report};
        double loss = 0, own_loss = 0;
        status = train_all(&loss, trainer, batch);
        if (status == ALTERREC_OK)
            status = train_visit(&own_loss, trainer, batch);
        /* Validates, keeps the best weights, and lets the schedule move on. */
        if (status == ALTERREC_OK)
            status = alterrec_trainer_end_epoch(&report, trainer);
        if (status == ALTERREC_OK)
            printf("epoch %d  %lld steps  loss %.4f, of the own batch %.4f  fused %.4f\n",
                   report.epoch + 1, (long long)report.steps, loss, own_loss,
                   report.valid_metric[0]);
    }
    return status == ALTERREC_OK ? alterrec_trainer_use_best(trainer) : status;
}

static alterrec_status train_and_save(const char *options, const char *model_path) {
    alterrec_config *config = NULL;
    alterrec_dataset *dataset = NULL;
    alterrec_model *model = NULL;
    alterrec_trainer *trainer = NULL;
    alterrec_batch *batch = NULL;

    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = alterrec_config_read(config, options);
    if (status == ALTERREC_OK)
        status = alterrec_dataset_read(&dataset, config);
    if (status == ALTERREC_OK)
        status = alterrec_model_create(&model, alterrec_dataset_catalog(dataset), config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_create(
            &trainer, model, alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN),
            alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_VALID), config);
    if (status == ALTERREC_OK)
        status = alterrec_batch_create(&batch);
    if (status == ALTERREC_OK)
        status = train(trainer, batch);
    if (status == ALTERREC_OK)
        status = alterrec_model_save(model, model_path);

    alterrec_batch_free(batch);
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
    alterrec_status status = train_and_save(argv[1], argv[2]);
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());
        return 1;
    }
    return 0;
}
