#include "train/rank_window.h"

#include "core/threads.h"

#include <stdbool.h>
#include <string.h>

/* Members of a half are looked for in blocks of so many, most of which have none. */
enum { BLOCK = 256 };

/* A score's place among all floats as a signed number; -0 and 0 are one. NaN stands below
 * -infinity, and with room below itself, so that a half minus 1 is still one. */
static inline int32_t key_of(float score) {
    const int32_t nan_key = -0x7FFF0000;
    int32_t bits;
    float value = score + 0.0f;
    memcpy(&bits, &value, sizeof bits);
    int32_t key = bits ^ (bits < 0 ? INT32_MAX : 0);
    return value == value ? key : nan_key;
}

/* A key's upper half; keys with different ones are in their order. */
static inline int16_t upper_of(int32_t key) {
    return (int16_t)(key >> 16);
}

/* A key's lower half, as a signed number: keys with the same upper half are in its order. */
static inline int16_t lower_of(int32_t key) {
    return (int16_t)((key & 0xFFFF) - 0x8000);
}

AR_CLONES static void take_uppers(int16_t *halves, const float *scores, int64_t items) {
    for (int64_t j = 0; j < items; j++)
        halves[j] = upper_of(key_of(scores[j]));
}

/* counts[i] = how many halves are at least bounds[i]. */
AR_CLONES static void count_from(int64_t counts[2], const int16_t *halves, int64_t count,
                                 const int16_t bounds[2]) {
    enum { RANGE = 1 << 14 }; /* what an int16_t can count: a whole vector of such counters */
    int16_t first_bound = bounds[0], second_bound = bounds[1];
    counts[0] = counts[1] = 0;
    for (int64_t begin = 0; begin < count; begin += RANGE) {
        int64_t end = count - begin < RANGE ? count : begin + RANGE;
        int16_t first = 0, second = 0;
        for (int64_t j = begin; j < end; j++) {
            first = (int16_t)(first + (halves[j] >= first_bound));
            second = (int16_t)(second + (halves[j] >= second_bound));
        }
        counts[0] += first;
        counts[1] += second;
    }
}

/* A half that stands at a rank, and how many are larger. */
typedef struct place {
    int16_t half;
    int64_t above;
} place;

/* The halves at two ranks, 1 is the largest: by halving the range of what each may be. Sixteen
 * counts, which together cost less than one histogram. */
static void select_ranks(place places[2], const int16_t *halves, int64_t count,
                         const int64_t ranks[2]) {
    int32_t low[2] = {INT16_MIN, INT16_MIN}, beyond[2] = {INT16_MAX + 1, INT16_MAX + 1};
    int64_t from[2];
    int16_t middle[2];
    for (int i = 0; i < 2; i++)
        places[i].above = 0; /* halves >= beyond */
    while (beyond[0] - low[0] > 1) {
        for (int i = 0; i < 2; i++)
            middle[i] = (int16_t)((low[i] + beyond[i]) / 2);
        count_from(from, halves, count, middle);
        for (int i = 0; i < 2; i++)
            if (from[i] >= ranks[i]) {
                low[i] = middle[i];
            } else {
                beyond[i] = middle[i];
                places[i].above = from[i];
            }
    }
    for (int i = 0; i < 2; i++)
        places[i].half = (int16_t)low[i];
}

AR_CLONES static bool holds(const int16_t *halves, int64_t count, int16_t half) {
    int16_t any = 0;
    for (int64_t j = 0; j < count; j++)
        any = (int16_t)(any | (halves[j] == half));
    return any != 0;
}

/* Where a rank divides the ranking: after the keys above `key`, and the first `equal` of those
 * equal to it, by index. */
typedef struct division {
    int32_t key;
    int64_t equal;
} division;

/* The division after `rank`, whose key has the upper half that stands there. lowers [items] is
 * working memory. */
static division divide(int16_t *lowers, const int16_t *uppers, const float *scores, int64_t items,
                       int64_t rank, place upper) {
    int64_t members = 0;
    for (int64_t begin = 0; begin < items; begin += BLOCK) {
        int64_t count = items - begin < BLOCK ? items - begin : BLOCK;
        if (!holds(uppers + begin, count, upper.half))
            continue;
        for (int64_t j = begin; j < begin + count; j++)
            if (uppers[j] == upper.half)
                lowers[members++] = lower_of(key_of(scores[j]));
    }
    place lower[2];
    int64_t among = rank - upper.above;
    select_ranks(lower, lowers, members, (const int64_t[2]){among, among});
    int32_t key = (int32_t)upper.half * 0x10000 + (lower[0].half + 0x8000);
    return (division){key, among - lower[0].above};
}

AR_CLONES static void mark_between(uint8_t *marks, const int16_t *uppers, int64_t items,
                                   int16_t least, int16_t most) {
    for (int64_t j = 0; j < items; j++)
        marks[j] = uppers[j] >= least && uppers[j] <= most ? 1 : 0;
}

/* Marks those with the upper half `half` that lie between the divisions. */
static void mark_members(uint8_t *marks, const int16_t *uppers, const float *scores, int64_t items,
                         int16_t half, division skip, division take) {
    for (int64_t begin = 0; begin < items; begin += BLOCK) {
        int64_t count = items - begin < BLOCK ? items - begin : BLOCK;
        if (!holds(uppers + begin, count, half))
            continue;
        for (int64_t j = begin; j < begin + count; j++) {
            if (uppers[j] != half)
                continue;
            int32_t key = key_of(scores[j]);
            bool taken = key > take.key || (key == take.key && take.equal-- > 0);
            bool skipped = key > skip.key || (key == skip.key && skip.equal-- > 0);
            marks[j] = taken && !skipped ? 1 : 0;
        }
    }
}

uint8_t *ar_rank_window(void *work, const float *scores, int64_t items, int64_t k1, int64_t k2) {
    int16_t *uppers = work, *lowers = uppers + items;
    uint8_t *marks = (uint8_t *)lowers;
    take_uppers(uppers, scores, items);
    place upper[2];
    select_ranks(upper, uppers, items, (const int64_t[2]){k2, k1 > 0 ? k1 : k2});
    division take = divide(lowers, uppers, scores, items, k2, upper[0]), skip = {INT32_MAX, 0};
    if (k1 > 0)
        skip = divide(lowers, uppers, scores, items, k1, upper[1]);
    int16_t last = upper_of(take.key), first = upper_of(skip.key);
    /* No score has the largest half, so that nothing is skipped without k1. */
    mark_between(marks, uppers, items, (int16_t)(last + 1), (int16_t)(first - 1));
    mark_members(marks, uppers, scores, items, last, skip, take);
    if (k1 > 0 && first != last)
        mark_members(marks, uppers, scores, items, first, skip, take);
    return marks;
}
