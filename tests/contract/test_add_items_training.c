/* Items added to a trained model: where they rank, how training goes on, which trainers refuse. */
#include "core/random.h"
#include "scratch.h"
#include "support/small_model.h"

#include <math.h>

/* A catalog of groups: features say the group, sessions stay in it. */
enum { FEATURE_DIM = 12 };
enum { GROUPS = 12, IN_GROUP = 6, HELD = 1, OLD_GROUP = IN_GROUP - HELD, WALKS = 240, LONG = 5 };

typedef struct groups {
    ar_random random;
    alterrec_catalog *catalog;
    alterrec_sessions *train;
    alterrec_config *config;
    alterrec_model *model;
    float held[GROUPS * FEATURE_DIM];
} groups;

static float feature(groups *g, int group, int column) {
    float noise = 0.2f * (float)ar_random_normal(&g->random);
    return noise + (column == group % FEATURE_DIM ? 1.0f : 0.0f);
}

/* Sessions of LONG items of one group each; with_held: the group's new item is among them. */
static alterrec_sessions *group_sessions(groups *g, const alterrec_catalog *catalog,
                                         bool with_held) {
    int32_t items[WALKS * LONG];
    int64_t offsets[WALKS + 1];
    for (int s = 0; s < WALKS; s++) {
        int group = s % GROUPS;
        offsets[s] = s * LONG;
        for (int i = 0; i < LONG; i++) {
            int at = (int)ar_random_below(&g->random, with_held ? IN_GROUP : OLD_GROUP);
            items[s * LONG + i] =
                at < OLD_GROUP ? group * OLD_GROUP + at : GROUPS * OLD_GROUP + group;
        }
    }
    offsets[WALKS] = WALKS * LONG;
    alterrec_sessions *sessions;
    MUST(alterrec_sessions_create(&sessions, catalog, items, offsets, WALKS));
    return sessions;
}

static void open_groups(groups *g) {
    static const char *const options[][2] = {{"model.dim", "16"},
                                             {"model.heads", "2"},
                                             {"model.max_len", "6"},
                                             {"model.init", "usual"},
                                             {"train.epochs", "20"},
                                             {"train.batch_size", "64"},
                                             {"negatives.k1", "4"},
                                             {"negatives.k2", "40"},
                                             {"schedule.gap", "1"},
                                             {"schedule.random_epochs", "4"},
                                             {"model.dropout", "0"},
                                             {"optimizer.decay", "none"},
                                             {"optimizer.learning_rate", "0.01"},
                                             {"compute.threads", "2"},
                                             {"fusion.alpha", "0.5"},
                                             {"model.new_item_neighbours", "5"}};
    float rows[GROUPS * OLD_GROUP * FEATURE_DIM];
    *g = (groups){0};
    ar_random_seed(&g->random, 11);
    for (int i = 0; i < GROUPS * OLD_GROUP * FEATURE_DIM; i++)
        rows[i] = feature(g, i / FEATURE_DIM / OLD_GROUP, i % FEATURE_DIM);
    for (int i = 0; i < GROUPS * FEATURE_DIM; i++)
        g->held[i] = feature(g, i / FEATURE_DIM, i % FEATURE_DIM);
    MUST(alterrec_catalog_create(&g->catalog, NULL, NULL, GROUPS * OLD_GROUP));
    MUST(alterrec_catalog_set_features(g->catalog, rows, GROUPS * OLD_GROUP, FEATURE_DIM));
    g->train = group_sessions(g, g->catalog, false);
    MUST(alterrec_config_create(&g->config));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        MUST(alterrec_config_set(g->config, options[i][0], options[i][1]));
    MUST(alterrec_model_create(&g->model, g->catalog, g->config));
}

static void close_groups(groups *g) {
    alterrec_model_free(g->model);
    alterrec_config_free(g->config);
    alterrec_sessions_free(g->train);
    alterrec_catalog_free(g->catalog);
}

static void train_groups(groups *g, const alterrec_sessions *sessions) {
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, g->model, sessions, NULL, NULL));
    MUST(alterrec_trainer_run(trainer));
    alterrec_trainer_free(trainer);
}

/* The mean rank, from 1, of each group's new item after a session of the group. */
static double mean_rank(const groups *g, int32_t scorer) {
    enum { COUNT = GROUPS * IN_GROUP };
    static float scores[GROUPS * COUNT];
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int32_t i = 0; i < GROUPS; i++)
        MUST(alterrec_batch_add(batch, (int32_t[]){i * OLD_GROUP, i * OLD_GROUP + 1}, 2));
    MUST(alterrec_model_score(scores, g->model, scorer, batch));
    alterrec_batch_free(batch);
    double sum = 0.0;
    for (int i = 0; i < GROUPS; i++) {
        const float *row = scores + i * COUNT;
        float own = row[GROUPS * OLD_GROUP + i];
        for (int item = 0; item < COUNT; item++)
            sum += row[item] >= own;
    }
    return sum / GROUPS;
}

