/*
 * alterrec: train, evaluate and use session-based recommenders from the command line.
 * Everything here goes through the public header <alterrec/alterrec.h>.
 */
#include "arguments.h"
#include "program.h"

#include <alterrec/alterrec.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
    bool long_loops; /* of several threads */
} command;

static const command commands[] = {
    {"train", train_command, "train a model, save it, evaluate it on the test sessions", true},
    {"evaluate", evaluate_command, "Hits, MRR and NDCG of a model on held-out sessions", true},
    {"recommend", recommend_command, "the best next items of sessions", false},
    {"snapshot", snapshot_command, "write the file that serving opens in milliseconds", false},
    {"inspect", inspect_command, "what a model file or a data file holds", false},
    {"report", report_command, "a page with curves and figures, from a training's log", false},
    {"options", options_command, "every option with default, range and meaning", false},
    {"generate", generate_command, "write a synthetic shop to try things on", false},
    {"vectors", vectors_command, "vectors of items and sessions as .npy files", false},
    {"bench", bench_command, "how fast the library is on this machine", false},
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

/* OpenMP's threads wait for each other by spinning. On a busy machine that uses up the time which
 * the others need to arrive, and many turns gain nothing on a quiet one (docs/threading.md). GCC's
 * OpenMP reads how many before main, so the program begins once more, with the number that OpenMP
 * takes itself when it has more threads than processors. If that can't be done it goes on as it is.
 */
static void spin_less(char **argv) {
    char program[PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL)
        return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length <= 0 || (size_t)length >= sizeof program)
        return;
    program[length] = '\0';
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0)
        (void)execv(program, argv);
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
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].long_loops)
            spin_less(argv);
        return program_finish(commands[i].run(argc - 1, argv + 1));
    }
    return unknown_command(name);
}
