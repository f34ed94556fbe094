#include "serve/topk.h"

#include "core/threads.h"

#include <math.h>
#include <stdbool.h>

enum { RUN = 64 /* scores that are passed over together if none is good enough */ };

/* The arrays are a heap with the worst at its root. At equal scores the higher index is the worse;
 * empty places, all alike, are worse than any item. */
static bool is_worse(const ar_topk *best, int64_t a, int64_t b) {
    if (best->scores[a] != best->scores[b])
        return best->scores[a] < best->scores[b];
    return best->items[a] > best->items[b];
}

static void swap(const ar_topk *best, int64_t a, int64_t b) {
    int32_t item = best->items[a];
    float score = best->scores[a];
    best->items[a] = best->items[b];
    best->scores[a] = best->scores[b];
    best->items[b] = item;
    best->scores[b] = score;
}

/* Lets what stands at `at` sink to its place among the first `count`. */
static void sink(const ar_topk *best, int64_t at, int64_t count) {
    for (;;) {
        int64_t worst = at, left = 2 * at + 1;
        for (int64_t child = left; child < count && child <= left + 1; child++)
            if (is_worse(best, child, worst))
                worst = child;
        if (worst == at)
            return;
        swap(best, at, worst);
        at = worst;
    }
}

void ar_topk_begin(const ar_topk *best) {
    for (int64_t i = 0; i < best->k; i++) {
        best->items[i] = -1;
        best->scores[i] = -INFINITY;
    }
}

AR_CLONES static bool any_above(const float *scores, int64_t count, float bound) {
    int32_t above = 0;
    for (int64_t i = 0; i < count; i++)
        above += scores[i] > bound;
    return above > 0;
}

void ar_topk_add(const ar_topk *best, const float *scores, int32_t first, int64_t count) {
    for (int64_t start = 0; start < count; start += RUN) {
        int64_t end = start + RUN < count ? start + RUN : count;
        if (!any_above(scores + start, end - start, best->scores[0]))
            continue;
        /* An item as good as the worst has the higher index, as items come in order. */
        for (int64_t i = start; i < end; i++)
            if (scores[i] > best->scores[0]) {
                best->items[0] = first + (int32_t)i;
                best->scores[0] = scores[i];
                sink(best, 0, best->k);
            }
    }
}

/* The place of the worst item of the category if it has `per_list` of them; the root's if not. */
static int64_t place_for(const ar_topk *best, const int32_t *categories, int32_t category,
                         int64_t per_list) {
    int64_t held = 0, worst = 0;
    for (int64_t i = 0; category >= 0 && i < best->k; i++)
        if (best->items[i] >= 0 && categories[best->items[i]] == category &&
            (held++ == 0 || is_worse(best, i, worst)))
            worst = i;
    return held == per_list ? worst : 0;
}

void ar_topk_add_capped(const ar_topk *best, const float *scores, int32_t first, int64_t count,
                        const int32_t *categories, int64_t per_list) {
    for (int64_t i = 0; i < count; i++) {
        if (!(scores[i] > best->scores[0]))
            continue;
        int64_t at = place_for(best, categories, categories[first + i], per_list);
        if (!(scores[i] > best->scores[at]))
            continue;
        best->items[at] = first + (int32_t)i;
        best->scores[at] = scores[i];
        sink(best, at, best->k);
    }
}

void ar_topk_finish(const ar_topk *best) {
    for (int64_t left = best->k - 1; left > 0; left--) {
        swap(best, 0, left);
        sink(best, 0, left);
    }
}
