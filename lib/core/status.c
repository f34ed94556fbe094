#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[AR_FAIL_TEXT_SIZE];
static _Thread_local alterrec_status last_status;
static _Thread_local uint64_t fail_count;

static alterrec_status record(alterrec_status status, const char *text) {
    memcpy(last_error, text, strlen(text) + 1);
    last_status = status;
    fail_count++;
    return status;
}

alterrec_status ar_fail(alterrec_status status, const char *format, ...) {
    /* Formatted aside first: an argument may be the last error itself. */
    char text[AR_FAIL_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return record(status, text);
}

alterrec_status ar_fail_at(alterrec_status status, const char *format, ...) {
    char text[AR_FAIL_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text);
    (void)snprintf(text + used, sizeof text - used, "%s", last_error);
    return record(status, text);
}

uint64_t ar_fail_count(void) {
    return fail_count;
}

alterrec_status ar_fail_answer(int32_t answer, const char *callback, uint64_t count_before) {
    if (fail_count != count_before && answer == last_status)
        return ar_fail_at(answer, "the %s callback answered %ld: ", callback, (long)answer);
    return ar_fail(answer, "the %s callback answered %ld", callback, (long)answer);
}

alterrec_status ar_check_struct_size(uint32_t given, size_t least, const char *function) {
    if (given < least)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: struct_size is %lu, at least %zu is expected: set it to sizeof the "
                       "struct before the call",
                       function, (unsigned long)given, least);
    return ALTERREC_OK;
}

const char *alterrec_last_error(void) {
    return last_error;
}

size_t alterrec_last_error_copy(char *buffer, size_t size) {
    size_t length = strlen(last_error);
    if (buffer != NULL && size > 0) {
        size_t copied = length < size ? length : size - 1;
        memcpy(buffer, last_error, copied);
        buffer[copied] = '\0';
    }
    return length;
}

const char *alterrec_status_name(alterrec_status status) {
    switch (status) {
    case ALTERREC_OK:
        return "OK";
    case ALTERREC_ERROR_INVALID_ARGUMENT:
        return "INVALID_ARGUMENT";
    case ALTERREC_ERROR_OUT_OF_MEMORY:
        return "OUT_OF_MEMORY";
    case ALTERREC_ERROR_IO:
        return "IO";
    case ALTERREC_ERROR_PARSE:
        return "PARSE";
    case ALTERREC_ERROR_NOT_FOUND:
        return "NOT_FOUND";
    case ALTERREC_ERROR_MISMATCH:
        return "MISMATCH";
    case ALTERREC_ERROR_NOT_FINITE:
        return "NOT_FINITE";
    case ALTERREC_ERROR_UNSUPPORTED:
        return "UNSUPPORTED";
    case ALTERREC_ERROR_BUSY:
        return "BUSY";
    case ALTERREC_ERROR_BACKEND:
        return "BACKEND";
    default:
        return "UNKNOWN";
    }
}
