/* What a save replaces, and what it leaves alone: files, symbolic links, pipes, devices, folders.
 */
#include "core/file.h"
#include "scratch.h"

#include <alterrec/alterrec.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

static alterrec_config *config;

static void open_all(void) {
    scratch_open();
    MUST(alterrec_config_create(&config));
}

static void close_all(void) {
    alterrec_config_free(config);
    scratch_close();
}

static mode_t mode_of(const char *path) {
    struct stat info;
    ck_assert_int_eq(lstat(path, &info), 0);
    return info.st_mode;
}

static void check_saved(const char *path) {
    MUST(alterrec_config_read(config, path));
}

/* Twice, as nothing may have changed by the first time. */
static void check_refused(const char *path, const char *reason) {
    int files = scratch_count();
    mode_t mode = mode_of(path);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(alterrec_config_write(config, path), ALTERREC_ERROR_IO);
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), path));
        ck_assert_msg(strstr(alterrec_last_error(), reason) != NULL, "%s", alterrec_last_error());
        ck_assert_uint_eq(mode_of(path), mode);
        ck_assert_int_eq(scratch_count(), files);
    }
}

START_TEST(a_pipe_stays) {
    const char *path = scratch_path("pipe"), *link = scratch_path("link");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(symlink("pipe", link), 0);
    check_refused(path, "is not a regular file");
    check_refused(link, "is not a regular file");
}
END_TEST

/* By a link: a save that should ever replace one replaces the link and no device. */
START_TEST(a_device_stays) {
    const char *link = scratch_path("null");
    ck_assert_int_eq(symlink("/dev/null", link), 0);
    check_refused(link, "is not a regular file");
    ck_assert(S_ISCHR(mode_of("/dev/null")));
}
END_TEST

START_TEST(a_folder_stays) {
    const char *path = scratch_path("folder");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    check_refused(path, "is a directory");
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* Refused when the writer is opened, not when all is written. */
START_TEST(nothing_is_written_before_it_is_refused) {
    const char *path = scratch_path("pipe");
    ar_writer writer;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(ar_writer_open(&writer, path), ALTERREC_ERROR_IO);
    ck_assert_int_eq(ar_writer_open(&writer, scratch_path("missing/file")), ALTERREC_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "missing/file: cannot open its folder"));
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(a_link_stays_and_its_file_is_replaced) {
    const char *file = scratch_write("file", "before"), *link = scratch_path("link");
    const char *second = scratch_path("second");
    ck_assert_int_eq(symlink(file, link), 0);
    ck_assert_int_eq(symlink("link", second), 0);
    MUST(alterrec_config_write(config, second));
    ck_assert(S_ISLNK(mode_of(link)));
    ck_assert(S_ISLNK(mode_of(second)));
    check_saved(file);
    ck_assert_int_eq(scratch_count(), 3);
}
END_TEST

START_TEST(a_link_to_nothing_has_its_file_made) {
    const char *folder = scratch_path("folder"), *file = scratch_path("folder/file");
    const char *link = scratch_path("link"), *back = scratch_path("folder/back");
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(symlink("folder/back", link), 0);
    ck_assert_int_eq(symlink("../folder/file", back), 0);
    MUST(alterrec_config_write(config, link));
    ck_assert(S_ISLNK(mode_of(link)));
    ck_assert(S_ISLNK(mode_of(back)));
    ck_assert(S_ISREG(mode_of(file)));
    check_saved(file);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(unlink(back), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(links_in_a_ring_are_an_error) {
    const char *link = scratch_path("ring");
    ck_assert_int_eq(symlink("ring", link), 0);
    check_refused(link, "ring");
}
END_TEST

START_TEST(a_new_file_obeys_the_umask) {
    static const mode_t masks[] = {077, 027, 022, 0};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        const char *path = scratch_path("new");
        (void)umask(masks[i]);
        MUST(alterrec_config_write(config, path));
        ck_assert_uint_eq(mode_of(path) & 07777, 0666 & ~masks[i]);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(a_replaced_file_keeps_its_mode) {
    static const mode_t modes[] = {0600, 0640, 0664, 0444};
    const char *path = scratch_write("old", "before");
    (void)umask(077);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        MUST(alterrec_config_write(config, path));
        ck_assert_uint_eq(mode_of(path) & 07777, modes[i]);
    }
    check_saved(path);
}
END_TEST

/* A folder that may be changed but not opened can't be synced: the old file is still there. */
START_TEST(what_can_not_be_synced_is_not_replaced) {
    const char *path = scratch_write("file", "before");
    uid_t user = geteuid();
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(chmod(scratch_folder, 0333), 0);
    if (user == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    alterrec_status status = alterrec_config_write(config, path);
    if (user == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(scratch_folder, 0700), 0);
    ck_assert_int_eq(status, ALTERREC_ERROR_IO);
    size_t size;
    char *text = scratch_read(path, &size);
    ck_assert_uint_eq(size, 6);
    ck_assert_int_eq(memcmp(text, "before", 6), 0);
    free(text);
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

/* As a process that is killed while it saves leaves them; their names are no hindrance. */
START_TEST(files_in_the_making_have_names_of_their_own) {
    const char *path = scratch_path("file");
    ar_writer writers[8];
    for (int i = 0; i < 8; i++)
        MUST(ar_writer_open(&writers[i], path));
    ck_assert_int_eq(scratch_count(), 8);
    for (int i = 0; i < 8; i++) {
        size_t length = strlen(writers[i].temporary.bytes);
        ck_assert_uint_eq(length, strlen(path) + strlen(".XXXXXX.tmp"));
        ck_assert_int_eq(memcmp(writers[i].temporary.bytes, path, strlen(path)), 0);
        ar_writer_put(&writers[i], "whole", 5);
        MUST(ar_writer_commit(&writers[i]));
    }
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("file");
    tcase_add_checked_fixture(cases, open_all, close_all);
    tcase_add_test(cases, a_pipe_stays);
    tcase_add_test(cases, a_device_stays);
    tcase_add_test(cases, a_folder_stays);
    tcase_add_test(cases, nothing_is_written_before_it_is_refused);
    tcase_add_test(cases, a_link_stays_and_its_file_is_replaced);
    tcase_add_test(cases, a_link_to_nothing_has_its_file_made);
    tcase_add_test(cases, links_in_a_ring_are_an_error);
    tcase_add_test(cases, a_new_file_obeys_the_umask);
    tcase_add_test(cases, a_replaced_file_keeps_its_mode);
    tcase_add_test(cases, what_can_not_be_synced_is_not_replaced);
    tcase_add_test(cases, files_in_the_making_have_names_of_their_own);
    Suite *suite = suite_create("file");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
