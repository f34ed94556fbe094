/* Prints docs/options.md from the option table, as a host sees it. With a path as argument it
 * prints nothing, but compares that file with the table: status 1 and the first line that differs.
 */
#include <alterrec/alterrec.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints text with '|' and '*' as plain characters of a Markdown table. */
static void print_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        fprintf(out, strchr("|*<>_", *text) != NULL ? "\\%c" : "%c", *text);
}

static void print_head(FILE *out) {
    fputs(
        "<!-- Made from the option table, lib/data/option_table.c. Do not edit; after a change of "
        "the\n"
        "table: build/tests/tools/make_options_md > docs/options.md -->\n"
        "# Options\n"
        "\n"
        "Every option of `alterrec_config`: by name with `alterrec_config_set(config, "
        "\"model.dim\", "
        "\"128\")`, or from YAML\n"
        "with `alterrec_config_read`, nested or dotted:\n"
        "\n"
        "```yaml\n"
        "model:\n"
        "  dim: 128\n"
        "optimizer.learning_rate: 0.0005\n"
        "eval:\n"
        "  ks: [10, 20]\n"
        "  groups: [\"[0,10)\", \"[10,inf)\"]\n"
        "```\n"
        "\n"
        "Ranges include both ends; `>0..10` leaves out its lower end. A `list` is `1,3,5` or a "
        "YAML "
        "sequence; `ranges` are\n"
        "intervals of whole numbers, `[` and `]` with the bound, `(` and `)` without it, `inf` for "
        "no end.\n",
        out);
}

static void print_options(FILE *out) {
    print_head(out);
    const char *group = "";
    size_t group_length = 0;
    for (int64_t i = 0; i < alterrec_option_count(); i++) {
        alterrec_option option = {.struct_size = sizeof option};
        if (alterrec_option_describe(&option, i) != ALTERREC_OK) {
            fprintf(stderr, "%s\n", alterrec_last_error());
            exit(2);
        }
        if (group_length == 0 || strncmp(option.key, group, group_length) != 0) {
            group = option.key;
            group_length = strcspn(group, ".") + 1;
            fprintf(out,
                    "\n## %.*s\n\n| key | type | default | range | what it is |\n"
                    "|---|---|---|---|---|\n",
                    (int)group_length - 1, group);
        }
        const char *mark = option.default_value[0] != '\0' ? "`" : "";
        fprintf(out, "| `%s` | %s | %s%s%s | ", option.key, option.type, mark, option.default_value,
                mark);
        print_cell(out, option.range);
        fputs(" | ", out);
        print_cell(out, option.help);
        fputs(" |\n", out);
    }
}

/* 0 if the two files are alike, else 1 and a word about the first difference. */
static int compare(FILE *made, FILE *committed, const char *path) {
    char expected[4096], found[4096];
    for (int line = 1;; line++) {
        char *more = fgets(expected, sizeof expected, made);
        char *more_found = fgets(found, sizeof found, committed);
        if (more == NULL && more_found == NULL)
            return 0;
        if (more == NULL || more_found == NULL || strcmp(expected, found) != 0) {
            fprintf(stderr,
                    "%s:%d: differs from the option table; its first lines say how to remake it\n",
                    path, line);
            return 1;
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_options(stdout);
        return fflush(stdout) == 0 ? 0 : 2;
    }
    FILE *made = tmpfile(), *committed = fopen(argv[1], "r");
    int result = 2;
    if (made == NULL || committed == NULL) {
        perror(argv[1]);
    } else {
        print_options(made);
        rewind(made);
        result = compare(made, committed, argv[1]);
    }
    if (made != NULL)
        fclose(made);
    if (committed != NULL)
        fclose(committed);
    return result;
}
