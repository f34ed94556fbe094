/* What every part of the program shares: exit codes, messages, memory, the commands. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

enum {
    PROGRAM_OK = 0,
    PROGRAM_ERROR = 1, /* the work failed */
    PROGRAM_USAGE = 2, /* the command line makes no sense */
};

/* The commands: each reads its own command line (argv[0] is its name) and returns an exit code. */
int train_command(int argc, char **argv);
int evaluate_command(int argc, char **argv);
int recommend_command(int argc, char **argv);
int snapshot_command(int argc, char **argv);
int inspect_command(int argc, char **argv);
int report_command(int argc, char **argv);
int options_command(int argc, char **argv);
int generate_command(int argc, char **argv);
int vectors_command(int argc, char **argv);
int bench_command(int argc, char **argv);

/* Prints "alterrec: <text>" to stderr and returns PROGRAM_ERROR. */
int program_error(const char *format, ...) PROGRAM_PRINTF(1, 2);

/* program_error with the text of the library's last error. */
int program_library_error(void);

/* Prints "alterrec: warning: <text>" to stderr. */
void program_warn(const char *format, ...) PROGRAM_PRINTF(1, 2);

/* Ends the output on stdout: PROGRAM_ERROR if any of it could not be written, else `code`. */
int program_finish(int code);

/* realloc of `count` elements that ends the program when memory is out; `pointer` may be NULL. */
void *program_resize(void *pointer, int64_t count, size_t size);

#endif
