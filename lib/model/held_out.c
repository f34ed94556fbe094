#include "model/held_out.h"

#include "core/memory.h"
#include "core/threads.h"
#include "model/workspace.h"

#include <string.h>

enum { CHUNK_TOKENS = 2048 /* encoded in one pass, and scored together */ };

alterrec_status ar_held_out_not_finite(int64_t example, int32_t label) {
    return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                   "held-out example %lld (label %d): a score is not finite", (long long)example,
                   (int)label);
}

int64_t ar_held_out_examples(const alterrec_sessions *held_out) {
    int64_t examples = 0;
    for (int64_t s = 0; s < held_out->count; s++) {
        int64_t length = held_out->offsets[s + 1] - held_out->offsets[s];
        examples += length > 1 ? length - 1 : 0;
    }
    return examples;
}

/* The sessions cut into sequences for the encoder. One pass over a session's first max_len items
 * serves all prefixes up to that length; every longer prefix is a sequence of its own, its last
 * max_len items, because its positions begin anew. */
typedef struct sequence {
    int64_t first;    /* in the sessions' items */
    int64_t tokens;   /* 1..max_len */
    int64_t examples; /* so many of its last tokens are examples */
} sequence;

typedef struct cursor {
    int64_t session;
    int64_t prefix; /* the longest prefix of the session that is done */
} cursor;

static bool next_sequence(sequence *next, cursor *at, const alterrec_sessions *sessions,
                          int64_t max_len) {
    for (; at->session < sessions->count; at->session++, at->prefix = 0) {
        int64_t first = sessions->offsets[at->session];
        int64_t prefixes = sessions->offsets[at->session + 1] - first - 1;
        if (at->prefix >= prefixes)
            continue;
        if (at->prefix == 0) {
            at->prefix = prefixes < max_len ? prefixes : max_len;
            *next = (sequence){first, at->prefix, at->prefix};
        } else {
            at->prefix++;
            *next = (sequence){first + at->prefix - max_len, max_len, 1};
        }
        return true;
    }
    return false;
}

/* Sequences that the encoder takes in one pass. */
typedef struct session_chunk {
    int32_t *items;   /* [tokens] */
    int64_t *offsets; /* [sequences + 1] */
    int64_t *rows;    /* [examples] each example's token */
    int32_t *labels;  /* [examples] */
    int64_t sequences, tokens, examples;
} session_chunk;

static void free_chunk(session_chunk *chunk) {
    ar_free(chunk->items);
    ar_free(chunk->offsets);
    ar_free(chunk->rows);
    ar_free(chunk->labels);
}

static int64_t chunk_capacity(int64_t max_len) {
    return max_len > CHUNK_TOKENS ? max_len : CHUNK_TOKENS;
}

static alterrec_status create_chunk(session_chunk *chunk, int64_t capacity) {
    chunk->items = ar_new(capacity, sizeof *chunk->items);
    chunk->offsets = ar_new(capacity + 1, sizeof *chunk->offsets);
    chunk->rows = ar_new(capacity, sizeof *chunk->rows);
    chunk->labels = ar_new(capacity, sizeof *chunk->labels);
    return chunk->items != NULL && chunk->offsets != NULL && chunk->rows != NULL &&
                   chunk->labels != NULL
               ? ALTERREC_OK
               : ALTERREC_ERROR_OUT_OF_MEMORY;
}

static void add_sequence(session_chunk *chunk, const sequence *added, const int32_t *items) {
    memcpy(chunk->items + chunk->tokens, items + added->first,
           (size_t)added->tokens * sizeof *items);
    for (int64_t t = added->tokens - added->examples; t < added->tokens; t++) {
        chunk->rows[chunk->examples] = chunk->tokens + t;
        chunk->labels[chunk->examples++] = items[added->first + t + 1];
    }
    chunk->tokens += added->tokens;
    chunk->offsets[++chunk->sequences] = chunk->tokens;
}

/* Fills the chunk (NULL: only moves the cursor) with as many sequences as it holds; false if none
 * are left. */
static bool next_chunk(session_chunk *filled, cursor *at, const alterrec_sessions *sessions,
                       int64_t max_len) {
    int64_t capacity = chunk_capacity(max_len), tokens = 0;
    if (filled != NULL)
        filled->sequences = filled->tokens = filled->examples = 0;
    for (;;) {
        sequence next;
        cursor before = *at;
        if (!next_sequence(&next, at, sessions, max_len))
            return tokens > 0;
        if (tokens + next.tokens > capacity) {
            *at = before;
            return true;
        }
        tokens += next.tokens;
        if (filled != NULL)
            add_sequence(filled, &next, sessions->items);
    }
}

