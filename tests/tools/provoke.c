/* Makes the mistakes that docs/troubleshooting.md explains, and prints what the library says to
 * each: a line with the status and the text. */
#include <alterrec/alterrec.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { ITEMS = 20, DIM = 8 };

/* Everything that the mistakes are made with, in order. */
typedef struct world {
    alterrec_config *config;
    alterrec_catalog *catalog, *plain, *larger; /* with features; without; with an item more */
    alterrec_sessions *sessions, *others, *short_ones;
    alterrec_model *model;
    alterrec_trainer *trainer;
    alterrec_recommender *recommender;
    alterrec_batch *batch;
    float features[ITEMS * DIM];
} world;

static void say(alterrec_status status) {
    printf("%s: %s\n", alterrec_status_name(status), alterrec_last_error());
}

static alterrec_status make_sessions(alterrec_sessions **sessions, const alterrec_catalog *catalog,
                                     int64_t length) {
    const int32_t items[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const int64_t offsets[] = {0, length, 2 * length};
    return alterrec_sessions_create(sessions, catalog, items, offsets, 2);
}

static alterrec_status make_world(world *w) {
    alterrec_status status = alterrec_config_create(&w->config);
    for (int i = 0; i < ITEMS * DIM; i++)
        w->features[i] = (float)(i % 7) - 3;
    if (status == ALTERREC_OK)
        status = alterrec_config_set(w->config, "model.dim", "8");
    if (status == ALTERREC_OK)
        status = alterrec_catalog_create(&w->catalog, NULL, NULL, ITEMS);
    if (status == ALTERREC_OK)
        status = alterrec_catalog_set_features(w->catalog, w->features, ITEMS, DIM);
    if (status == ALTERREC_OK)
        status = alterrec_catalog_create(&w->plain, NULL, NULL, ITEMS);
    if (status == ALTERREC_OK)
        status = alterrec_catalog_create(&w->larger, NULL, NULL, ITEMS + 1);
    if (status == ALTERREC_OK)
        status = make_sessions(&w->sessions, w->catalog, 4);
    if (status == ALTERREC_OK)
        status = make_sessions(&w->others, w->larger, 4);
    if (status == ALTERREC_OK)
        status = make_sessions(&w->short_ones, w->catalog, 1);
    if (status == ALTERREC_OK)
        status = alterrec_model_create(&w->model, w->catalog, w->config);
    if (status == ALTERREC_OK)
        status = alterrec_trainer_create(&w->trainer, w->model, w->sessions, NULL, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_recommender_create(&w->recommender, w->model, NULL);
    if (status == ALTERREC_OK)
        status = alterrec_batch_create(&w->batch);
    return status;
}

static void end_world(world *w) {
    alterrec_batch_free(w->batch);
    alterrec_recommender_free(w->recommender);
    alterrec_trainer_free(w->trainer);
    alterrec_model_free(w->model);
    alterrec_sessions_free(w->short_ones);
    alterrec_sessions_free(w->others);
    alterrec_sessions_free(w->sessions);
    alterrec_catalog_free(w->larger);
    alterrec_catalog_free(w->plain);
    alterrec_catalog_free(w->catalog);
    alterrec_config_free(w->config);
}

static void wrong_arguments(world *w) {
    const int32_t items[] = {0, ITEMS};
    int32_t best[ITEMS];
    alterrec_plan plan = {0};
    say(alterrec_trainer_plan(&plan, w->trainer));
    say(alterrec_batch_add(NULL, items, 1));
    say(alterrec_batch_add(w->batch, items, 0));
    say(alterrec_recommender_top_k(best, NULL, NULL, w->recommender, w->batch, 3, NULL));
    if (alterrec_batch_add(w->batch, items, 2) == ALTERREC_OK)
        say(alterrec_recommender_top_k(best, NULL, NULL, w->recommender, w->batch, 3, NULL));
    if (alterrec_batch_clear(w->batch) == ALTERREC_OK &&
        alterrec_batch_add(w->batch, items, 1) == ALTERREC_OK)
        say(alterrec_recommender_top_k(best, NULL, NULL, w->recommender, w->batch, 30, NULL));
}

static void mixed_catalogs(world *w) {
    int32_t best[ITEMS];
    alterrec_trainer *trainer = NULL;
    alterrec_evaluation *evaluation = NULL;
    alterrec_filter *filter = NULL;
    say(alterrec_trainer_create(&trainer, w->model, w->others, NULL, NULL));
    say(alterrec_evaluate(&evaluation, w->model, w->others, NULL, NULL, NULL, NULL));
    if (alterrec_filter_create(&filter, ITEMS + 1) == ALTERREC_OK) {
        alterrec_search search = {.struct_size = sizeof search, .filter = filter};
        say(alterrec_recommender_top_k(best, NULL, NULL, w->recommender, w->batch, 3, &search));
    }
    alterrec_filter_free(filter);
}

static void wrong_features(world *w) {
    float vectors[ITEMS * DIM];
    const char *keys[] = {"mug", "cup"};
    alterrec_model *textless = NULL;
    say(alterrec_catalog_set_features(w->plain, w->features, ITEMS - 1, DIM));
    w->features[2 * DIM + 3] = (float)NAN;
    say(alterrec_catalog_set_features(w->plain, w->features, ITEMS, DIM));
    say(alterrec_catalog_hash_features(w->plain, NULL));
    if (alterrec_model_create(&textless, w->plain, w->config) == ALTERREC_OK)
        say(alterrec_model_item_vectors(vectors, textless, ALTERREC_TEXT));
    alterrec_model_free(textless);
    say(alterrec_model_add_items(w->model, keys, NULL, NULL, 2));
}

/* A callback that uses what is at work. */
static int32_t meddle(const alterrec_progress *progress, void *user_data) {
    const world *w = user_data;
    const float ones[DIM] = {1, 1, 1, 1, 1, 1, 1, 1};
    if (progress->stage != ALTERREC_STAGE_TRAIN)
        return 0;
    say(alterrec_trainer_save(w->trainer, "checkpoint"));
    say(alterrec_model_set_tensor(w->model, "id.norm.weight", ones, DIM));
    return -5001;
}

static void busy_handles(world *w) {
    say(alterrec_catalog_set_features(w->catalog, w->features, ITEMS, DIM));
    if (alterrec_trainer_on_progress(w->trainer, meddle, w) == ALTERREC_OK)
        say(alterrec_trainer_epoch(NULL, w->trainer, NULL));
    (void)alterrec_trainer_on_progress(w->trainer, NULL, NULL);
}

static void numbers_without_bounds(world *w) {
    float gains[DIM];
    alterrec_trainer *trainer = NULL;
    alterrec_recommender *recommender = NULL;
    say(alterrec_trainer_create(&trainer, w->model, w->short_ones, NULL, NULL));
    for (int i = 0; i < DIM; i++)
        gains[i] = 3e38f;
    if (alterrec_model_set_tensor(w->model, "id.norm.weight", gains, DIM) != ALTERREC_OK)
        return;
    say(alterrec_trainer_epoch(NULL, w->trainer, NULL));
    say(alterrec_recommender_create(&recommender, w->model, NULL));
    alterrec_recommender_free(recommender);
}

int main(void) {
    world w = {0};
    alterrec_status status = make_world(&w);
    if (status == ALTERREC_OK) {
        wrong_arguments(&w);
        mixed_catalogs(&w);
        busy_handles(&w);
        wrong_features(&w);
        numbers_without_bounds(&w);
    } else {
        say(status);
    }
    end_world(&w);
    return status != ALTERREC_OK;
}
