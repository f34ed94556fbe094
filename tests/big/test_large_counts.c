/* More than 2^31 interactions, and files that are really larger than 4 GiB: 11 GiB of memory, 5 GB
 * on the disk, some minutes. Built with -DALTERREC_BIG_TESTS=ON (tests/run.sh --big). */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "data/sessions.h"
#include "data/text_file.h"
#include "scratch.h"
#include "support/small_model.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { LENGTH = 50, ITEMS = 9, ROUND = 1 << 20 };

static const int64_t sessions_count = 45000000; /* of LENGTH items each: 2.25e9 interactions */

/* Item i of all sessions one behind the other: 0, 1, ..., 8, 0, 1, ... */
static int32_t item_at(int64_t i) {
    return (int32_t)(i % ITEMS);
}

static alterrec_catalog *new_catalog(void) {
    alterrec_catalog *catalog;
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, ITEMS)); /* keys "0".."8" */
    return catalog;
}

static void check_sessions(const alterrec_sessions *sessions) {
    const int64_t interactions = sessions_count * LENGTH;
    ck_assert_int_gt(interactions, 1LL << 31);
    ck_assert_int_eq(alterrec_sessions_count(sessions), sessions_count);
    ck_assert_int_eq(alterrec_sessions_interactions(sessions), interactions);
    for (int64_t s = sessions_count - 1; s >= 0; s -= 999983) {
        const int32_t *items;
        int64_t length;
        MUST(alterrec_sessions_get(&items, &length, sessions, s));
        ck_assert_int_eq(length, LENGTH);
        for (int64_t i = 0; i < length; i++)
            ck_assert_int_eq(items[i], item_at(s * LENGTH + i));
    }
    int64_t counts[ITEMS];
    ar_sessions_count_items(counts, sessions);
    for (int i = 0; i < ITEMS; i++)
        ck_assert_int_eq(counts[i], interactions / ITEMS);
}

/* An array of the items of all sessions that takes next to no memory: one round of them, mapped
 * again and again. */
static int32_t *map_items(size_t *size) {
    size_t round = (size_t)ROUND * ITEMS * sizeof(int32_t);
    size_t rounds = (size_t)(sessions_count * LENGTH) / (ROUND * ITEMS) + 1;
    const char *path = scratch_path("round");
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(file, (off_t)round), 0);
    int32_t *items = mmap(NULL, round, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ck_assert(items != MAP_FAILED);
    for (int64_t i = 0; i < ROUND * ITEMS; i++)
        items[i] = item_at(i);
    ck_assert_int_eq(munmap(items, round), 0);
    *size = rounds * round;
    char *all = mmap(NULL, *size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(all != MAP_FAILED);
    for (size_t r = 0; r < rounds; r++)
        ck_assert(mmap(all + r * round, round, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) !=
                  MAP_FAILED);
    ck_assert_int_eq(close(file), 0);
    return (int32_t *)all;
}

/* One step on the last batch of so many examples. */
static void train_on(const alterrec_sessions *sessions, const alterrec_catalog *catalog) {
    alterrec_config *config;
    alterrec_model *model;
    alterrec_trainer *trainer;
    alterrec_batch *batch;
    alterrec_step_report report = {.struct_size = sizeof report};
    MUST(alterrec_config_create(&config));
    MUST(alterrec_config_set(config, "model.dim", "8"));
    MUST(alterrec_config_set(config, "train.batch_size", "512"));
    MUST(alterrec_config_set(config, "schedule.system", "id"));
    MUST(alterrec_model_create(&model, catalog, config));
    MUST(alterrec_trainer_create(&trainer, model, sessions, NULL, NULL));
    const int64_t examples = sessions_count * (LENGTH - 1),
                  batches = alterrec_trainer_batches(trainer);
    ck_assert_int_gt(examples, 1LL << 31);
    ck_assert_int_ge(batches * (512 + LENGTH), examples);
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_trainer_batch(batch, trainer, batches - 1));
    MUST(alterrec_trainer_step(&report, trainer, batch, NULL));
    ck_assert_int_eq(report.examples, alterrec_batch_examples(batch));
    alterrec_batch_free(batch);
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    alterrec_config_free(config);
}

