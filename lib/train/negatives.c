#include "train/negatives.h"

#include "core/threads.h"
#include "train/rank_window.h"

#include <string.h>

void ar_negatives_random(float *negatives, int64_t items, int64_t count, ar_random *random) {
    uint32_t bound = (uint32_t)items;
    if (count % 2 > 0)
        negatives[ar_random_below(random, bound)] += 1.0f;
    for (int64_t i = 0; i < count / 2; i++) { /* a random number, which costs most, makes two */
        uint64_t bits = ar_random_next(random);
        negatives[ar_random_scale((uint32_t)(bits >> 32), bound)] += 1.0f;
        negatives[ar_random_scale((uint32_t)bits, bound)] += 1.0f;
    }
}

/* Floyd's way to a subset: of the items up to j, one at random, or j itself if that one is in. */
void ar_negatives_distinct(float *negatives, int64_t items, int64_t count, ar_random *random) {
    float rounds = (float)(count / items);
    for (int64_t j = 0; rounds > 0.0f && j < items; j++)
        negatives[j] += rounds;
    for (int64_t j = items - count % items; j < items; j++) {
        int64_t drawn = ar_random_below(random, (uint32_t)(j + 1));
        negatives[negatives[drawn] > rounds ? j : drawn] += 1.0f;
    }
}

/* What a mark says of an item, once the draw has begun. */
enum { OUTSIDE, LEFT, CHOSEN };

/* Chooses each one that is left if its random byte is less than `share`. */
AR_CLONES static void choose_some(uint8_t *marks, const uint8_t *bytes, int64_t count, int share) {
    for (int64_t j = 0; j < count; j++)
        marks[j] = (uint8_t)(bytes[j] < share ? marks[j] + marks[j] : marks[j]);
}

AR_CLONES static int64_t count_marks(const uint8_t *marks, int64_t count, uint8_t mark) {
    enum { RANGE = 1 << 14 }; /* what an int16_t can count: a whole vector of such counters */
    int64_t total = 0;
    for (int64_t begin = 0; begin < count; begin += RANGE) {
        int64_t end = count - begin < RANGE ? count : begin + RANGE;
        int16_t found = 0;
        for (int64_t j = begin; j < end; j++)
            found = (int16_t)(found + (marks[j] == mark));
        total += found;
    }
    return total;
}

AR_CLONES static void add_chosen(float *negatives, const uint8_t *marks, int64_t items) {
    for (int64_t j = 0; j < items; j++)
        negatives[j] += marks[j] == CHOSEN ? 1.0f : 0.0f;
}

/* Marks `moves` random ones of those marked `from` as `to`, each of them as likely as the others.
 */
static void move_marks(uint8_t *marks, int64_t items, uint8_t from, uint8_t to, int64_t moves,
                       ar_random *random) {
    enum { BLOCKS = 256 };
    int64_t held[BLOCKS], total = 0, block = items / BLOCKS + 1;
    for (int64_t b = 0; b * block < items; b++) {
        int64_t rest = items - b * block;
        held[b] = count_marks(marks + b * block, rest < block ? rest : block, from);
        total += held[b];
    }
    for (; moves > 0; moves--) {
        int64_t index = ar_random_below(random, (uint32_t)total--), b = 0;
        while (index >= held[b])
            index -= held[b++];
        held[b]--;
        int64_t j = b * block;
        while ((index -= marks[j] == from) >= 0)
            j++;
        marks[j] = to;
    }
}

/* Chooses `count` of the `window` ones that are left; every subset of that size is as likely as
 * every other. First each by itself, with about the probability that gives so many, eight of them
 * by one random number; then random ones are taken back, or taken besides, until the number is
 * right. */
static void choose(uint8_t *marks, int64_t items, int64_t window, int64_t count,
                   ar_random *random) {
    enum { WORDS = 64, RANGE = 8 * WORDS };
    uint8_t bytes[RANGE];
    int share = (int)((256 * count + window / 2) / window);
    for (int64_t begin = 0; begin < items; begin += RANGE) {
        for (int w = 0; w < WORDS; w++) {
            uint64_t word = ar_random_next(random);
            for (int b = 0; b < 8; b++)
                bytes[8 * w + b] = (uint8_t)(word >> 8 * b);
        }
        choose_some(marks + begin, bytes, items - begin < RANGE ? items - begin : RANGE, share);
    }
    int64_t chosen = count_marks(marks, items, CHOSEN);
    if (chosen > count)
        move_marks(marks, items, CHOSEN, LEFT, chosen - count, random);
    else if (chosen < count)
        move_marks(marks, items, LEFT, CHOSEN, count - chosen, random);
}

void ar_negatives_pool(int32_t *pool, uint8_t *marks, int64_t items, int64_t count,
                       ar_random *random) {
    int64_t taken = 0;
    memset(marks, LEFT, (size_t)items);
    choose(marks, items, items, count, random);
    for (int64_t j = 0; j < items; j++)
        if (marks[j] == CHOSEN)
            pool[taken++] = (int32_t)j;
}

void ar_negatives_hard(float *negatives, void *work, const float *scores, const int32_t *pool,
                       int64_t items, int64_t k1, int64_t k2, int64_t count, ar_random *random) {
    if (count == 0)
        return;
    uint8_t *marks = ar_rank_window(work, scores, items, k1, k2);
    choose(marks, items, k2 - k1, count, random);
    if (pool == NULL)
        add_chosen(negatives, marks, items);
    else
        for (int64_t i = 0; i < items; i++)
            negatives[pool[i]] += marks[i] == CHOSEN ? 1.0f : 0.0f;
}

AR_CLONES static void add_marked(float *negatives, const uint8_t *marks, int64_t items,
                                 float weight) {
    for (int64_t j = 0; j < items; j++)
        negatives[j] += marks[j] != OUTSIDE ? weight : 0.0f;
}

void ar_negatives_window(float *negatives, void *work, const float *scores, int64_t items,
                         int64_t k1, int64_t k2, float weight) {
    add_marked(negatives, ar_rank_window(work, scores, items, k1, k2), items, weight);
}

static void find_best(int32_t *best, const float *scores, int64_t items, int64_t count) {
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

void ar_positives_find(int32_t *best, const float *scores, int64_t rows, int64_t items,
                       int64_t count) {
#pragma omp parallel for if (rows * items > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < rows; i++)
        find_best(best + i * count, scores + i * items, items, count);
}
