/* Statuses and the thread-local text of the last error. Level: core. */
#ifndef AR_CORE_STATUS_H
#define AR_CORE_STATUS_H

#include "core/machine.h"

#include <alterrec/alterrec.h>
#include <stdbool.h>

#define AR_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/* The most bytes that the text of an error has, with its 0. */
enum { AR_FAIL_TEXT_SIZE = 1024 };

/* Records the text of an error for this thread and returns `status`, so that
 * `return ar_fail(ALTERREC_ERROR_IO, "...")` is the whole of an error path. */
alterrec_status ar_fail(alterrec_status status, const char *format, ...) AR_PRINTF(2, 3);

/* Puts "<prefix>" before the text already recorded and returns `status`: for a caller that knows
 * the place ("items.tsv:12: ") of an error that a lower file described. */
alterrec_status ar_fail_at(alterrec_status status, const char *format, ...) AR_PRINTF(2, 3);

/* How many errors this thread has recorded: for ar_fail_answer, from before a callback is called.
 */
uint64_t ar_fail_count(void);

/* Records that the host's `callback` ("progress") gave a negative answer, which is returned:
 * without it the text would be that of an earlier error. If the answer is the status of a call of
 * the library that failed inside the callback, the text of that error stays, behind ours. */
alterrec_status ar_fail_answer(int32_t answer, const char *callback, uint64_t count_before);

/* INVALID_ARGUMENT, naming `function`, if the struct_size that a host has given is below the least
 * that a version had. */
alterrec_status ar_check_struct_size(uint32_t given, size_t least, const char *function);

/* Returns from the enclosing function when `call` fails. Only where nothing needs releasing. */
#define AR_TRY(call)                                                                               \
    do {                                                                                           \
        alterrec_status ar_try_status = (call);                                                    \
        if (ar_try_status != ALTERREC_OK)                                                          \
            return ar_try_status;                                                                  \
    } while (0)

/* Returns INVALID_ARGUMENT, naming the argument, if `pointer` is NULL. */
#define AR_NOT_NULL(pointer)                                                                       \
    do {                                                                                           \
        if ((pointer) == NULL)                                                                     \
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: argument `%s` is NULL", __func__, \
                           #pointer);                                                              \
    } while (0)

#endif
