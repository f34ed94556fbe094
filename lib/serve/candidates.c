#include "serve/candidates.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { FIRST_LIMIT = 256 /* candidates that are gathered before they are first looked through */ };

/* The place of a category among those met. */
typedef struct seat {
    int32_t category; /* -1: free */
    int32_t taken;
    float last; /* the lower bound of the one that filled it */
} seat;

/* Working memory: keys, then seats. */
static int64_t seat_count(int64_t capacity) {
    int64_t seats = 16;
    while (seats < 2 * capacity)
        seats *= 2;
    return seats;
}

int64_t ar_candidates_work_bytes(int64_t capacity, bool capped) {
    int64_t bytes = capacity * (int64_t)sizeof(uint64_t);
    return capped ? bytes + seat_count(capacity) * (int64_t)sizeof(seat) : bytes;
}

void ar_candidates_begin(ar_candidates *candidates, ar_candidate *entries, float *best,
                         int64_t capacity, int64_t k, bool exact, const int32_t *categories,
                         int64_t per_list) {
    bool capped = categories != NULL && per_list < k;
    /* Without a cap the heap keeps the threshold high, and looking through is for want of room. */
    int64_t limit = capped ? 2 * k + FIRST_LIMIT : capacity;
    *candidates = (ar_candidates){.entries = entries,
                                  .best = best,
                                  .capacity = capacity,
                                  .limit = limit < capacity ? limit : capacity,
                                  .k = k,
                                  .per_list = per_list,
                                  .categories = capped ? categories : NULL,
                                  .threshold = -FLT_MAX,
                                  .exact = exact};
}

/* A key that orders by (score, lower item first): larger is better. */
static uint64_t key_of(float score, int32_t item) {
    uint32_t bits;
    score += 0.0f; /* -0 and 0 are a tie */
    memcpy(&bits, &score, sizeof bits);
    bits = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (0xFFFFFFFFu - (uint32_t)item);
}

