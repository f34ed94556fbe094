/*
 * alterrec: train, evaluate and use session-based recommenders from the command line.
 * Everything here goes through the public header <alterrec/alterrec.h>.
 */
#include "arguments.h"
#include "program.h"

#include <alterrec/alterrec.h>
#include <stdio.h>
#include <string.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} command;

static const command commands[] = {
    {"train", train_command, "train a model, save it, evaluate it on the test sessions"},
    {"evaluate", evaluate_command, "Hits, MRR and NDCG of a model on held-out sessions"},
    {"recommend", recommend_command, "the best next items of sessions"},
    {"snapshot", snapshot_command, "write the file that serving opens in milliseconds"},
    {"inspect", inspect_command, "what a model file or a data file holds"},
    {"report", report_command, "a page with curves and figures, from a training's log"},
    {"options", options_command, "every option with default, range and meaning"},
    {"generate", generate_command, "write a synthetic shop to try things on"},
    {"vectors", vectors_command, "vectors of items and sessions as .npy files"},
    {"bench", bench_command, "how fast the library is on this machine"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *stream) {
    fputs("usage: alterrec COMMAND [arguments]\n\n", stream);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].about);
    fputs("\n  alterrec COMMAND --help    what a command takes\n"
          "  alterrec --version         version of program and library\n",
          stream);
}

static int unknown_command(const char *name) {
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = arguments_nearest(name, names, COMMANDS);
    fprintf(stderr, "alterrec: unknown command %s%s%s%s\n", name,
            nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "?" : "");
    print_usage(stderr);
    return PROGRAM_USAGE;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return PROGRAM_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return program_finish(PROGRAM_OK);
    }
    if (strcmp(name, "--version") == 0) {
        printf("%s\n", alterrec_build_info());
        return program_finish(PROGRAM_OK);
    }
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0)
            return program_finish(commands[i].run(argc - 1, argv + 1));
    }
    return unknown_command(name);
}
