/* Structs of hosts that were built with another version: what is taken, filled, read, left alone.
 */
#include "core/host_struct.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A struct as 0.1 knew it, and as it has grown to. */
typedef struct first_version {
    uint32_t struct_size;
    int32_t small;
    int64_t large;
} first_version;

typedef struct this_version {
    uint32_t struct_size;
    int32_t small;
    int64_t large;
    double second[2];
    int64_t third;
} this_version;

typedef struct later_version {
    this_version known;
    char later[12];
} later_version;

static const ar_host_struct about = {
    .name = "a_struct", .least = sizeof(first_version), .known = sizeof(this_version)};

static const this_version full = {
    .struct_size = sizeof full, .small = 3, .large = 5, .second = {7.5, 8.5}, .third = 9};

START_TEST(what_is_smaller_than_the_first_version_is_refused) {
    this_version host = {0};
    for (uint32_t size = 0; size < sizeof(first_version); size++) {
        host.struct_size = size;
        ck_assert_int_eq(ar_host_struct_check(&about, &host, "alterrec_do"),
                         ALTERREC_ERROR_INVALID_ARGUMENT);
    }
    ck_assert_str_eq(alterrec_last_error(),
                     "alterrec_do: a_struct: struct_size is 15, at least 16 is expected: set it to "
                     "sizeof the struct before the call");
}
END_TEST

START_TEST(every_size_from_there_on_is_taken) {
    this_version host = {0};
    static const uint32_t sizes[] = {sizeof(first_version), sizeof(this_version) - 8,
                                     sizeof(this_version), sizeof(later_version), UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        host.struct_size = sizes[i];
        ck_assert_int_eq(ar_host_struct_check(&about, &host, "alterrec_do"), ALTERREC_OK);
    }
}
END_TEST

/* The bytes behind the size that the host gave are its own: it may have nothing there. */
START_TEST(an_older_host_is_filled_as_far_as_it_knows) {
    for (uint32_t size = sizeof(first_version); size <= sizeof(this_version); size++) {
        this_version host;
        memset(&host, 0x55, sizeof host);
        host.struct_size = size;
        this_version expected = host;
        memcpy((char *)&expected + 4, (const char *)&full + 4, size - 4);
        ar_host_struct_fill(&host, &full, &about);
        ck_assert_mem_eq(&host, &expected, sizeof host);
        ck_assert_uint_eq(host.struct_size, size);
    }
}
END_TEST

START_TEST(a_later_host_keeps_its_size_and_what_it_alone_knows) {
    later_version host;
    memset(&host, 0x55, sizeof host);
    host.known.struct_size = sizeof host;
    later_version expected = host;
    expected.known = full;
    expected.known.struct_size = sizeof host;
    ar_host_struct_fill(&host, &full, &about);
    ck_assert_mem_eq(&host, &expected, sizeof host);
}
END_TEST

START_TEST(what_an_older_host_does_not_say_is_0) {
    this_version host = full, read;
    memset(&read, 0x55, sizeof read);
    host.struct_size = sizeof(first_version);
    ar_host_struct_read(&read, &host, &about);
    this_version expected = {.struct_size = sizeof read, .small = 3, .large = 5};
    ck_assert_mem_eq(&read, &expected, sizeof read);
    host.struct_size = offsetof(this_version, third);
    ar_host_struct_read(&read, &host, &about);
    expected = full;
    expected.third = 0;
    ck_assert_mem_eq(&read, &expected, sizeof read);
}
END_TEST

START_TEST(what_a_later_host_says_is_read_as_far_as_it_is_known) {
    later_version host = {.known = full, .later = "beyond"};
    host.known.struct_size = sizeof host;
    this_version read;
    memset(&read, 0x55, sizeof read);
    ar_host_struct_read(&read, &host, &about);
    ck_assert_mem_eq(&read, &full, sizeof read);
}
END_TEST

/* The sizes of 0.1 on a machine of 64 bits, which hosts in the world were built with. */
START_TEST(the_least_sizes_stay) {
    static const struct {
        const ar_host_struct *about;
        uint32_t least;
        const char *name;
    } first[] = {{&ar_option_struct, 48, "alterrec_option"},
                 {&ar_data_report_struct, 160, "alterrec_data_report"},
                 {&ar_tensor_struct, 40, "alterrec_tensor"},
                 {&ar_plan_struct, 88, "alterrec_plan"},
                 {&ar_epoch_report_struct, 128, "alterrec_epoch_report"},
                 {&ar_step_report_struct, 192, "alterrec_step_report"},
                 {&ar_search_struct, 40, "alterrec_search"},
                 {&ar_search_report_struct, 32, "alterrec_search_report"}};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        ck_assert_str_eq(first[i].about->name, first[i].name);
        ck_assert_uint_eq(first[i].about->least, first[i].least);
        ck_assert_uint_ge(first[i].about->known, first[i].least);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("host_struct");
    TCase *cases = tcase_create("host_struct");
    tcase_add_test(cases, what_is_smaller_than_the_first_version_is_refused);
    tcase_add_test(cases, every_size_from_there_on_is_taken);
    tcase_add_test(cases, an_older_host_is_filled_as_far_as_it_knows);
    tcase_add_test(cases, a_later_host_keeps_its_size_and_what_it_alone_knows);
    tcase_add_test(cases, what_an_older_host_does_not_say_is_0);
    tcase_add_test(cases, what_a_later_host_says_is_read_as_far_as_it_is_known);
    tcase_add_test(cases, the_least_sizes_stay);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
