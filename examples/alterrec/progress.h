/* The progress of training and evaluation: a bar on a terminal, a line an epoch, the log file, and
 * Ctrl-C, which stops at the next step. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct cli_progress {
    const alterrec_trainer *trainer; /* its plan names the tower in training; NULL: an evaluation */
    char metric[32];                 /* "Hits@20" */
    FILE *log;                       /* an epoch a line of JSON; NULL: none */
    bool quiet;
    bool bar;           /* a line on stderr that is drawn again and again */
    bool head_shown;    /* of the table of epochs */
    int32_t epoch;      /* that `tower` is of; -1: none */
    int32_t tower;      /* 0: not known */
    double drawn_at;    /* seconds; when the bar was last drawn */
    int32_t best_epoch; /* -1: none */
} cli_progress;

/* Begins to catch Ctrl-C (SIGINT) and SIGTERM. `quiet`: neither bar nor lines. */
void progress_open(cli_progress *progress, const alterrec_trainer *trainer,
                   const alterrec_config *config, bool quiet);

/* Takes up what a resumed trainer did before: logs its epochs, so that a log begun anew holds all of
 * them, and finds the best. */
void progress_take_up(cli_progress *progress);

/* An alterrec_progress_fn; `user_data` is the progress. */
int32_t progress_callback(const alterrec_progress *state, void *user_data);

/* Whether Ctrl-C was pressed since progress_open. */
bool progress_was_interrupted(void);

/* Takes the bar away and gives the signals back. */
void progress_close(cli_progress *progress);

#endif
