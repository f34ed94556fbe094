#include "model/held_out.h"

#include "core/memory.h"
#include "core/threads.h"
#include "model/workspace.h"

#include <string.h>

enum {
    CHUNK_TOKENS = 2048,   /* encoded in one pass */
    TILE_ROWS = 256,       /* examples scored in one product, at most */
    TILE_FLOATS = 4 << 20, /* and so many scores, unless AR_PRODUCT_ROWS examples have more */
    SCORERS = 3            /* in the order ID, text, joint */
};

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
    int64_t items, dim, tile_rows;
    int scorers;      /* the first so many */
    int64_t examples; /* visited so far */
    ar_held_out_visit visit;
    void *state;
    ar_workspace *workspace;
    session_chunk chunk;
    float *tables[SCORERS];  /* [items, dim] */
    float *vectors[SCORERS]; /* [chunk capacity + AR_PRODUCT_ROWS, dim], one row an example */
    float *scores[SCORERS];  /* [tile_rows, items] */
} held_out_run;

static const int kinds[SCORERS] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED};

static void free_run(held_out_run *run) {
    for (int i = 0; i < SCORERS; i++) {
        ar_free(run->tables[i]);
        ar_free(run->vectors[i]);
        ar_free(run->scores[i]);
    }
    free_chunk(&run->chunk);
    ar_workspace_free(run->workspace);
}

static alterrec_status create_run(held_out_run *run) {
    const alterrec_model *model = run->model;
    int64_t capacity = chunk_capacity(model->shape.max_len);
    run->items = model->catalog->items;
    run->dim = model->shape.dim;
    run->tile_rows = TILE_FLOATS / run->items;
    run->tile_rows = run->tile_rows > TILE_ROWS ? TILE_ROWS : run->tile_rows;
    run->tile_rows = run->tile_rows < AR_PRODUCT_ROWS ? AR_PRODUCT_ROWS : run->tile_rows;
    run->scorers = model->is_joint ? 3 : model->has_text ? 2 : 1;
    AR_TRY(ar_workspace_create(&run->workspace));
    AR_TRY(create_chunk(&run->chunk, capacity));
    for (int i = 0; i < run->scorers; i++) {
        AR_NEW(run->tables[i], run->items * run->dim);
        AR_NEW(run->vectors[i], (capacity + AR_PRODUCT_ROWS) * run->dim);
        AR_NEW(run->scores[i], run->tile_rows * run->items);
        AR_TRY(ar_model_table(run->tables[i], run->workspace->onednn, model, kinds[i]));
    }
    return ALTERREC_OK;
}

/* Scores `rows` examples of the chunk from its example `first` on, and has them visited. */
static alterrec_status visit_tile(held_out_run *run, int64_t first, int64_t rows) {
    int64_t padded = rows < AR_PRODUCT_ROWS ? AR_PRODUCT_ROWS : rows;
    for (int i = 0; i < run->scorers; i++)
        AR_TRY(ar_matmul(run->workspace->onednn, run->scores[i], run->vectors[i] + first * run->dim,
                         run->tables[i], NULL, padded, run->items, run->dim,
                         AR_WEIGHTS_TRANSPOSED));
    ar_held_out_tile tile = {.first = run->examples,
                             .rows = rows,
                             .items = run->items,
                             .labels = run->chunk.labels + first,
                             .id = run->scores[0],
                             .text = run->scores[1],
                             .text_scale = ar_model_score_scale(run->model, ALTERREC_TEXT),
                             .joint = run->scores[2]};
    AR_TRY(run->visit(&tile, run->state));
    run->examples += rows;
    return ALTERREC_OK;
}

static alterrec_status visit_chunk(held_out_run *run) {
    const session_chunk *chunk = &run->chunk;
    ar_packed packed = {chunk->items, chunk->offsets, chunk->sequences, chunk->tokens};
    for (int i = 0; i < run->scorers; i++)
        AR_TRY(ar_workspace_encode_rows(
            run->vectors[i], run->workspace, &ar_model_tower(run->model, kinds[i])->weights.encoder,
            &run->model->shape, run->tables[i], &packed, chunk->rows, chunk->examples));
    for (int64_t first = 0; first < chunk->examples; first += run->tile_rows) {
        int64_t left = chunk->examples - first;
        AR_TRY(visit_tile(run, first, left < run->tile_rows ? left : run->tile_rows));
    }
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
