#include "arguments.h"
#include "program.h"
#include "terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 32 };

void text_list_add(text_list *list, const char *text) {
    list->texts = program_resize(list->texts, list->count + 1, sizeof *list->texts);
    list->texts[list->count++] = text;
}

void arguments_free(command_line *line) {
    free(line->operands.texts);
    line->operands = (text_list){NULL, 0};
    for (int64_t i = 0; i < line->flag_count; i++) {
        if (line->flags[i].list != NULL) {
            free(line->flags[i].list->texts);
            *line->flags[i].list = (text_list){NULL, 0};
        }
    }
}

/* Levenshtein distance; words longer than LONGEST_NAME are far from everything. */
static int distance(const char *a, const char *b) {
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > LONGEST_NAME || b_length > LONGEST_NAME)
        return LONGEST_NAME;
    int row[LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *arguments_nearest(const char *word, const char *const *names, int64_t count) {
    const char *nearest = NULL;
    int best = (int)strlen(word) / 3 + 2;
    for (int64_t i = 0; i < count; i++) {
        int far = distance(word, names[i]);
        if (far < best) {
            best = far;
            nearest = names[i];
        }
    }
    return nearest;
}

int arguments_wrong(const command_line *line, const char *format, ...) {
    fflush(stdout);
    fprintf(stderr, "alterrec: %s: ", line->name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nusage: alterrec %s %s\n       alterrec %s --help\n", line->name,
            line->synopsis, line->name);
    return PROGRAM_USAGE;
}

static void print_help(const command_line *line) {
    printf("usage: alterrec %s %s\n\n", line->name, line->synopsis);
    terminal_wrap(stdout, line->about, 0, 0);
    printf("\nFlags:\n");
    for (int64_t i = 0; i < line->flag_count; i++) {
        const cli_flag *flag = &line->flags[i];
        char head[64];
        snprintf(head, sizeof head, "  --%s %s", flag->name,
                 flag->value_name != NULL ? flag->value_name : "");
        printf("%-22s ", head);
        terminal_wrap(stdout, flag->help, 23, 23);
    }
    printf("%-22s %s\n", "  --help", "this text");
}

static const cli_flag *find_flag(const command_line *line, const char *name, size_t length) {
    for (int64_t i = 0; i < line->flag_count; i++) {
        const char *candidate = line->flags[i].name;
        if (strlen(candidate) == length && memcmp(candidate, name, length) == 0)
            return &line->flags[i];
    }
    return NULL;
}

static int unknown_flag(const command_line *line, const char *name, size_t length) {
    char word[LONGEST_NAME + 1];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char **names = program_resize(NULL, line->flag_count, sizeof *names);
    for (int64_t i = 0; i < line->flag_count; i++)
        names[i] = line->flags[i].name;
    const char *nearest = arguments_nearest(word, names, line->flag_count);
    free(names);
    if (nearest != NULL)
        return arguments_wrong(line, "unknown flag --%s; did you mean --%s?", word, nearest);
    return arguments_wrong(line, "unknown flag --%s", word);
}

static int take_number(const command_line *line, const cli_flag *flag, const char *value) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < flag->low || number > flag->high)
        return arguments_wrong(line,
                               "--%s is %s, it must be a whole number in %" PRId64 "..%" PRId64,
                               flag->name, value, flag->low, flag->high);
    *flag->number = number;
    return PROGRAM_OK;
}

static int take_value(const command_line *line, const cli_flag *flag, const char *value) {
    if (flag->number != NULL)
        return take_number(line, flag, value);
    if (flag->text != NULL)
        *flag->text = value;
    else
        text_list_add(flag->list, value);
    return PROGRAM_OK;
}

/* Reads the flag at argv[*position] and moves *position to the last argument it took. */
static int take_flag(const command_line *line, int *position, int argc, char **argv) {
    const char *argument = argv[*position];
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const cli_flag *flag = find_flag(line, name, length);
    if (flag == NULL)
        return unknown_flag(line, name, length);
    if (flag->on != NULL) {
        if (value != NULL)
            return arguments_wrong(line, "--%s takes no value", flag->name);
        *flag->on = true;
        return PROGRAM_OK;
    }
    if (value == NULL) {
        if (*position + 1 >= argc)
            return arguments_wrong(line, "--%s needs a value (%s)", flag->name, flag->value_name);
        value = argv[++*position];
    }
    return take_value(line, flag, value);
}

static int check(const command_line *line) {
    for (int64_t i = 0; i < line->flag_count; i++) {
        const cli_flag *flag = &line->flags[i];
        if (flag->required && *flag->text == NULL)
            return arguments_wrong(line, "--%s %s is missing", flag->name, flag->value_name);
    }
    int64_t count = line->operands.count;
    if (count < line->operands_low)
        return arguments_wrong(line, "an argument is missing");
    if (line->operands_high >= 0 && count > line->operands_high)
        return arguments_wrong(line, "unexpected argument %s",
                               line->operands.texts[line->operands_high]);
    return PROGRAM_OK;
}

static bool is_flag(const char *argument) {
    return argument[0] == '-' && argument[1] != '\0';
}

static bool is_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

bool arguments_parse(int *exit_code, command_line *line, int argc, char **argv) {
    bool flags_over = false;
    *exit_code = PROGRAM_OK;
    for (int i = 1; i < argc && *exit_code == PROGRAM_OK; i++) {
        if (flags_over || !is_flag(argv[i])) {
            text_list_add(&line->operands, argv[i]);
        } else if (strcmp(argv[i], "--") == 0) {
            flags_over = true;
        } else if (is_help(argv[i])) {
            print_help(line);
            *exit_code = program_finish(PROGRAM_OK);
            arguments_free(line);
            return false;
        } else {
            *exit_code = take_flag(line, &i, argc, argv);
        }
    }
    if (*exit_code == PROGRAM_OK)
        *exit_code = check(line);
    if (*exit_code != PROGRAM_OK)
        arguments_free(line);
    return *exit_code == PROGRAM_OK;
}
