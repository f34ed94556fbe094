#include "support/header.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_PATH TEST_DATA "/../../include/alterrec/alterrec.h"

/* Comments become spaces. */
static char *read_code(void) {
    FILE *file = fopen(HEADER_PATH, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *code = calloc(size + 1, 1);
    ck_assert_ptr_nonnull(code);
    ck_assert_uint_eq(fread(code, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    for (char *at = code; (at = strstr(at, "/*")) != NULL;) {
        char *end = strstr(at, "*/");
        ck_assert_ptr_nonnull(end);
        memset(at, ' ', (size_t)(end + 2 - at));
    }
    return code;
}

static int is_name(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* The name that ends at `end`. */
static void copy_last_name(char name[HEADER_NAME_SIZE], const char *begin, const char *end) {
    while (end > begin && !is_name(end[-1]))
        end--;
    const char *start = end;
    while (start > begin && is_name(start[-1]))
        start--;
    ck_assert_int_gt(end - start, 0);
    ck_assert_int_lt(end - start, HEADER_NAME_SIZE);
    memcpy(name, start, (size_t)(end - start));
    name[end - start] = '\0';
}

static int is_pointer(const char *begin, const char *end) {
    static const char callback[] = "_fn ";
    for (const char *at = begin; at < end; at++)
        if (*at == '*' || (end - at >= 4 && strncmp(at, callback, 4) == 0))
            return 1;
    return 0;
}

/* The declaration [begin, end) without its semicolon. */
static void read_function(header_function *function, const char *begin, const char *end) {
    const char *open = memchr(begin, '(', (size_t)(end - begin));
    ck_assert_ptr_nonnull(open);
    copy_last_name(function->name, begin, open);
    for (const char *at = open + 1; at < end;) {
        const char *stop = at;
        while (*stop != ',' && *stop != ')')
            stop++;
        if (is_pointer(at, stop)) {
            ck_assert_int_lt(function->pointer_count, HEADER_MOST_POINTERS);
            copy_last_name(function->pointers[function->pointer_count++], at, stop);
        }
        at = stop + 1;
    }
}

void header_read(header *read) {
    static const char mark[] = "\nALTERREC_API ";
    char *code = read_code();
    memset(read, 0, sizeof *read);
    for (char *at = code; (at = strstr(at, mark)) != NULL;) {
        at += sizeof mark - 1;
        char *end = strchr(at, ';');
        ck_assert_ptr_nonnull(end);
        ck_assert_int_lt(read->count, HEADER_MOST_FUNCTIONS);
        read_function(&read->functions[read->count++], at, end);
        ck_assert_msg(strncmp(read->functions[read->count - 1].name, "alterrec_", 9) == 0,
                      "%s is a public function", read->functions[read->count - 1].name);
    }
    ck_assert_int_gt(read->count, 50);
    free(code);
}