static alterrec_status add_held(const groups *g) {
    static const char *const keys[GROUPS] = {"g0", "g1", "g2", "g3", "g4",  "g5",
                                             "g6", "g7", "g8", "g9", "g10", "g11"};
    return alterrec_model_add_items(g->model, keys, NULL, g->held, GROUPS);
}

START_TEST(new_items_rank_with_their_neighbours) {
    groups g;
    open_groups(&g);
    train_groups(&g, g.train);
    MUST(add_held(&g));
    /* By chance it would be 36; its own group has ranks 1 to 6. */
    double ranks[3] = {mean_rank(&g, ALTERREC_ID), mean_rank(&g, ALTERREC_TEXT),
                       mean_rank(&g, ALTERREC_FUSED)};
    for (int i = 0; i < 3; i++)
        ck_assert_double_lt(ranks[i], 10.0);
    close_groups(&g);
}
END_TEST

START_TEST(training_goes_on) {
    groups g;
    open_groups(&g);
    train_groups(&g, g.train);
    MUST(add_held(&g));
    alterrec_trainer *trainer;
    ck_assert_int_eq(alterrec_trainer_create(&trainer, g.model, g.train, NULL, NULL),
                     ALTERREC_ERROR_MISMATCH);
    const alterrec_catalog *catalog = alterrec_model_catalog(g.model);
    alterrec_sessions *sessions = group_sessions(&g, catalog, true);
    train_groups(&g, sessions);
    ck_assert_double_lt(mean_rank(&g, ALTERREC_ID), 10.0);
    ck_assert_double_lt(mean_rank(&g, ALTERREC_FUSED), 10.0);
    alterrec_sessions_free(sessions);
    close_groups(&g);
}
END_TEST

static void expect(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" without \"%s\"",
                  alterrec_last_error(), text);
}

static int32_t add_in_callback(const alterrec_progress *progress, void *user_data) {
    const groups *g = user_data;
    (void)progress;
    return add_held(g);
}

START_TEST(trainer_inside_a_call_keeps_the_model) {
    groups g;
    open_groups(&g);
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, g.model, g.train, NULL, NULL));
    MUST(alterrec_trainer_on_progress(trainer, add_in_callback, &g));
    ck_assert_int_eq(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_BUSY);
    ck_assert_ptr_eq(alterrec_model_catalog(g.model), g.catalog);
    MUST(alterrec_trainer_on_progress(trainer, NULL, NULL));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    alterrec_trainer_free(trainer);
    close_groups(&g);
}
END_TEST

START_TEST(older_trainer_fails_and_harms_nothing) {
    groups g;
    open_groups(&g);
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, g.model, g.train, g.train, NULL));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_trainer_batch(batch, trainer, 0));
    MUST(alterrec_trainer_step(NULL, trainer, batch, NULL));
    alterrec_sessions_free(g.train);
    alterrec_catalog_free(g.catalog);
    g.train = NULL;
    g.catalog = NULL;
    MUST(add_held(&g));
    alterrec_plan plan = {.struct_size = sizeof plan};
    for (int twice = 0; twice < 2; twice++) {
        expect(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_MISMATCH,
               "the model has got items since the trainer was made, 72 instead of 60");
        expect(alterrec_trainer_step(NULL, trainer, batch, NULL), ALTERREC_ERROR_MISMATCH, "_step");
        expect(alterrec_trainer_end_epoch(NULL, trainer), ALTERREC_ERROR_MISMATCH, "end_epoch");
        expect(alterrec_trainer_run(trainer), ALTERREC_ERROR_MISMATCH, "the model has got items");
        expect(alterrec_trainer_use_best(trainer), ALTERREC_ERROR_MISMATCH, "use_best");
        expect(alterrec_trainer_save(trainer, scratch_path("never")), ALTERREC_ERROR_MISMATCH,
               "save");
        expect(alterrec_trainer_resume(trainer, scratch_path("never")), ALTERREC_ERROR_MISMATCH,
               "resume");
        MUST(alterrec_trainer_plan(&plan, trainer));
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), 2);
    }
    alterrec_trainer_free(trainer);
    alterrec_batch_free(batch);
    ck_assert(isfinite(mean_rank(&g, ALTERREC_FUSED)));
    close_groups(&g);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("add_items_training");
    TCase *tests = tcase_create("add_items_training");
    tcase_add_checked_fixture(tests, scratch_open, scratch_close);
    tcase_add_test(tests, new_items_rank_with_their_neighbours);
    tcase_add_test(tests, training_goes_on);
    tcase_add_test(tests, trainer_inside_a_call_keeps_the_model);
    tcase_add_test(tests, older_trainer_fails_and_harms_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
