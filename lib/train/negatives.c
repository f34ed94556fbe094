#include "train/negatives.h"

#include "core/threads.h"

#include <math.h>
#include <string.h>

void ar_negatives_random(float *negatives, int64_t items, int64_t count, ar_random *random) {
    for (int64_t i = 0; i < count; i++)
        negatives[ar_random_below(random, (uint32_t)items)] += 1.0f;
}

/* keys in the order of the scores, as unsigned numbers; -0 and 0 are one. */
AR_CLONES static void make_keys(uint32_t *keys, const float *scores, int64_t items) {
    for (int64_t j = 0; j < items; j++) {
        uint32_t bits;
        float score = scores[j] + 0.0f;
        memcpy(&bits, &score, sizeof bits);
        keys[j] = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    }
}

/* A place in the ranking: `above` keys are larger than `key`, which stands at the rank asked for.
 */
typedef struct rank_place {
    uint32_t key;
    int64_t above;
} rank_place;

/* Radix selection from the top bits down: 11, 11 and 10 bits. rank 1 is the largest key. */
static rank_place select_rank(const uint32_t *keys, int64_t items, int64_t rank) {
    enum { DIGITS = 3, BINS = 1 << 11 };
    static const int shifts[DIGITS] = {21, 10, 0}, widths[DIGITS] = {11, 11, 10};
    rank_place place = {0};
    uint32_t mask = 0;
    for (int digit = 0; digit < DIGITS; digit++) {
        int32_t histogram[BINS] = {0};
        uint32_t bin_mask = (1u << widths[digit]) - 1;
        for (int64_t j = 0; j < items; j++)
            if ((keys[j] & mask) == place.key)
                histogram[keys[j] >> shifts[digit] & bin_mask]++;
        uint32_t bin = bin_mask;
        while (place.above + histogram[bin] < rank)
            place.above += histogram[bin--];
        place.key |= bin << shifts[digit];
        mask |= bin_mask << shifts[digit];
    }
    return place;
}

void ar_negatives_hard(float *negatives, const float *scores, uint32_t *keys, int64_t items,
                       int64_t k1, int64_t k2, int64_t count, ar_random *random) {
    make_keys(keys, scores, items);
    rank_place last = select_rank(keys, items, k2);
    rank_place skipped = {UINT32_MAX, 0};
    if (k1 > 0)
        skipped = select_rank(keys, items, k1);
    /* Of the keys equal to a threshold the first ones, by index, belong to the better ranks. */
    int64_t skip_equal = k1 > 0 ? k1 - skipped.above : 0;
    int64_t take_equal = k2 - last.above;
    int64_t left = k2 - k1;
    for (int64_t j = 0; j < items && count > 0; j++) {
        uint32_t key = keys[j];
        if (key < last.key || (key == last.key && take_equal-- <= 0))
            continue;
        if (k1 > 0 && (key > skipped.key || (key == skipped.key && skip_equal-- > 0)))
            continue;
        /* Selection sampling: every subset of the window is as likely as every other. */
        if ((int64_t)ar_random_below(random, (uint32_t)left) < count) {
            negatives[j] += 1.0f;
            count--;
        }
        left--;
    }
}

void ar_positives_best(int32_t *best, const float *scores, int64_t items, int64_t count) {
    int64_t held = 0;
    for (int64_t j = 0; j < items; j++) {
        if (held == count && !(scores[j] > scores[best[count - 1]]))
            continue;
        int64_t place = held < count ? held++ : count - 1;
        for (; place > 0 && scores[j] > scores[best[place - 1]]; place--)
            best[place] = best[place - 1];
        best[place] = (int32_t)j;
    }
}
