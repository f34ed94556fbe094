/* A model small enough to check by hand: random weights, random text features, twin items. */
#ifndef TEST_SMALL_MODEL_H
#define TEST_SMALL_MODEL_H

#include "core/random.h"

#include <alterrec/alterrec.h>
#include <stdbool.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

/* Options of every small model; a session of more items is cut. */
enum { SMALL_MAX_LEN = 6, SMALL_DIM = 16 };

typedef struct small_model {
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model;
    ar_random random;
    int64_t items;
} small_model;

/* Every item i with i % 5 == 4 is the twin of item i - 1: their scores are equal bit for bit. */
void small_model_open(small_model *small, int64_t items, bool text);
void small_model_close(small_model *small);

/* `count` sessions of 1..longest random items; the caller frees them. */
alterrec_sessions *small_sessions(small_model *small, int64_t count, int64_t longest);

/* Adds the session to the batch. */
void small_add(alterrec_batch *batch, const alterrec_sessions *sessions, int64_t session);

#endif
