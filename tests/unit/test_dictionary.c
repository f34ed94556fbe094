/* The dictionary of keys and the cache before it. */
#include "core/dictionary.h"
#include "core/memory.h"
#include "core/random.h"
#include "data/key_cache.h"
#include "support/numbers.h"

#include <stdio.h>

enum { KEYS = 60000, SIZE = 24 };

/* Key i: distinct, of 1 to 20 bytes; some are beginnings of others. */
static size_t make_key(char *key, int i) {
    static const char tail[] = "-abcdefgh-klm";
    return (size_t)snprintf(key, SIZE, "%x%.*s", i, i % 14, tail);
}

START_TEST(numbers_go_by_insertion) {
    ar_dictionary dictionary = {0};
    char key[SIZE];
    int64_t number;
    ck_assert_int_eq(ar_dictionary_find(&dictionary, "a", 1), -1);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < KEYS; i++) {
            size_t length = make_key(key, i);
            if (round == 0)
                HOLDS(ar_dictionary_find(&dictionary, key, length) == -1, "%s is there", key);
            ck_assert_int_eq(ar_dictionary_insert(&dictionary, &number, key, length), ALTERREC_OK);
            HOLDS(number == i, "%s has number %d", key, (int)number);
            ar_dictionary_prefetch(&dictionary, key, length);
        }
    ck_assert_int_eq(dictionary.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        size_t length = make_key(key, i);
        HOLDS(ar_dictionary_find(&dictionary, key, length) == i, "%s is lost", key);
        HOLDS(ar_dictionary_key_length(&dictionary, i) == length, "%s", key);
        ck_assert_str_eq(ar_dictionary_key(&dictionary, i), key);
    }
    /* A key may hold any byte, and the empty one is one too. */
    ck_assert_int_eq(ar_dictionary_insert(&dictionary, &number, "1\0", 2), ALTERREC_OK);
    ck_assert_int_eq(number, KEYS);
    ck_assert_int_eq(ar_dictionary_insert(&dictionary, &number, "", 0), ALTERREC_OK);
    ck_assert_int_eq(number, KEYS + 1);
    ar_dictionary_free(&dictionary);
}
END_TEST

/* The length that a plain loop finds. */
static size_t plain_length(const char *text) {
    size_t length = 0;
    while ((unsigned char)text[length] > ' ')
        length++;
    return length;
}

START_TEST(keys_are_taken_up_to_what_parts_them) {
    ar_random random;
    ar_random_seed(&random, 21);
    for (int round = 0; round < 20000; round++) {
        char text[2 * AR_KEY_CACHE_READ];
        for (int i = 0; i < (int)sizeof text; i++)
            text[i] = (char)(ar_random_below(&random, 10) == 0
                                 ? 1 + ar_random_below(&random, ' ')
                                 : '!' + ar_random_below(&random, 256 - '!'));
        text[sizeof text - 1] = '\n';
        ar_cached_key taken;
        size_t length = 99, expected = plain_length(text);
        bool fits = ar_key_cache_take(&taken, &length, text);
        HOLDS(fits == (expected <= AR_KEY_CACHE_LONGEST), "a key of %zu bytes", expected);
        if (!fits || expected == 0)
            continue;
        HOLDS(length == expected, "%zu, not %zu", length, expected);
        ar_cached_key same = ar_key_cache_key(text, length);
        ck_assert(same.low == taken.low && same.high == taken.high);
        text[length - 1] ^= 1;
        ar_cached_key other = ar_key_cache_key(text, length);
        ck_assert(other.low != taken.low || other.high != taken.high);
    }
}
END_TEST

/* A cache may forget, but what it says is right; and it forgets little. */
START_TEST(the_cache_is_never_wrong) {
    ar_key_cache cache;
    int found = 0, short_keys = 0;
    ck_assert_int_eq(ar_key_cache_create(&cache), ALTERREC_OK);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < KEYS; i++) {
            char key[SIZE + AR_KEY_CACHE_READ] = "";
            size_t length = make_key(key, i);
            if (length > AR_KEY_CACHE_LONGEST)
                continue;
            ar_cached_key wanted = ar_key_cache_key(key, length);
            int32_t number = ar_key_cache_find(&cache, &wanted);
            if (round == 0) {
                HOLDS(number == -1, "%s has number %d already", key, number);
                ck_assert_int_eq(ar_key_cache_insert(&cache, &wanted, i), ALTERREC_OK);
            } else {
                HOLDS(number == i || number == -1, "%s has number %d", key, number);
                short_keys++;
                found += number == i;
            }
        }
    HOLDS(found > short_keys * 9 / 10, "%d of %d are kept", found, short_keys);
    ar_key_cache_free(&cache);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("dictionary");
    tcase_add_test(group, numbers_go_by_insertion);
    tcase_add_test(group, keys_are_taken_up_to_what_parts_them);
    tcase_add_test(group, the_cache_is_never_wrong);
    return run_tests(group, "dictionary");
}
