#define _DEFAULT_SOURCE
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 1 << 21 };

/* Armed by the torture tests alone; thread-local, so that it costs and disturbs no other thread. */
static _Thread_local int64_t fail_countdown;

void ar_memory_fail_after(int64_t countdown) {
    fail_countdown = countdown;
}

static void *out_of_memory(int64_t count, size_t size) {
    (void)ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory: %lld elements of %zu bytes",
                  (long long)count, size);
    return NULL;
}

/* *allocated: bytes. */
static void *allocate(size_t *allocated, int64_t count, size_t size) {
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) ||
        bytes > (size_t)PTRDIFF_MAX - ALIGNMENT)
        return out_of_memory(count, size);
    if (fail_countdown > 0 && --fail_countdown == 0)
        return out_of_memory(count, size);
    size_t alignment = bytes < HUGE_PAGE ? ALIGNMENT : HUGE_PAGE;
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0)
        bytes = ALIGNMENT;
    void *pointer = NULL;
    if (posix_memalign(&pointer, alignment, bytes) != 0)
        return out_of_memory(count, size);
#ifdef MADV_HUGEPAGE
    /* Large arrays in large pages, where the system gives them to those who ask: the first touch of
     * small ones costs more than what is done with them. It may decline. */
    if (alignment == HUGE_PAGE)
        (void)madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
    *allocated = bytes;
    return pointer;
}

void *ar_new(int64_t count, size_t size) {
    size_t bytes;
    void *pointer = allocate(&bytes, count, size);
    if (pointer != NULL)
        memset(pointer, 0, bytes);
    return pointer;
}

void *ar_new_unset(int64_t count, size_t size) {
    size_t bytes;
    return allocate(&bytes, count, size);
}

void ar_free(void *pointer) {
    free(pointer);
}

alterrec_status ar_grow(void **array, int64_t *capacity, int64_t needed, size_t size) {
    if (needed <= *capacity)
        return ALTERREC_OK;
    int64_t larger = *capacity + *capacity / 2 + 16;
    if (larger < needed)
        larger = needed;
    void *grown = ar_new(larger, size);
    if (grown == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    if (*capacity > 0)
        memcpy(grown, *array, (size_t)*capacity * size);
    ar_free(*array);
    *array = grown;
    *capacity = larger;
    return ALTERREC_OK;
}

char *ar_copy_text(const char *text, size_t length) {
    char *copy = ar_new((int64_t)length + 1, 1);
    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return copy;
}

alterrec_status ar_renew_floats(float **array, int64_t *capacity, int64_t needed) {
    if (needed <= *capacity)
        return ALTERREC_OK;
    ar_free(*array);
    *array = NULL;
    *capacity = 0;
    AR_NEW(*array, needed);
    *capacity = needed;
    return ALTERREC_OK;
}
