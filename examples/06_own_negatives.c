/*
 * 06: train against negatives of your own, here items of the category that the label is of.
 *
 *   06_own_negatives
 *
 * A random item is seldom one that the visitor thought of, and soon told apart. One of the same
 * shelf is what a model has to tell apart to be of use. The catalog and its visits are made up: who
 * looks at an item of a category looks next at the one to its right, most of the time.
 */
#include <alterrec/alterrec.h>
#include <stdint.h>
#include <stdio.h>

enum { CATEGORIES = 12, IN_CATEGORY = 10, ITEMS = CATEGORIES * IN_CATEGORY };
enum { SESSIONS = 600, LENGTH = 4, NEGATIVES = 8 };

/* A host's own random numbers; a fixed start gives the same training each time. */
static int32_t draw(uint64_t *state, int32_t bound) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (int32_t)((*state >> 33) % (uint64_t)bound);
}

static alterrec_status make_sessions(alterrec_sessions **sessions, const alterrec_catalog *catalog,
                                     uint64_t seed) {
    static int32_t items[SESSIONS * LENGTH];
    static int64_t offsets[SESSIONS + 1];
    for (int s = 0; s < SESSIONS; s++) {
        int32_t shelf = draw(&seed, CATEGORIES), place = draw(&seed, IN_CATEGORY);
        for (int t = 0; t < LENGTH; t++) {
            items[s * LENGTH + t] = shelf * IN_CATEGORY + place;
            place = (place + (draw(&seed, 10) < 8 ? 1 : 1 + draw(&seed, 9))) % IN_CATEGORY;
        }
        offsets[s + 1] = (int64_t)(s + 1) * LENGTH;
    }
    return alterrec_sessions_create(sessions, catalog, items, offsets, SESSIONS);
}

/* Once a step: `per_example` items for each example of the batch. An example's own label is passed
 * over should it be among them. */
static int32_t same_category(int32_t *negatives, const alterrec_examples *examples,
                             int64_t per_example, void *user_data) {
    for (int64_t e = 0; e < examples->count; e++) {
        int32_t first = examples->labels[e] / IN_CATEGORY * IN_CATEGORY;
        for (int64_t n = 0; n < per_example; n++)
            negatives[e * per_example + n] = first + draw(user_data, IN_CATEGORY);
    }
    return 0;
}

/* Two thirds of the epochs with the library's random negatives, then the callback's: it is asked
 * under ALTERREC_NEGATIVES_HOST alone. */
static int32_t then_own(alterrec_plan *plan, const alterrec_epoch_report *last, void *user_data) {
    (void)user_data;
    if (last != NULL && last->epoch + 1 >= 8)
        plan->negatives = ALTERREC_NEGATIVES_HOST;
    plan->negative_count = NEGATIVES;
    return 0;
}

static int32_t show_epoch(const alterrec_progress *progress, void *user_data) {
    (void)user_data;
    const alterrec_epoch_report *report = progress->report;
    if (progress->stage == ALTERREC_STAGE_EPOCH)
        printf("epoch %2d  %-14s  loss %.4f  Hits@1 %.4f\n", report->epoch + 1,
               report->negatives == ALTERREC_NEGATIVES_HOST ? "same category" : "random",
               report->loss, report->valid_metric[ALTERREC_ID]);
    return 0;
}

static alterrec_status set_options(alterrec_config *config) {
    static const char options[] = "schedule: {system: id}\n" /* no texts: the ID tower alone */
                                  "model: {dim: 16, init: usual}\n"
                                  "optimizer: {learning_rate: 0.005, decay: none}\n"
                                  "train: {epochs: 12, batch_size: 64, valid_k: 1}\n";
    return alterrec_config_read_text(config, options, sizeof options - 1);
}

static alterrec_status train(void) {
    alterrec_config *config = NULL;
    alterrec_catalog *catalog = NULL;
    alterrec_sessions *visits = NULL, *later_visits = NULL;
    alterrec_model *model = NULL;
    alterrec_trainer *trainer = NULL;
    uint64_t dice = 1;

    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = set_options(config);
    if (status == ALTERREC_OK)
        status = alterrec_catalog_create(&catalog, NULL, NULL, ITEMS);
    if (status == ALTERREC_OK)
        status = make_sessions(&visits, catalog, 1);
    if (status == ALTERREC_OK)
        status = make_sessions(&later_visits, catalog, 2);
    if (status == ALTERREC_OK)
        status = alterrec_model_create(&model, catalog, config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_create(&trainer, model, visits, later_visits, config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_negatives(trainer, same_category, &dice);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_schedule(trainer, then_own, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_on_progress(trainer, show_epoch, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_run(trainer);

    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    alterrec_sessions_free(later_visits);
    alterrec_sessions_free(visits);
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
    return status;
}

int main(void) {
    alterrec_status status = train();
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());
        return 1;
    }
    return 0;
}
