/* The public functions and their pointer arguments, as the header declares them. */
#ifndef TEST_HEADER_H
#define TEST_HEADER_H

enum { HEADER_MOST_FUNCTIONS = 256, HEADER_MOST_POINTERS = 12, HEADER_NAME_SIZE = 64 };

typedef struct header_function {
    char name[HEADER_NAME_SIZE];
    char pointers[HEADER_MOST_POINTERS][HEADER_NAME_SIZE]; /* names of arguments */
    int pointer_count;
} header_function;

typedef struct header {
    header_function functions[HEADER_MOST_FUNCTIONS];
    int count;
} header;

/* Reads include/alterrec/alterrec.h; aborts the test if it does not look as expected. */
void header_read(header *read);

#endif
