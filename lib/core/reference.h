/* Reference counts: handles keep alive what they need, so hosts free in any order. Level: core. */
#ifndef AR_CORE_REFERENCE_H
#define AR_CORE_REFERENCE_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct ar_reference {
    atomic_int count; /* holders beyond the first */
} ar_reference;

static inline void ar_reference_take(ar_reference *reference) {
    atomic_fetch_add_explicit(&reference->count, 1, memory_order_relaxed);
}

/* True for the last holder, which then frees. */
static inline bool ar_reference_drop(ar_reference *reference) {
    return atomic_fetch_sub_explicit(&reference->count, 1, memory_order_acq_rel) == 0;
}

#endif
