/* alterrec generate: a synthetic shop as files. */
#include "arguments.h"
#include "program.h"
#include "shop.h"
#include "terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TITLE_SIZE = 128, DAYS = 90, SECONDS_A_DAY = 86400, VIEW_LEAST = 5, VIEW_MOST = 120 };

static const int64_t FIRST_DAY = 1704067200; /* 2024-01-01 UTC */

/* A file of the shop in the making. */
typedef struct output_file {
    char *path;
    FILE *stream; /* NULL: it could not be opened */
} output_file;

static output_file output_open(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    output_file output;
    output.path = program_resize(NULL, (int64_t)size, 1);
    snprintf(output.path, size, "%s/%s", folder, name);
    output.stream = fopen(output.path, "w");
    if (output.stream == NULL)
        program_error("%s: %s", output.path, strerror(errno));
    return output;
}

/* Ends the file: PROGRAM_ERROR, with a message, if any of it could not be written. */
static int output_close(output_file *output) {
    int code = PROGRAM_ERROR;
    if (output->stream != NULL) {
        bool failed = ferror(output->stream) != 0;
        failed |= fclose(output->stream) != 0;
        code = failed ? program_error("%s: can't be written", output->path) : PROGRAM_OK;
    }
    free(output->path);
    return code;
}

/* Makes the folder and those above it that are missing. */
static int make_folder(const char *folder) {
    size_t length = strlen(folder);
    char *path = program_resize(NULL, (int64_t)length + 1, 1);
    int code = PROGRAM_OK;
    for (size_t i = 1; i <= length && code == PROGRAM_OK; i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        memcpy(path, folder, i);
        path[i] = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            code = program_error("%s: %s", path, strerror(errno));
    }
    free(path);
    return code;
}

static int write_items(const char *folder, const cli_shop *shop) {
    output_file output = output_open(folder, "items.tsv");
    if (output.stream != NULL) {
        char title[TITLE_SIZE];
        fputs("item\ttext\n", output.stream);
        for (int64_t item = 0; item < shop->items && !ferror(output.stream); item++) {
            shop_title(title, sizeof title, shop, item);
            fprintf(output.stream, "P%06" PRId64 "\t%s\n", item, title);
        }
    }
    return output_close(&output);
}

/* Sessions begin evenly over the days; a visitor looks at an item for a while. */
static void write_session(FILE *stream, int64_t session, int64_t sessions, cli_shop *shop,
                          cli_dice *clock) {
    int64_t items[SHOP_SESSION_MOST];
    double share = (double)session / (double)sessions;
    int64_t length = shop_session(items, shop);
    time_t now = (time_t)(FIRST_DAY + (int64_t)(share * DAYS * SECONDS_A_DAY));
    for (int64_t i = 0; i < length; i++) {
        struct tm calendar;
        char text[32];
        gmtime_r(&now, &calendar);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &calendar);
        fprintf(stream, "S%07" PRId64 ",P%06" PRId64 ",%s\n", session, items[i], text);
        now += VIEW_LEAST + dice_below(clock, VIEW_MOST - VIEW_LEAST);
    }
}

static int write_sessions(const char *folder, int64_t sessions, cli_shop *shop) {
    output_file output = output_open(folder, "sessions.csv");
    if (output.stream != NULL) {
        cli_dice clock = {shop->seed};
        fputs("session,item,time\n", output.stream);
        for (int64_t session = 0; session < sessions && !ferror(output.stream); session++)
            write_session(output.stream, session, sessions, shop, &clock);
    }
    return output_close(&output);
}

/* A path between YAML's single quotes, in which only the quote itself needs care. */
static void write_path(FILE *stream, const char *key, const char *folder, const char *name) {
    fprintf(stream, "  %s: '", key);
    for (const char *at = folder; *at != '\0'; at++)
        fputs(*at == '\'' ? "''" : (char[]){*at, '\0'}, stream);
    fprintf(stream, "/%s'\n", name);
}

static int write_options(const char *folder) {
    output_file output = output_open(folder, "shop.yaml");
    if (output.stream != NULL) {
        fputs("# A generated shop. The paths are as seen from where it was generated.\n"
              "# Train on it:  alterrec train THIS_FILE --model shop.safetensors\n"
              "data:\n",
              output.stream);
        write_path(output.stream, "interactions", folder, "sessions.csv");
        write_path(output.stream, "items", folder, "items.tsv");
        fputs("  session_column: session\n"
              "  item_column: item\n"
              "  time_column: time\n"
              "  item_key_column: item\n"
              "  item_text_column: text\n"
              "  split: time\n"
              "  valid_share: 0.1\n"
              "  test_share: 0.1\n",
              output.stream);
    }
    return output_close(&output);
}

static int generate(const char *folder, int64_t items, int64_t sessions, int64_t categories,
                    int64_t seed) {
    if (make_folder(folder) != PROGRAM_OK)
        return PROGRAM_ERROR;
    cli_shop shop;
    shop_open(&shop, items, categories, (uint64_t)seed);
    int code = write_items(folder, &shop);
    if (code == PROGRAM_OK)
        code = write_sessions(folder, sessions, &shop);
    if (code == PROGRAM_OK)
        code = write_options(folder);
    shop_close(&shop);
    if (code == PROGRAM_OK)
        printf("%s: %s items, %s sessions\n", folder, terminal_count(items),
               terminal_count(sessions));
    return code;
}

int generate_command(int argc, char **argv) {
    const char *folder = NULL;
    int64_t items = 2000;
    int64_t sessions = 8000;
    int64_t categories = 12;
    int64_t seed = 1;
    const cli_flag flags[] = {
        {.name = "out",
         .value_name = "DIR",
         .text = &folder,
         .required = true,
         .help = "folder for sessions.csv, items.tsv and shop.yaml; made if it is missing"},
        {.name = "items",
         .value_name = "N",
         .number = &items,
         .low = SHOP_ITEMS_LEAST,
         .high = 100000000,
         .help = "items (2000)"},
        {.name = "sessions",
         .value_name = "S",
         .number = &sessions,
         .low = 1,
         .high = 1000000000,
         .help = "sessions of 2 to 40 items, 5 on average (8000)"},
        {.name = "categories",
         .value_name = "C",
         .number = &categories,
         .low = 1,
         .high = SHOP_CATEGORIES_MOST,
         .help = "kinds of items, at most 16 (12)"},
        {.name = "seed",
         .value_name = "X",
         .number = &seed,
         .low = 0,
         .high = INT64_MAX,
         .help = "the same seed and sizes give the same files (1)"},
    };
    command_line line = {
        .name = "generate",
        .synopsis = "--out DIR [--items N] [--sessions S] [--categories C] [--seed X]",
        .about = "Writes a synthetic shop: popular items that are bought in bundles, which only "
                 "item IDs can learn, and rare items in series, which only titles tell.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
    };
    int code;
    if (!arguments_parse(&code, &line, argc, argv))
        return code;
    code = generate(folder, items, sessions, categories, seed);
    arguments_free(&line);
    return code;
}
