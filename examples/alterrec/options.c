/* alterrec options: the table of options, or one of them. */
#include "arguments.h"
#include "program.h"
#include "settings.h"
#include "terminal.h"

#include <alterrec/alterrec.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_COLUMN_MOST = 12 };

static bool describe(alterrec_option *option, int64_t index) {
    option->struct_size = sizeof *option;
    return alterrec_option_describe(option, index) == ALTERREC_OK;
}

static void print_one(const alterrec_option *option) {
    printf("%s\n", option->key);
    printf("  type     %s\n", option->type);
    if (option->range[0] != '\0')
        printf("  range    %s\n", option->range);
    printf("  default  %s\n\n  ",
           option->default_value[0] != '\0' ? option->default_value : "\"\"");
    terminal_wrap(stdout, option->help, 2, 2);
}

/* Whether the option's key is `section` or stands under it ("model", "model."). */
static bool is_in_section(const alterrec_option *option, const char *section) {
    size_t length = strlen(section);
    if (length == 0)
        return true;
    if (section[length - 1] == '.')
        length--;
    return strncmp(option->key, section, length) == 0 && option->key[length] == '.';
}

/* "help (range)" behind key and default, wrapped in its own column. */
static void print_row(const alterrec_option *option, int key_width, int default_width) {
    const char *value = option->default_value[0] != '\0' ? option->default_value : "\"\"";
    int column = printf("%-*s  %-*s  ", key_width, option->key, default_width, value);
    int indent = key_width + default_width + 4;
    if (column > indent)
        printf("\n%*s", indent, "");
    char text[512];
    if (option->range[0] != '\0')
        snprintf(text, sizeof text, "%s (%s)", option->help, option->range);
    else
        snprintf(text, sizeof text, "%s (%s)", option->help, option->type);
    terminal_wrap(stdout, text, indent, indent);
}

static int print_table(const char *section) {
    alterrec_option option;
    int key_width = 0;
    int default_width = 0;
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (!describe(&option, i) || !is_in_section(&option, section))
            continue;
        int key = (int)strlen(option.key);
        int value = (int)strlen(option.default_value);
        key_width = key > key_width ? key : key_width;
        if (value > default_width && value <= DEFAULT_COLUMN_MOST)
            default_width = value;
    }
    if (key_width == 0)
        return PROGRAM_ERROR;
    const char *previous = "";
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (!describe(&option, i) || !is_in_section(&option, section))
            continue;
        size_t dot = strcspn(option.key, ".");
        if (previous[0] != '\0' && strncmp(previous, option.key, dot + 1) != 0)
            putchar('\n');
        print_row(&option, key_width, default_width);
        previous = option.key;
    }
    return PROGRAM_OK;
}

/* The library's own text for a key that is none names the nearest one. */
static int say_unknown(const char *key) {
    alterrec_config *config;
    const char *value;
    if (alterrec_config_create(&config) != ALTERREC_OK)
        return program_library_error();
    alterrec_config_get(&value, config, key);
    int code = program_library_error();
    alterrec_config_free(config);
    return code;
}

static int show(const char *key) {
    alterrec_option option;
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        if (describe(&option, i) && strcmp(option.key, key) == 0) {
            print_one(&option);
            return PROGRAM_OK;
        }
    }
    return print_table(key) == PROGRAM_OK ? PROGRAM_OK : say_unknown(key);
}

int options_command(int argc, char **argv) {
    command_line line = {
        .name = "options",
        .synopsis = "[KEY]",
        .about = "Prints every option with its default, meaning and range, one option (model.dim), "
                 "or one section (model). Options are set in a YAML file or with --set key=value.",
        .operands_high = 1,
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = line.operands.count > 0 ? show(line.operands.texts[0]) : print_table("");
    arguments_free(&line);
    return code;
}
