/* What may be recommended to the sessions of one search. Level: serve. */
#ifndef AR_SERVE_ALLOWED_H
#define AR_SERVE_ALLOWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of it belongs to the caller. A zeroed ar_allowed allows everything. */
typedef struct ar_allowed {
    /* Item i may be recommended if bit i % 64 of word i / 64 is set; NULL: every item. */
    const uint64_t *bits;
    /* [list_count] ascending, each once: no item that is not here may be recommended; NULL: it does
     * not matter. For short lists, whose items are scored one by one where else the table is read.
     * With `bits` both must hold. */
    const int32_t *list;
    int64_t list_count;
    /* Excluded from all sessions: [shared_count] ascending. */
    const int32_t *shared;
    int64_t shared_count;
    /* Excluded from session s: excluded[offsets[s]] .. excluded[offsets[s + 1] - 1], ascending;
     * offsets NULL: nothing. */
    const int32_t *excluded;
    const int64_t *offsets;
    /* [items], negative: in none; NULL: no cap. At most per_list (>= 1) items of a category come
     * into one session's list. */
    const int32_t *categories;
    int64_t per_list;
} ar_allowed;

static inline bool ar_allowed_finds(const int32_t *items, int64_t count, int32_t item) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && items[low] == item;
}

/* Whether `item` may be recommended to `session`, the cap left aside. */
static inline bool ar_allowed_has(const ar_allowed *allowed, int64_t session, int32_t item) {
    if (allowed->bits != NULL && (allowed->bits[item / 64] >> (item % 64) & 1) == 0)
        return false;
    if (allowed->list != NULL && !ar_allowed_finds(allowed->list, allowed->list_count, item))
        return false;
    if (ar_allowed_finds(allowed->shared, allowed->shared_count, item))
        return false;
    if (allowed->offsets == NULL)
        return true;
    const int64_t *offsets = allowed->offsets + session;
    return !ar_allowed_finds(allowed->excluded + offsets[0], offsets[1] - offsets[0], item);
}

#endif
