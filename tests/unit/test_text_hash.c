/* Hashed text features: the weights by a second way of computing them, the letters, the speed. */
#include "core/memory.h"
#include "core/threads.h"
#include "data/catalog.h"
#include "data/letters.h"
#include "data/text_hash.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static alterrec_config *config;
static alterrec_catalog *catalog;

static void set_up(void) {
    ck_assert_int_eq(alterrec_config_create(&config), ALTERREC_OK);
}

static void tear_down(void) {
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
}

static void set(const char *key, const char *value) {
    ck_assert_int_eq(alterrec_config_set(config, key, value), ALTERREC_OK);
}

/* Makes the catalog of these texts and hashes them. */
static void hash(const char *const *texts, int64_t count) {
    alterrec_catalog_free(catalog);
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, texts, count), ALTERREC_OK);
    ck_assert_msg(alterrec_catalog_hash_features(catalog, config) == ALTERREC_OK, "%s",
                  alterrec_last_error());
}

static const float *row(int64_t item) {
    return catalog->features + item * catalog->feature_dim;
}

static double dot(int64_t a, int64_t b) {
    double sum = 0.0;
    for (int64_t i = 0; i < catalog->feature_dim; i++)
        sum += (double)row(a)[i] * (double)row(b)[i];
    return sum;
}

START_TEST(test_rows_have_length_one) {
    const char *texts[] = {"red cotton shirt", "", "blue cotton shirt", " -- !", "a", NULL};
    hash(texts, 6);
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog), 512);
    ck_assert_double_eq_tol(dot(0, 0), 1.0, 1e-6);
    ck_assert_double_eq_tol(dot(2, 2), 1.0, 1e-6);
    ck_assert_double_eq_tol(dot(4, 4), 1.0, 1e-6);
    ck_assert_double_eq(dot(1, 1), 0.0);
    ck_assert_double_eq(dot(3, 3), 0.0);
    ck_assert_double_eq(dot(5, 5), 0.0);
}
END_TEST

START_TEST(test_likeness) {
    const char *texts[] = {"red cotton shirt", "Red COTTON, shirt!", "blue cotton shirt",
                           "electric water kettle", "cottons and shirts"};
    hash(texts, 5);
    ck_assert_double_eq_tol(dot(0, 1), 1.0, 1e-6); /* case and punctuation do not count */
    ck_assert_double_gt(dot(0, 2), 0.3);
    ck_assert_double_lt(fabs(dot(0, 3)), 0.2);
    ck_assert_double_gt(dot(0, 4), dot(0, 3) + 0.05); /* characters see the words' stems */
}
END_TEST

/* With words alone and far more buckets than words, a row's dot products follow from the formula.
 */
START_TEST(test_weights) {
    const char *texts[] = {"aa aa aa bb", "bb cc", "aa dd", "ee"};
    set("text.word_ngrams", "1");
    set("text.char_max", "0");
    set("text.dim", "65536");
    hash(texts, 4);
    double idf_two = log(5.0 / 3.0) + 1.0, idf_one = log(5.0 / 2.0) + 1.0;
    double aa = (1.0 + log(3.0)) * idf_two, bb = idf_two;
    double length_0 = sqrt(aa * aa + bb * bb), length = hypot(idf_two, idf_one);
    ck_assert_double_eq_tol(dot(0, 1), bb / length_0 * idf_two / length, 1e-6);
    ck_assert_double_eq_tol(dot(0, 2), aa / length_0 * idf_two / length, 1e-6);
    ck_assert_double_eq(dot(0, 3), 0.0);
    ck_assert_double_eq(dot(1, 2), 0.0);

    set("text.tfidf", "false");
    hash(texts, 4);
    aa = 1.0 + log(3.0);
    ck_assert_double_eq_tol(dot(0, 1), 1.0 / hypot(aa, 1.0) / sqrt(2.0), 1e-6);
    ck_assert_double_eq_tol(dot(0, 2), aa / hypot(aa, 1.0) / sqrt(2.0), 1e-6);
}
END_TEST

