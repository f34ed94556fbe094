#include "data/session_times.h"

#include "core/memory.h"

#include <string.h>

enum { DIGIT_BITS = 8, DIGITS = 64 / DIGIT_BITS, VALUES = 1 << DIGIT_BITS, FEW = 32 };

/* Bits whose order as whole numbers is that of the times; both zeros have the same. */
static uint64_t bits_of(double time) {
    uint64_t bits;
    time += 0.0;
    memcpy(&bits, &time, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | (uint64_t)1 << 63;
}

static int digit_of(double time, int digit) {
    return (int)(bits_of(time) >> (digit * DIGIT_BITS) & (VALUES - 1));
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

/* counts[v] becomes where the stamps of value v go; false if all have the same. */
static bool begin_digit(int64_t counts[VALUES], int64_t all) {
    int64_t before = 0;
    for (int v = 0; v < VALUES; v++) {
        int64_t count = counts[v];
        if (count == all)
            return false;
        counts[v] = before;
        before += count;
    }
    return true;
}

void ar_stamps_sort(ar_stamp *stamps, ar_stamp *work, int64_t count) {
    if (count <= FEW) {
        sort_few(stamps, count);
        return;
    }
    int64_t counts[DIGITS][VALUES] = {{0}};
    for (int64_t i = 0; i < count; i++)
        for (int d = 0; d < DIGITS; d++)
            counts[d][digit_of(stamps[i].time, d)]++;
    ar_stamp *from = stamps, *to = work;
    for (int d = 0; d < DIGITS; d++) {
        if (!begin_digit(counts[d], count))
            continue; /* as with most digits of times of the same years */
        for (int64_t i = 0; i < count; i++)
            to[counts[d][digit_of(from[i].time, d)]++] = from[i];
        ar_stamp *other = from;
        from = to;
        to = other;
    }
    if (from != stamps)
        memcpy(stamps, from, (size_t)count * sizeof *stamps);
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
    if (stamps != NULL && copy != NULL) {
        for (int64_t i = 0; i < count; i++)
            stamps[i] = (ar_stamp){times[i], i};
        memcpy(copy, items, (size_t)count * sizeof *items);
        ar_stamps_sort(stamps, stamps + count, count);
        for (int64_t i = 0; i < count; i++) {
            items[i] = copy[stamps[i].index];
            times[i] = stamps[i].time;
        }
    }
    alterrec_status status =
        stamps != NULL && copy != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    ar_free(stamps);
    ar_free(copy);
    return status;
}

alterrec_status ar_session_times_order(ar_interactions *out, double *times) {
    AR_NEW(out->times, out->count);
    out->times_capacity = out->count;
    for (int64_t s = 0; s < out->count; s++) {
        int64_t begin = out->offsets[s], end = out->offsets[s + 1];
        AR_TRY(order_items(out->items + begin, times + begin, end - begin));
        out->times[s] = end > begin ? times[end - 1] : 0.0;
    }
    return ALTERREC_OK;
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
        for (int64_t s = 0; s < count; s++)
            stamps[s] = (ar_stamp){sessions->times[s], s};
        ar_stamps_sort(stamps, stamps + count, count);
        status = gather(&made, sessions, stamps);
    }
    ar_free(stamps);
    if (status == ALTERREC_OK) {
        ar_interactions_free(sessions);
        *sessions = made;
        made = (ar_interactions){0};
    }
    ar_interactions_free(&made);
    return status;
}