START_TEST(interactions_from_arrays) {
    size_t size;
    alterrec_catalog *catalog = new_catalog();
    alterrec_sessions *sessions;
    int32_t *items = map_items(&size);
    int64_t *offsets = ar_new(sessions_count + 1, sizeof *offsets);
    for (int64_t s = 0; s <= sessions_count; s++)
        offsets[s] = s * LENGTH;
    MUST(alterrec_sessions_create(&sessions, catalog, items, offsets, sessions_count));
    ar_free(offsets);
    ck_assert_int_eq(munmap(items, size), 0);
    check_sessions(sessions);
    train_on(sessions, catalog);
    alterrec_sessions_free(sessions);
    alterrec_catalog_free(catalog);
}
END_TEST

/* Lines of LENGTH keys of one byte: LENGTH * 2 bytes each. */
static const char *write_lines(void) {
    enum { LINES = ITEMS * 1000 };
    static char lines[LINES * LENGTH * 2];
    for (int64_t i = 0; i < LINES * LENGTH; i++) {
        lines[2 * i] = (char)('0' + item_at(i));
        lines[2 * i + 1] = i % LENGTH == LENGTH - 1 ? '\n' : ' ';
    }
    const char *path = scratch_path("sessions.txt");
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (int64_t l = 0; l < sessions_count; l += LINES)
        ck_assert_uint_eq(fwrite(lines, sizeof lines, 1, file), 1);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

START_TEST(interactions_from_a_file) {
    alterrec_catalog *catalog = new_catalog();
    alterrec_sessions *sessions;
    const char *path = write_lines();
    MUST(alterrec_sessions_read(&sessions, catalog, path, NULL));
    check_sessions(sessions);
    alterrec_sessions_free(sessions);
    alterrec_catalog_free(catalog);
}
END_TEST

START_TEST(errors_behind_4_gib_have_a_place) {
    static const char end[] = "\n0 1\n2 \xff\n";
    const int64_t hole = 5LL << 30;
    const char *path = scratch_write("text", "0 1\n");
    int file = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(file, end, strlen(end), (off_t)hole), (ssize_t)strlen(end));
    ck_assert_int_eq(close(file), 0);
    ar_text_file text;
    MUST(ar_text_file_open(&text, path));
    const char *place = text.begin + hole;
    (void)ar_text_file_at(&text, place, ar_fail(ALTERREC_ERROR_PARSE, "what is wrong"));
    char expected[600];
    (void)snprintf(expected, sizeof expected, "%s:2:%lld: what is wrong", path,
                   (long long)(hole - 4 + 1));
    ck_assert_str_eq(alterrec_last_error(), expected);
    ck_assert_int_eq(ar_text_file_check(&text, place, text.end), ALTERREC_ERROR_PARSE);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), ":4:3: "));
    ar_text_file_close(&text);
}
END_TEST

static float feature_at(int64_t i) {
    return (float)(i % 8191) * 0x1p-13f;
}

/* A model file of more than 4 GiB, by its text features: written, read, verified. */
START_TEST(models_are_as_large) {
    const int64_t items = 1100000, dim = 1024;
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model;
    float *features = ar_new(items * dim, sizeof *features);
    ck_assert_ptr_nonnull(features);
    for (int64_t i = 0; i < items * dim; i++)
        features[i] = feature_at(i);
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, items));
    MUST(alterrec_catalog_set_features(catalog, features, items, dim));
    ar_free(features);
    MUST(alterrec_config_create(&config));
    MUST(alterrec_config_set(config, "model.dim", "8"));
    MUST(alterrec_model_create(&model, catalog, config));
    const char *path = scratch_path("large.safetensors");
    MUST(alterrec_model_save(model, path));
    alterrec_model_free(model);
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
    MUST(alterrec_model_load(&model, path));
    const float *loaded = alterrec_catalog_features(alterrec_model_catalog(model));
    for (int64_t i = 0; i < items * dim; i++)
        if (loaded[i] != feature_at(i))
            ck_abort_msg("value %lld of the features is another one", (long long)i);
    ck_assert_int_eq(alterrec_catalog_find(alterrec_model_catalog(model), "1099999"), 1099999);
    alterrec_model_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("large_counts");
    TCase *group = tcase_create("large_counts");
    tcase_set_timeout(group, 1200);
    tcase_add_checked_fixture(group, scratch_open, scratch_close);
    tcase_add_test(group, interactions_from_arrays);
    tcase_add_test(group, interactions_from_a_file);
    tcase_add_test(group, errors_behind_4_gib_have_a_place);
    tcase_add_test(group, models_are_as_large);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