START_TEST(test_ngrams) {
    set("text.dim", "65536");
    set("text.tfidf", "false");
    set("text.char_max", "0");
    set("text.word_ngrams", "2");
    const char *texts[] = {"aa bb cc", "bb cc aa", "cc bb aa"};
    hash(texts, 3);
    ck_assert_double_eq_tol(dot(0, 1), 4.0 / 5.0, 1e-6); /* aa, bb, cc, bb cc of five */
    ck_assert_double_eq_tol(dot(0, 2), 3.0 / 5.0, 1e-6);

    set("text.word_ngrams", "0");
    set("text.char_min", "3");
    set("text.char_max", "3");
    const char *words[] = {"abcd", "xbcd", "a b", "abc d"};
    hash(words, 4);
    ck_assert_double_eq_tol(dot(0, 1), 2.0 / 4.0, 1e-6);             /* bcd, cd_ of four */
    ck_assert_double_eq_tol(dot(0, 2), 0.0, 1e-6);                   /* _a_ and _b_ */
    ck_assert_double_eq_tol(dot(0, 3), 2.0 / sqrt(4.0 * 4.0), 1e-6); /* _ab, abc of four */

    /* A marked word shorter than char_min is one n-gram. */
    set("text.char_min", "5");
    set("text.char_max", "6");
    const char *brief[] = {"a bc", "a", "bc", "d"};
    hash(brief, 4);
    ck_assert_double_eq_tol(dot(0, 1), 1.0 / sqrt(2.0), 1e-6);
    ck_assert_double_eq_tol(dot(0, 2), 1.0 / sqrt(2.0), 1e-6);
    ck_assert_double_eq(dot(1, 3), 0.0);

    /* A boundary mark alone says nothing. */
    set("text.char_min", "1");
    set("text.char_max", "1");
    const char *single[] = {"ab", "cd", "ba"};
    hash(single, 3);
    ck_assert_double_eq(dot(0, 1), 0.0);
    ck_assert_double_eq_tol(dot(0, 2), 1.0, 1e-6);
}
END_TEST

START_TEST(test_kinds_weigh_alike) {
    set("text.dim", "65536");
    /* The same words in another order: all characters and all single words in common. */
    const char *texts[] = {"wordone wordtwo", "wordtwo wordone"};
    set("text.tfidf", "false");
    hash(texts, 2);
    ck_assert_double_eq_tol(dot(0, 1), (1.0 + 2.0 / 3.0) / 2.0, 1e-3);
}
END_TEST

static uint64_t bits(void) {
    uint64_t sum = 0;
    for (int64_t i = 0; i < catalog->items * catalog->feature_dim; i++) {
        uint32_t word;
        memcpy(&word, &catalog->features[i], 4);
        sum = sum * 31 + word;
    }
    return sum;
}

START_TEST(test_deterministic) {
    const char *texts[] = {"Caf\xC3\xA9 cr\xC3\xA8me", "\xE6\x9D\xB1\xE4\xBA\xAC\xE3\x80\x80tower",
                           "red cotton shirt", "blue cotton shirt"};
    hash(texts, 4);
    uint64_t first = bits();
    ck_assert_int_eq(alterrec_catalog_hash_features(catalog, config), ALTERREC_OK);
    ck_assert_uint_eq(bits(), first);
    /* Hashes are the same on every machine: this word stands in this bucket with this sign. */
    set("text.char_max", "0");
    set("text.dim", "64");
    const char *one[] = {"shirt"};
    hash(one, 1);
    for (int64_t i = 0; i < 64; i++)
        ck_assert_double_eq((double)row(0)[i], i == 1 ? 1.0 : 0.0);
}
END_TEST