/* Everything of one run. */
typedef struct held_out_run {
    const alterrec_model *model;
    int64_t items, dim;
    int kinds;        /* of scores */
    int64_t examples; /* visited so far */
    ar_held_out_visit visit;
    void *state;
    ar_workspace *workspace;
    session_chunk chunk;
    float *tables[AR_SCORE_KINDS];  /* [items, dim] */
    float *vectors[AR_SCORE_KINDS]; /* [chunk capacity, dim], one row an example */
} held_out_run;

static const int model_kinds[AR_SCORE_KINDS] = {[AR_SCORE_ID] = ALTERREC_ID,
                                                [AR_SCORE_TEXT] = ALTERREC_TEXT,
                                                [AR_SCORE_JOINT] = ALTERREC_FUSED};

static void free_run(held_out_run *run) {
    for (int k = 0; k < AR_SCORE_KINDS; k++) {
        ar_free(run->tables[k]);
        ar_free(run->vectors[k]);
    }
    free_chunk(&run->chunk);
    ar_workspace_free(run->workspace);
}

static alterrec_status create_run(held_out_run *run) {
    const alterrec_model *model = run->model;
    int64_t capacity = chunk_capacity(model->shape.max_len);
    run->items = model->catalog->items;
    run->dim = model->shape.dim;
    run->kinds = model->is_joint ? 3 : model->has_text ? 2 : 1;
    AR_TRY(ar_workspace_create(&run->workspace));
    AR_TRY(create_chunk(&run->chunk, capacity));
    for (int k = 0; k < run->kinds; k++) {
        AR_NEW(run->tables[k], run->items * run->dim);
        AR_NEW(run->vectors[k], capacity * run->dim);
        AR_TRY(ar_model_table(run->tables[k], run->workspace->onednn, model, model_kinds[k]));
    }
    return ALTERREC_OK;
}

static alterrec_status visit_chunk(held_out_run *run) {
    const session_chunk *chunk = &run->chunk;
    ar_packed packed = {chunk->items, chunk->offsets, chunk->sequences, chunk->tokens};
    ar_held_out_chunk shown = {
        .first = run->examples,
        .labels = chunk->labels,
        .scoring = {
            .kinds = run->kinds, .rows = chunk->examples, .items = run->items, .dim = run->dim}};
    for (int k = 0; k < run->kinds; k++) {
        AR_TRY(ar_workspace_encode_rows(
            run->vectors[k], run->workspace,
            &ar_model_tower(run->model, model_kinds[k])->weights.encoder, &run->model->shape,
            run->tables[k], &packed, chunk->rows, chunk->examples));
        shown.scoring.vectors[k] = run->vectors[k];
        shown.scoring.tables[k] = run->tables[k];
        shown.scoring.scales[k] = ar_model_score_scale(run->model, model_kinds[k]);
    }
    AR_TRY(run->visit(&shown, run->state));
    run->examples += chunk->examples;
    return ALTERREC_OK;
}

/* Tells the callback; its answer is kept in *answer. */
static void tell(int32_t *answer, const ar_held_out_progress *progress, int64_t step, int64_t steps,
                 int64_t examples, double seconds) {
    *answer = 0;
    if (progress == NULL || progress->call == NULL)
        return;
    alterrec_progress told = {.struct_size = sizeof told,
                              .stage = ALTERREC_STAGE_VALIDATE,
                              .epoch = progress->epoch,
                              .epochs = progress->epochs,
                              .step = step,
                              .steps = steps,
                              .examples = examples,
                              .seconds = seconds};
    *answer = progress->call(&told, progress->user_data);
}

static alterrec_status visit_all(bool *stopped, held_out_run *run,
                                 const alterrec_sessions *held_out,
                                 const ar_held_out_progress *progress) {
    int64_t max_len = run->model->shape.max_len, step = 0, steps = 0;
    cursor counting = {0}, at = {0};
    double start = ar_clock_seconds();
    while (next_chunk(NULL, &counting, held_out, max_len))
        steps++;
    while (!*stopped && next_chunk(&run->chunk, &at, held_out, max_len)) {
        int32_t answer;
        AR_TRY(visit_chunk(run));
        uint64_t errors = ar_fail_count();
        tell(&answer, progress, ++step, steps, run->examples, ar_clock_seconds() - start);
        if (answer < 0)
            return ar_fail_answer(answer, "progress", errors);
        *stopped = answer > 0;
    }
    return ALTERREC_OK;
}

alterrec_status ar_held_out_run(bool *stopped, const alterrec_model *model,
                                const alterrec_sessions *held_out,
                                const ar_held_out_progress *progress, ar_held_out_visit visit,
                                void *state) {
    held_out_run run = {.model = model, .visit = visit, .state = state};
    *stopped = false;
    alterrec_status status = create_run(&run);
    if (status == ALTERREC_OK)
        status = visit_all(stopped, &run, held_out, progress);
    free_run(&run);
    return status;
}
