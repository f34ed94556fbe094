/* The command line: flags from a table, operands, help, and "did you mean". */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct text_list {
    const char **texts;
    int64_t count;
} text_list;

/* One flag. Where its value goes says what it takes: exactly one of the four targets is not NULL.
 */
typedef struct cli_flag {
    const char *name;       /* "model": given as --model FILE or --model=FILE */
    const char *value_name; /* "FILE", for the help; NULL for a switch */
    const char *help;
    bool *on;          /* a switch: takes no value */
    const char **text; /* any text; the last one given counts */
    int64_t *number;   /* a whole number in low..high */
    text_list *list;   /* any text, may be given several times */
    int64_t low;
    int64_t high;
    bool required;
} cli_flag;

typedef struct command_line {
    const char *name;     /* "train" */
    const char *synopsis; /* "[CONFIG.yaml ...] --model OUT.safetensors [flags]" */
    const char *about;    /* the help's paragraph */
    const cli_flag *flags;
    int64_t flag_count;
    int64_t operands_low;
    int64_t operands_high; /* -1: any number */
    text_list operands;
} command_line;

/* Reads argv[1..] into the flags' targets and `operands`. False: the program ends with *exit_code,
 * because the help was asked for or because the command line is wrong (already said on stderr). */
bool arguments_parse(int *exit_code, command_line *line, int argc, char **argv);

/* Says what is wrong with the command line and how it goes; returns PROGRAM_USAGE. */
int arguments_wrong(const command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Frees the operands and the lists of the flags. */
void arguments_free(command_line *line);

/* Appends a borrowed text. */
void text_list_add(text_list *list, const char *text);

/* The entry of `names` nearest to `word`, or NULL if none is near. */
const char *arguments_nearest(const char *word, const char *const *names, int64_t count);

#endif
