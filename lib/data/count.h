/* The number of elements that a host says an array has. Level: data. */
#ifndef AR_DATA_COUNT_H
#define AR_DATA_COUNT_H

#include "core/limit.h"
#include "core/status.h"

/* INVALID_ARGUMENT for a `count`, which the function names `name`, that is below 0, or of which an
 * array [rows, count] of 8 bytes each would not fit the address space: such a number comes of a
 * difference or a cast that went wrong, and reading so far would end the process. */
static inline alterrec_status ar_count_check(int64_t rows, int64_t count, const char *name,
                                             const char *function) {
    int64_t most = (int64_t)(PTRDIFF_MAX / 8) / ar_at_least(rows, 1);
    if (count >= 0 && count <= most)
        return ALTERREC_OK;
    return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: %s is %lld, %s", function, name,
                   (long long)count, count < 0 ? "below 0" : "more than an array can have");
}

#endif