static float score_of(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits = (bits & 0x80000000u) != 0 ? bits & 0x7FFFFFFFu : ~bits;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static int32_t item_of(uint64_t key) {
    return (int32_t)(0xFFFFFFFFu - (uint32_t)key);
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Splits keys first .. last around one of them: *left and *right are where the parts end and begin
 * that still need work; the larger keys stand in front. */
static void split(uint64_t *keys, int64_t first, int64_t last, int64_t *left, int64_t *right) {
    uint64_t pivot = middle_of(keys[first], keys[first + (last - first) / 2], keys[last]);
    int64_t i = first, j = last;
    while (i <= j) {
        while (keys[i] > pivot)
            i++;
        while (keys[j] < pivot)
            j--;
        if (i > j)
            break;
        uint64_t key = keys[i];
        keys[i++] = keys[j];
        keys[j--] = key;
    }
    *left = j;
    *right = i;
}

/* The k largest to the front, the smallest of them at k - 1. */
static void select_best(uint64_t *keys, int64_t count, int64_t k) {
    int64_t first = 0, last = count - 1;
    while (first < last) {
        int64_t left, right;
        split(keys, first, last, &left, &right);
        if (k - 1 <= left)
            last = left;
        else if (k - 1 >= right)
            first = right;
        else
            return;
    }
}

/* Sifts keys[at] down a heap with the smallest at its root. */
static void sink(uint64_t *keys, int64_t at, int64_t count) {
    uint64_t key = keys[at];
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && keys[child + 1] < keys[child];
        if (key <= keys[child])
            break;
        keys[at] = keys[child];
    }
    keys[at] = key;
}

/* Largest first. A heap's n log n holds for any order, and there are few. */
static void sort(uint64_t *keys, int64_t count) {
    for (int64_t at = count / 2; at-- > 0;)
        sink(keys, at, count);
    for (int64_t left = count - 1; left > 0; left--) {
        uint64_t key = keys[0];
        keys[0] = keys[left];
        keys[left] = key;
        sink(keys, 0, left);
    }
}

static seat *seat_of(seat *seats, int64_t count, int32_t category) {
    uint64_t at = (uint64_t)(uint32_t)category * 0x9E3779B97F4A7C15u >> 32;
    for (;; at++) {
        seat *found = seats + (at & (uint64_t)(count - 1));
        if (found->category == category || found->category < 0)
            return found;
    }
}

/* Goes through sorted keys as the list would be made: takes what its category has room for, up to
 * k, and moves it to the front. Returns how many; the seats say what each category took. */
static int64_t take(const ar_candidates *candidates, uint64_t *keys, seat *seats) {
    int64_t taken = 0, places = seat_count(candidates->capacity);
    for (int64_t i = 0; i < places; i++)
        seats[i] = (seat){-1, 0, -FLT_MAX};
    for (int64_t i = 0; i < candidates->count && taken < candidates->k; i++) {
        int32_t category = candidates->categories[item_of(keys[i])];
        if (category >= 0) {
            seat *own = seat_of(seats, places, category);
            own->category = category;
            if (own->taken == candidates->per_list)
                continue;
            if (++own->taken == candidates->per_list)
                own->last = score_of(keys[i]);
        }
        keys[taken++] = keys[i];
    }
    return taken;
}

static seat *seats_in(const ar_candidates *candidates, void *work) {
    return (seat *)(void *)((uint64_t *)work + candidates->capacity);
}

/* Of the keys of all entries, the k best in front; returns how many there are. */
static int64_t best_keys(const ar_candidates *candidates, void *work) {
    uint64_t *keys = work;
    for (int64_t i = 0; i < candidates->count; i++)
        keys[i] = key_of(candidates->entries[i].lower, candidates->entries[i].item);
    if (candidates->categories != NULL) {
        sort(keys, candidates->count);
        return take(candidates, keys, seats_in(candidates, work));
    }
    if (candidates->count <= candidates->k)
        return candidates->count;
    select_best(keys, candidates->count, candidates->k);
    return candidates->k;
}

/* The k-th best lower bound. */
static float last_of(const uint64_t *keys, int64_t count) {
    uint64_t last = keys[0];
    for (int64_t i = 1; i < count; i++)
        last = keys[i] < last ? keys[i] : last;
    return score_of(last);
}

/* Whether enough of its own category are better for certain. */
static bool is_crowded_out(const ar_candidates *candidates, const ar_candidate *entry, void *work) {
    int32_t category = candidates->categories[entry->item];
    if (category < 0)
        return false;
    const seat *own =
        seat_of(seats_in(candidates, work), seat_count(candidates->capacity), category);
    return own->category == category && own->taken == candidates->per_list &&
           entry->upper < own->last;
}

static void keep_exact(ar_candidates *candidates, const uint64_t *keys, int64_t best) {
    for (int64_t i = 0; i < best; i++) {
        float score = score_of(keys[i]);
        candidates->entries[i] = (ar_candidate){score, score, item_of(keys[i])};
    }
    candidates->count = best;
}

static void keep_bounded(ar_candidates *candidates, void *work) {
    int64_t kept = 0;
    for (int64_t i = 0; i < candidates->count; i++) {
        const ar_candidate *entry = candidates->entries + i;
        if (entry->upper >= candidates->threshold &&
            !(candidates->categories != NULL && is_crowded_out(candidates, entry, work)))
            candidates->entries[kept++] = *entry;
    }
    candidates->count = kept;
}

/* Makes `last` the k-th best score that is certain. */
static void lift(ar_candidates *candidates, float last) {
    /* Later items are higher: of exact scores only a better one is wanted. */
    candidates->threshold = candidates->exact ? nextafterf(last, INFINITY) : last;
}

void ar_candidates_prune(ar_candidates *candidates, void *work) {
    int64_t best = best_keys(candidates, work);
    if (best == candidates->k)
        lift(candidates, last_of(work, best));
    if (candidates->exact)
        keep_exact(candidates, work, best);
    else
        keep_bounded(candidates, work);
    int64_t limit =
        candidates->categories != NULL ? 2 * candidates->count + FIRST_LIMIT : candidates->capacity;
    candidates->limit = limit < candidates->capacity ? limit : candidates->capacity;
}

/* Puts `score` in the place of the root, or, while the heap is not full, at its end. */
static void push(ar_candidates *candidates, float score) {
    float *best = candidates->best;
    int64_t at = 0, count = candidates->best_count;
    if (count < candidates->k) {
        candidates->best_count = count + 1;
        for (at = count; at > 0 && best[(at - 1) / 2] > score; at = (at - 1) / 2)
            best[at] = best[(at - 1) / 2];
    } else
        for (int64_t child; (child = 2 * at + 1) < count; at = child) {
            child += child + 1 < count && best[child + 1] < best[child];
            if (score <= best[child])
                break;
            best[at] = best[child];
        }
    best[at] = score;
    if (candidates->best_count == candidates->k)
        lift(candidates, best[0]);
}

void ar_candidates_add(ar_candidates *candidates, ar_candidate entry, void *work) {
    candidates->entries[candidates->count++] = entry;
    if (candidates->categories == NULL &&
        (candidates->best_count < candidates->k || entry.lower > candidates->best[0]))
        push(candidates, entry.lower);
    if (candidates->count < candidates->limit)
        return;
    ar_candidates_prune(candidates, work);
    if (candidates->count > candidates->capacity / 4 * 3) {
        candidates->overflown = true;
        candidates->threshold = INFINITY;
        candidates->count = 0;
    }
}

float ar_candidates_last(const ar_candidates *candidates, void *work) {
    int64_t best = best_keys(candidates, work);
    return best == candidates->k ? last_of(work, best) : -FLT_MAX;
}

void ar_candidates_finish(int32_t *items, float *scores, ar_candidates *candidates, void *work) {
    int64_t best = best_keys(candidates, work);
    uint64_t *keys = work;
    sort(keys, best);
    for (int64_t i = 0; i < candidates->k; i++) {
        items[i] = i < best ? item_of(keys[i]) : -1;
        scores[i] = i < best ? score_of(keys[i]) : -INFINITY;
    }
}

/* Whether `key` is among the sorted keys [count]. */
static bool is_among(const uint64_t *keys, int64_t count, uint64_t key) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (keys[middle] > key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && keys[low] == key;
}

int64_t ar_candidates_lead(ar_candidates *candidates, void *work) {
    bool capped = candidates->categories != NULL;
    int64_t best = capped ? best_keys(candidates, work) : 0, front = 0;
    for (int64_t i = 0; i < candidates->count; i++) {
        ar_candidate entry = candidates->entries[i];
        if (capped ? is_among(work, best, key_of(entry.lower, entry.item))
                   : entry.lower >= candidates->threshold) {
            candidates->entries[i] = candidates->entries[front];
            candidates->entries[front++] = entry;
        }
    }
    return front;
}

/* As sink, for a heap of entries with the lowest upper bound at its root. */
static void sink_entry(ar_candidate *entries, int64_t at, int64_t count) {
    ar_candidate entry = entries[at];
    for (int64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && entries[child + 1].upper < entries[child].upper;
        if (entry.upper <= entries[child].upper)
            break;
        entries[at] = entries[child];
    }
    entries[at] = entry;
}

void ar_candidates_order(ar_candidate *entries, int64_t count) {
    for (int64_t at = count / 2; at-- > 0;)
        sink_entry(entries, at, count);
    for (int64_t left = count - 1; left > 0; left--) {
        ar_candidate entry = entries[0];
        entries[0] = entries[left];
        entries[left] = entry;
        sink_entry(entries, 0, left);
    }
}
