#include "serve/exclusions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right) {
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static void sort(int32_t *items, int64_t count) {
    if (count > 1)
        qsort(items, (size_t)count, sizeof *items, compare);
}

static int64_t append(int32_t *items, int64_t used, const int32_t *more, int64_t count) {
    if (count > 0)
        memcpy(items + used, more, (size_t)count * sizeof *items);
    return used + count;
}

alterrec_status ar_exclusions_of(ar_exclusions *exclusions, ar_workspace *workspace,
                                 alterrec_batch *batch) {
    AR_TRY(ar_batch_index_exclusions(batch));
    int64_t own = batch->exclude_own ? batch->offsets[batch->count] : 0;
    int32_t *shared = ar_workspace_array(workspace, AR_SLOT_EXCLUDED_SHARED,
                                         batch->shared_exclusion_count, sizeof *shared);
    int32_t *items = ar_workspace_array(workspace, AR_SLOT_EXCLUDED, own + batch->exclusion_count,
                                        sizeof *items);
    int64_t *offsets =
        ar_workspace_array(workspace, AR_SLOT_EXCLUDED_OFFSETS, batch->count + 1, sizeof *offsets);
    if (shared == NULL || items == NULL || offsets == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    sort(shared, append(shared, 0, batch->shared_exclusions, batch->shared_exclusion_count));
    offsets[0] = 0;
    for (int64_t s = 0; s < batch->count; s++) {
        int64_t used = offsets[s];
        if (batch->exclude_own)
            used = append(items, used, batch->items + batch->offsets[s],
                          batch->offsets[s + 1] - batch->offsets[s]);
        used = append(items, used, batch->excluded_items + batch->excluded_offsets[s],
                      batch->excluded_offsets[s + 1] - batch->excluded_offsets[s]);
        sort(items + offsets[s], used - offsets[s]);
        offsets[s + 1] = used;
    }
    *exclusions = (ar_exclusions){shared, batch->shared_exclusion_count, items, offsets};
    return ALTERREC_OK;
}

/* The position of the first item that is not below `item`. */
static int64_t lower_bound(const int32_t *items, int64_t count, int64_t item) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void leave_out(float *scores, int64_t first, int64_t count, const int32_t *items,
                      int64_t item_count) {
    int64_t i = lower_bound(items, item_count, first);
    for (; i < item_count && items[i] < first + count; i++)
        scores[items[i] - first] = -INFINITY;
}

void ar_exclusions_apply(float *scores, const ar_exclusions *exclusions, int64_t session,
                         int64_t first, int64_t count) {
    const int64_t *offsets = exclusions->offsets + session;
    leave_out(scores, first, count, exclusions->shared, exclusions->shared_count);
    leave_out(scores, first, count, exclusions->items + offsets[0], offsets[1] - offsets[0]);
}
