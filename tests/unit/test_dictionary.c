/* The dictionary of keys and the cache before it. */
#include "core/dictionary.h"
#include "core/memory.h"
#include "core/random.h"
#include "data/key_cache.h"
#include "support/numbers.h"

#include <stdio.h>
#include <stdlib.h>

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

/* Chosen keys are a dictionary as if they had been inserted one by one, to the last slot. */
START_TEST(chosen_keys_make_a_dictionary) {
    ar_dictionary all = {0}, inserted = {0}, chosen = {0};
    static int32_t numbers[KEYS];
    char key[SIZE];
    int64_t number, count = 0;
    for (int i = 0; i < KEYS; i++)
        ck_assert_int_eq(ar_dictionary_insert(&all, &number, key, make_key(key, i)), ALTERREC_OK);
    for (int i = 0; i < KEYS; i++) {
        if (i % 3 == 0)
            continue;
        numbers[count++] = (int32_t)((int64_t)i * 7919 % KEYS);
        size_t length = make_key(key, numbers[count - 1]);
        ck_assert_int_eq(ar_dictionary_insert(&inserted, &number, key, length), ALTERREC_OK);
    }
    ck_assert_int_eq(ar_dictionary_choose(&chosen, &all, numbers, count), ALTERREC_OK);
    ck_assert_int_eq(chosen.count, inserted.count);
    ck_assert_int_eq(chosen.text_used, inserted.text_used);
    ck_assert_int_eq(chosen.slot_count, inserted.slot_count);
    ck_assert_mem_eq(chosen.text, inserted.text, (size_t)chosen.text_used);
    ck_assert_mem_eq(chosen.starts, inserted.starts, (size_t)count * sizeof *chosen.starts);
    ck_assert_mem_eq(chosen.slots, inserted.slots,
                     (size_t)chosen.slot_count * sizeof *chosen.slots);
    ar_dictionary_free(&all);
    ar_dictionary_free(&inserted);
    ar_dictionary_free(&chosen);
}
END_TEST

/* What follows a key does not matter, each of its bytes does, and what is a number has its value.
 */
START_TEST(keys_are_taken_whole) {
    ar_random random;
    ar_random_seed(&random, 21);
    for (int round = 0; round < 40000; round++) {
        char text[AR_KEY_CACHE_READ], digits[AR_KEY_CACHE_READ] = "";
        size_t length = 1 + ar_random_below(&random, AR_KEY_CACHE_LONGEST);
        bool number = length <= 8;
        for (size_t i = 0; i < sizeof text; i++) {
            text[i] =
                (char)(ar_random_below(&random, 50) > 0 ? '0' + ar_random_below(&random, 10)
                                                        : '!' + ar_random_below(&random, 223));
            if (i < length) {
                digits[i] = text[i];
                number = number && text[i] >= (i == 0 ? '1' : '0') && text[i] <= '9';
            }
        }
        ar_cached_key taken = ar_key_cache_key(text, length);
        HOLDS(taken.value == (number ? (uint32_t)atoi(digits) : AR_KEY_NO_VALUE), "%s has value %u",
              digits, taken.value);
        text[length] ^= 1;
        ar_cached_key same = ar_key_cache_key(text, length);
        ck_assert(same.low == taken.low && same.high == taken.high && same.value == taken.value);
        text[ar_random_below(&random, (uint32_t)length)] ^= 1;
        ar_cached_key other = ar_key_cache_key(text, length);
        ck_assert(other.low != taken.low || other.high != taken.high);
    }
}
END_TEST

/* A cache may forget, but what it says is right; and it forgets little. */
START_TEST(the_cache_is_never_wrong) {
    /* So that there are values with and without a place of their own. */
    enum { TEXT = 1 << 18 };
    ar_key_cache cache;
    int found = 0, short_keys = 0;
    ck_assert_int_eq(ar_key_cache_create(&cache, TEXT), ALTERREC_OK);
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
    tcase_add_test(group, chosen_keys_make_a_dictionary);
    tcase_add_test(group, keys_are_taken_whole);
    tcase_add_test(group, the_cache_is_never_wrong);
    return run_tests(group, "dictionary");
}
