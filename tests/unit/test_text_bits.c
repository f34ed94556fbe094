/* Which bytes of a text are what, with and without the machine's vectors, beside a plain loop. */
#include "core/random.h"
#include "data/text_bits.h"
#include "support/numbers.h"

START_TEST(bits_are_those_of_a_plain_loop) {
    static const char asked[] = {' ', '\n', '\t', 'a', 0x7F, 1};
    ar_random random;
    ar_random_seed(&random, 5);
    for (int round = 0; round < 20000; round++) {
        char bytes[AR_TEXT_BLOCK + 1], c = asked[round % (int)sizeof asked];
        uint64_t equal = 0, up_to = 0;
        for (int i = 0; i <= AR_TEXT_BLOCK; i++)
            bytes[i] = (char)(ar_random_below(&random, 3) > 0
                                  ? (uint32_t)(unsigned char)c + ar_random_below(&random, 3) - 1
                                  : ar_random_below(&random, 256));
        const char *text = bytes + round % 2; /* no address is required */
        for (int i = 0; i < AR_TEXT_BLOCK; i++) {
            equal |= (uint64_t)(text[i] == c) << i;
            up_to |= (uint64_t)((unsigned char)text[i] <= (unsigned char)c) << i;
        }
        ck_assert_uint_eq(ar_text_bits_equal(text, c), equal);
        ck_assert_uint_eq(ar_text_bits_portable_equal(text, c), equal);
        ck_assert_uint_eq(ar_text_bits_up_to(text, c), up_to);
        ck_assert_uint_eq(ar_text_bits_portable_up_to(text, c), up_to);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("text_bits");
    tcase_add_test(group, bits_are_those_of_a_plain_loop);
    return run_tests(group, "text_bits");
}
