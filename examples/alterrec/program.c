#include "program.h"

#include <alterrec/alterrec.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_message(const char *prefix, const char *format, va_list arguments) {
    fflush(stdout);
    fputs(prefix, stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int program_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("alterrec: ", format, arguments);
    va_end(arguments);
    return PROGRAM_ERROR;
}

int program_library_error(void) {
    return program_error("%s", alterrec_last_error());
}

void program_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("alterrec: warning: ", format, arguments);
    va_end(arguments);
}

int program_finish(int code) {
    if (fflush(stdout) != 0 || ferror(stdout))
        return program_error("standard output: %s", strerror(errno));
    return code;
}

void *program_resize(void *pointer, int64_t count, size_t size) {
    void *resized = NULL;
    if (count >= 0 && (uint64_t)count <= (SIZE_MAX - 1) / size)
        resized = realloc(pointer, (size_t)count * size + 1);
    if (resized == NULL) {
        program_error("out of memory");
        exit(PROGRAM_ERROR);
    }
    return resized;
}
