/*
 * 04: train by a schedule of your own: a tower has its turn for as long as validation gets better.
 *
 *   04_own_schedule shop/shop.yaml shop.safetensors
 *
 * The built-in schedule changes the tower after every `schedule.gap` epochs. A callback sees its
 * plan before each epoch, beside what the last one gave, and may change any field.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>

enum { FUTILE_TURNS = 4 };

typedef struct turns {
    int32_t tower;
    double best; /* validation metric of the fused scores */
    int futile;  /* turns in a row that ended without a better one */
} turns;

/* Returning 0 trains the plan as it then stands, a positive number ends the training, a negative
 * one fails. What is not changed here, the built-in schedule decides: from which epoch negatives
 * are hard, how the learning rate falls, and by plan->stop that train.epochs are enough. */
static int32_t change_when_stalled(alterrec_plan *plan, const alterrec_epoch_report *last,
                                   void *user_data) {
    turns *own = user_data;
    if (last != NULL && last->valid_metric[0] > own->best) {
        own->best = last->valid_metric[0];
        own->futile = 0;
    } else if (last != NULL) {
        own->tower = own->tower == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID;
        own->futile++;
    }
    if (own->futile == FUTILE_TURNS)
        return 1;
    plan->tower = own->tower;
    return 0;
}

static int32_t show_epoch(const alterrec_progress *progress, void *user_data) {
    (void)user_data;
    const alterrec_epoch_report *report = progress->report;
    if (progress->stage == ALTERREC_STAGE_EPOCH)
        printf("epoch %2d  %-4s  loss %7.4f  fused %.4f%s\n", report->epoch + 1,
               report->tower == ALTERREC_ID ? "ID" : "text", report->loss, report->valid_metric[0],
               report->best ? "  best" : "");
    return 0;
}

static alterrec_status train(const char *options, const char *model_path) {
    alterrec_config *config = NULL;
    alterrec_dataset *dataset = NULL;
    alterrec_model *model = NULL;
    alterrec_trainer *trainer = NULL;
    turns own = {.tower = ALTERREC_TEXT, .best = -1};

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
        status = alterrec_trainer_on_progress(trainer, show_epoch, NULL);

    /* alterrec_trainer_run asks it before each epoch; `own` must live as long as that call. */
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_schedule(trainer, change_when_stalled, &own);
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
