#include "data/session_times.h"

#include "core/memory.h"
#include "core/threads.h"

#include <string.h>

enum { DIGIT_BITS = 12, VALUES = 1 << DIGIT_BITS, FEW = 32 };

/* Bits whose order as whole numbers is that of the times; both zeros have the same. */
static uint64_t bits_of(double time) {
    uint64_t bits;
    time += 0.0;
    memcpy(&bits, &time, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | (uint64_t)1 << 63;
}

static void sort_few(ar_stamp *stamps, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        ar_stamp moved = stamps[i];
        int64_t to = i;
        for (; to > 0 && stamps[to - 1].time > moved.time; to--)
            stamps[to] = stamps[to - 1];
        stamps[to] = moved;
    }
}

/* The bits in which the times differ. */
static uint64_t varying_bits(const ar_stamp *stamps, int64_t count) {
    uint64_t varying = 0, first = bits_of(stamps[0].time);
#pragma omp parallel for schedule(static) reduction(| : varying) if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 1; i < count; i++)
        varying |= bits_of(stamps[i].time) ^ first;
    return varying;
}

/* Sorts by the digit that begins at bit `from`; each of the `parts` of the stamps has counts of its
 * own, [parts, VALUES], and its stamps of a value go behind those of the parts before. */
static void sort_digit(ar_stamp *to, const ar_stamp *stamps, int64_t count, int from,
                       int64_t *counts, int64_t parts) {
    memset(counts, 0, (size_t)(parts * VALUES) * sizeof *counts);
#pragma omp parallel for schedule(static, 1) if (parts > 1)
    for (int64_t p = 0; p < parts; p++)
        for (int64_t i = count * p / parts; i < count * (p + 1) / parts; i++)
            counts[p * VALUES + (int64_t)(bits_of(stamps[i].time) >> from & (VALUES - 1))]++;
    int64_t before = 0;
    for (int64_t v = 0; v < VALUES; v++)
        for (int64_t p = 0; p < parts; p++) {
            int64_t here = counts[p * VALUES + v];
            counts[p * VALUES + v] = before;
            before += here;
        }
#pragma omp parallel for schedule(static, 1) if (parts > 1)
    for (int64_t p = 0; p < parts; p++)
        for (int64_t i = count * p / parts; i < count * (p + 1) / parts; i++)
            to[counts[p * VALUES + (int64_t)(bits_of(stamps[i].time) >> from & (VALUES - 1))]++] =
                stamps[i];
}

alterrec_status ar_stamps_sort(ar_stamp *stamps, ar_stamp *work, int64_t count) {
    if (count <= FEW) {
        sort_few(stamps, count);
        return ALTERREC_OK;
    }
    int64_t *counts, parts = count > AR_PARALLEL_LEAST ? ar_threads_count() : 1;
    AR_NEW(counts, parts * VALUES);
    ar_stamp *from = stamps, *to = work;
    /* Times of the same years have most of their bits in common. */
    for (uint64_t left = varying_bits(stamps, count); left != 0;) {
        int lowest = __builtin_ctzll(left);
        sort_digit(to, from, count, lowest, counts, parts);
        left =
            lowest + DIGIT_BITS < 64 ? left >> (lowest + DIGIT_BITS) << (lowest + DIGIT_BITS) : 0;
        ar_stamp *other = from;
        from = to;
        to = other;
    }
    if (from != stamps)
        memcpy(stamps, from, (size_t)count * sizeof *stamps);
    ar_free(counts);
    return ALTERREC_OK;
}

static bool rises(const double *times, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        if (!(times[i - 1] <= times[i]))
            return false;
    return true;
}

/* One session's `count` items. */
static alterrec_status order_items(int32_t *items, double *times, int64_t count) {
    if (rises(times, count))
        return ALTERREC_OK;
    ar_stamp *stamps = ar_new(2 * count, sizeof *stamps);
    int32_t *copy = ar_new(count, sizeof *copy);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (stamps != NULL && copy != NULL) {
        for (int64_t i = 0; i < count; i++)
            stamps[i] = (ar_stamp){times[i], i};
        memcpy(copy, items, (size_t)count * sizeof *items);
        status = ar_stamps_sort(stamps, stamps + count, count);
    }
    for (int64_t i = 0; status == ALTERREC_OK && i < count; i++) {
        items[i] = copy[stamps[i].index];
        times[i] = stamps[i].time;
    }
    ar_free(stamps);
    ar_free(copy);
    return status;
}

alterrec_status ar_session_times_order(ar_interactions *out, double *times) {
    out->times = ar_new_unset(out->count, sizeof *out->times);
    if (out->times == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    out->times_capacity = out->count;
    int64_t failed = 0;
#pragma omp parallel for schedule(static) reduction(+ : failed) if (out->count > AR_PARALLEL_LEAST)
    for (int64_t s = 0; s < out->count; s++) {
        int64_t begin = out->offsets[s], end = out->offsets[s + 1];
        failed += order_items(out->items + begin, times + begin, end - begin) != ALTERREC_OK;
        out->times[s] = end > begin ? times[end - 1] : 0.0;
    }
    return failed == 0
               ? ALTERREC_OK
               : ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY,
                         "out of memory: %lld sessions to be put in order", (long long)failed);
}

/* `made` becomes the sessions in the order of the stamps. */
static alterrec_status gather(ar_interactions *made, const ar_interactions *sessions,
                              const ar_stamp *stamps) {
    made->offsets = ar_new_unset(made->count + 1, sizeof *made->offsets);
    made->times = ar_new_unset(made->count, sizeof *made->times);
    made->items = ar_new_unset(sessions->offsets[made->count], sizeof *made->items);
    if (made->offsets == NULL || made->times == NULL || made->items == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    made->offsets[0] = 0;
    for (int64_t s = 0; s < made->count; s++) {
        int64_t begin = sessions->offsets[stamps[s].index];
        int64_t length = sessions->offsets[stamps[s].index + 1] - begin;
        made->offsets[s + 1] = made->offsets[s] + length;
        made->times[s] = stamps[s].time;
    }
#pragma omp parallel for schedule(static)
    for (int64_t s = 0; s < made->count; s++)
        memcpy(made->items + made->offsets[s], sessions->items + sessions->offsets[stamps[s].index],
               (size_t)(made->offsets[s + 1] - made->offsets[s]) * sizeof *made->items);
    return ALTERREC_OK;
}

alterrec_status ar_session_times_sort(ar_interactions *sessions) {
    int64_t count = sessions->count;
    if (rises(sessions->times, count))
        return ALTERREC_OK;
    ar_interactions made = {.count = count, .chronological = sessions->chronological};
    ar_stamp *stamps = ar_new_unset(2 * count, sizeof *stamps);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (stamps != NULL) {
#pragma omp parallel for schedule(static) if (count > AR_PARALLEL_LEAST)
        for (int64_t s = 0; s < count; s++)
            stamps[s] = (ar_stamp){sessions->times[s], s};
        status = ar_stamps_sort(stamps, stamps + count, count);
    }
    if (status == ALTERREC_OK)
        status = gather(&made, sessions, stamps);
    ar_free(stamps);
    if (status == ALTERREC_OK) {
        ar_interactions_free(sessions);
        *sessions = made;
        made = (ar_interactions){0};
    }
    ar_interactions_free(&made);
    return status;
}