START_TEST(test_letters) {
    static const char *const pairs[][2] = {
        {"AZ", "az"},
        {"\xC3\x80\xC3\x96\xC3\x98\xC3\x9E", "\xC3\xA0\xC3\xB6\xC3\xB8\xC3\xBE"},
        {"\xC4\x80\xC4\xB9\xC5\x81\xC5\x8A\xC5\xB9\xC5\xBD",
         "\xC4\x81\xC4\xBA\xC5\x82\xC5\x8B\xC5\xBA\xC5\xBE"},
        {"\xC5\xB8", "\xC3\xBF"},
        {"\xC4\xB0", "i"},
        {"\xCE\x86\xCE\x88\xCE\x8A\xCE\x8C\xCE\x8E\xCE\x8F\xCE\x91\xCE\xA9\xCE\xAB",
         "\xCE\xAC\xCE\xAD\xCE\xAF\xCF\x8C\xCF\x8D\xCF\x8E\xCE\xB1\xCF\x89\xCF\x8B"},
        {"\xD0\x80\xD0\x81\xD0\x8F\xD0\x90\xD0\xAF\xD2\x90\xD3\x80",
         "\xD1\x90\xD1\x91\xD1\x9F\xD0\xB0\xD1\x8F\xD2\x91\xD3\x8F"}};
    set("text.word_ngrams", "1");
    set("text.char_max", "0");
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        hash(pairs[i], 2);
        ck_assert_double_eq_tol(dot(0, 1), 1.0, 1e-6);
    }
    for (uint32_t c = 0; c < 0x3000; c++)
        ck_assert_uint_eq(ar_letter_lower(ar_letter_lower(c)), ar_letter_lower(c));
    ck_assert_uint_eq(ar_letter_lower(0xD7), 0xD7);
    ck_assert_uint_eq(ar_letter_lower(0xDF), 0xDF);
    ck_assert_uint_eq(ar_letter_lower(0x138), 0x138);
    ck_assert(ar_letter_in_word('z') && ar_letter_in_word('0') && ar_letter_in_word(0xE9) &&
              ar_letter_in_word(0x6771) && ar_letter_in_word(0x1F600));
    ck_assert(!ar_letter_in_word(' ') && !ar_letter_in_word('_') && !ar_letter_in_word(0xA0) &&
              !ar_letter_in_word(0x2014) && !ar_letter_in_word(0x3000) &&
              !ar_letter_in_word(0xFF0C));
}
END_TEST

START_TEST(test_refusals_keep_the_features) {
    const char *texts[] = {"red", "blue"};
    hash(texts, 2);
    uint64_t before = bits();
    set("text.char_min", "6");
    ck_assert_int_eq(alterrec_catalog_hash_features(catalog, config),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_str_eq(alterrec_last_error(), "alterrec_catalog_hash_features: text.char_min is 6, "
                                            "above text.char_max, 5");
    set("text.char_max", "0");
    set("text.word_ngrams", "0");
    ck_assert_int_eq(alterrec_catalog_hash_features(catalog, config),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(alterrec_catalog_hash_features(NULL, config), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_uint_eq(bits(), before);
    ck_assert_int_eq(alterrec_catalog_hash_features(catalog, NULL), ALTERREC_OK);
    ck_assert_uint_eq(bits(), before);

    alterrec_catalog_free(catalog);
    ck_assert_int_eq(alterrec_catalog_create(&catalog, NULL, NULL, 2), ALTERREC_OK);
    ck_assert_int_eq(alterrec_catalog_hash_features(catalog, NULL), ALTERREC_ERROR_MISMATCH);
    ck_assert_str_eq(alterrec_last_error(),
                     "alterrec_catalog_hash_features: the catalog has no texts");
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog), 0);
}
END_TEST

START_TEST(test_out_of_memory) {
    const char *texts[] = {"red cotton shirt with a long description", "blue"};
    hash(texts, 2);
    uint64_t before = bits();
    int64_t n = 1;
    for (;; n++) {
        ar_memory_fail_after(n);
        alterrec_status status = alterrec_catalog_hash_features(catalog, config);
        ar_memory_fail_after(0);
        ck_assert_uint_eq(bits(), before);
        if (status == ALTERREC_OK)
            break;
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

/* A shop's worth of titles; the bound is generous, for slow machines and sanitizers. */
START_TEST(test_many_titles) {
    enum { TITLES = 50000, WORDS = 5000 };
    const char **texts = malloc(TITLES * sizeof *texts);
    char *text = malloc(TITLES * 80), *end = text;
    uint32_t state = 1;
    for (int i = 0; i < TITLES; i++) {
        texts[i] = end;
        for (int j = 0; j < 6; j++) {
            state = state * 1664525 + 1013904223;
            end += sprintf(end, "%sword%u", j > 0 ? " " : "", (state >> 8) % WORDS * 7919);
        }
        end++;
    }
    double start = ar_clock_seconds();
    hash(texts, TITLES);
    double seconds = ar_clock_seconds() - start;
    ck_assert_double_lt(seconds, 60.0);
    free(texts);
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("text_hash");
    TCase *cases = tcase_create("text_hash");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_rows_have_length_one);
    tcase_add_test(cases, test_likeness);
    tcase_add_test(cases, test_weights);
    tcase_add_test(cases, test_ngrams);
    tcase_add_test(cases, test_kinds_weigh_alike);
    tcase_add_test(cases, test_deterministic);
    tcase_add_test(cases, test_letters);
    tcase_add_test(cases, test_refusals_keep_the_features);
    tcase_add_test(cases, test_out_of_memory);
    tcase_add_test(cases, test_many_titles);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
