/* Memory: every allocation of the library goes through here. Level: core. */
#ifndef AR_CORE_MEMORY_H
#define AR_CORE_MEMORY_H

#include "core/status.h"

/* `count` zeroed elements of `size` bytes, 64-byte aligned; never NULL on success, also for count
 * 0. NULL, with the error recorded, when memory is out or count * size overflows. */
void *ar_new(int64_t count, size_t size);

/* The same with whatever the bytes are: for large arrays that several threads fill, which then also
 * share the system's work of clearing the pages. */
void *ar_new_unset(int64_t count, size_t size);

/* Frees what one of these or ar_grow gave; accepts NULL. */
void ar_free(void *pointer);

/* Makes `*array` hold at least `needed` elements of `size` bytes, growing by half again and more;
 * old elements are kept, new ones are zero. On an error nothing has changed. */
alterrec_status ar_grow(void **array, int64_t *capacity, int64_t needed, size_t size);

/* Makes room for at least `needed` floats. What stood there is lost, on an error too: the old array
 * is freed before the new one is made, so that large ones never stand side by side. */
alterrec_status ar_renew_floats(float **array, int64_t *capacity, int64_t needed);

/* A copy of `length` bytes with a 0 behind them; NULL, with the error recorded, out of memory. */
char *ar_copy_text(const char *text, size_t length);

/* Allocates `count` elements of *pointer, or returns OUT_OF_MEMORY from the enclosing function. */
#define AR_NEW(pointer, count)                                                                     \
    do {                                                                                           \
        (pointer) = ar_new((count), sizeof *(pointer));                                            \
        if ((pointer) == NULL)                                                                     \
            return ALTERREC_ERROR_OUT_OF_MEMORY;                                                   \
    } while (0)

/* Tests only: allocation number `countdown` from now (1: the next) fails, once; 0: none. One
 * thread. */
void ar_memory_fail_after(int64_t countdown);

#endif
