#include "serve/search.h"

#include "core/limit.h"
#include "core/memory.h"
#include "nn/compact.h"
#include "serve/exact.h"
#include "serve/query.h"
#include "serve/scan.h"

#include <math.h>
#include <string.h>

enum {
    ROOM = 8192,            /* candidates that a session has room for, at least */
    EXACT_ROOM = 2048,      /* of f32 scores, beyond twice k */
    ROOM_OF_K = 8,          /* and for so many times k, */
    ROOM_SHARE = 32,        /* and for an item in so many: bounds are as wide in a large catalog */
    TILE_BYTES = 64 << 20,  /* of all candidates of a tile of sessions, unless one needs more */
    FINE_SESSIONS = 4,      /* up to so many the table is read faster than it is multiplied */
    LIST_SHARE = 4,         /* a list that is so many times shorter than the table is worth it */
    THREAD_VALUES = 1 << 21 /* multiply-adds that a thread is worth waking for */
};

typedef struct outcome {
    int64_t reranked;
    bool guaranteed;
} outcome;

/* One search. Arrays [threads] or [sessions] are of the tile that is under way. */
typedef struct run {
    ar_search *search;
    const ar_item_index *index;
    const ar_allowed *allowed;
    int64_t tile;              /* sessions that there is room for */
    int64_t capacity;          /* candidates of a session for which one thread has room */
    int64_t steps, tail_steps; /* of codes */
    int parts;
    int threads;

    ar_candidate *entries;   /* [tile, threads, capacity] */
    float *best;             /* [threads, tile, deepest] */
    int64_t deepest;         /* candidates that are wanted at most */
    ar_candidates *lists;    /* [threads, tile] */
    ar_candidates **list_of; /* [threads, tile]: of a session in the scan */
    char *scratch, *work;    /* [threads] of so many bytes: */
    int64_t scratch_bytes, work_bytes;
    float *vectors;       /* [tile, width] */
    ar_query_codes codes; /* [tile, parts, steps] of 4 bytes, [tile, parts] */
    ar_query *queries;    /* [tile] */
    int64_t *sessions;    /* [tile] */
    double *z;            /* [threads, 2, width] */
    outcome *outcomes;    /* [tile] */

    ar_scan scan;
    const int32_t *order; /* of an exact scan */
    int64_t extent;       /* items or panels of the scan */
    int64_t depth;        /* candidates wanted */
    int64_t per_list;
    bool exact; /* candidates have one score each */
} run;

void ar_search_memory_free(ar_search_memory *memory) {
    ar_free(memory->bytes);
    *memory = (ar_search_memory){0};
}

/* ---- Memory ---- */

/* The next `bytes` at *used; NULL while sizes are only added up (base NULL). */
static void *carve(char *base, int64_t *used, int64_t bytes) {
    void *at = base != NULL ? base + *used : NULL;
    *used += (bytes + 63) / 64 * 64;
    return at;
}

/* Lays out everything behind `base`; returns the bytes. */
static int64_t lay_out(run *r, char *base) {
    int64_t used = 0, width = r->index->width, lists = r->threads * r->tile;
    r->entries = carve(base, &used, lists * r->capacity * (int64_t)sizeof *r->entries);
    r->best = carve(base, &used, lists * r->deepest * (int64_t)sizeof *r->best);
    r->lists = carve(base, &used, lists * (int64_t)sizeof *r->lists);
    r->list_of = carve(base, &used, lists * (int64_t)sizeof *r->list_of);
    r->scratch = carve(base, &used, r->threads * r->scratch_bytes);
    r->work = carve(base, &used, r->threads * r->work_bytes);
    r->vectors = carve(base, &used, r->tile * width * (int64_t)sizeof *r->vectors);
    r->codes.head = carve(base, &used, r->tile * r->parts * r->steps * 4);
    r->codes.tail = carve(base, &used, r->tile * r->parts * r->tail_steps * 4);
    r->codes.head_begins = carve(base, &used, r->tile * r->parts * (int64_t)sizeof(int32_t));
    r->codes.tail_begins = carve(base, &used, r->tile * r->parts * (int64_t)sizeof(int32_t));
    r->queries = carve(base, &used, r->tile * (int64_t)sizeof *r->queries);
    r->sessions = carve(base, &used, r->tile * (int64_t)sizeof *r->sessions);
    r->z = carve(base, &used, r->threads * 2 * width * (int64_t)sizeof *r->z);
    r->outcomes = carve(base, &used, r->tile * (int64_t)sizeof *r->outcomes);
    return used;
}

static alterrec_status reserve(run *r, ar_search_memory *memory) {
    int64_t bytes = lay_out(r, NULL);
    if (bytes > memory->capacity) {
        ar_search_memory_free(memory);
        memory->bytes = ar_new(bytes, 1);
        if (memory->bytes == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        memory->capacity = bytes;
    }
    (void)lay_out(r, memory->bytes);
    return ALTERREC_OK;
}

/* ---- Parts of a tile ---- */

/* One thread's share. */
typedef void (*share)(run *r, int part);

static void share_out(run *r, share work) {
    if (r->threads == 1) {
        work(r, 0);
        return;
    }
#pragma omp parallel for schedule(static, 1) num_threads(r->threads)
    for (int part = 0; part < r->threads; part++)
        work(r, part);
}

static void scan_part(run *r, int part) {
    ar_candidates **lists = r->list_of + part * r->tile;
    void *work = r->work + part * r->work_bytes, *scratch = r->scratch + part * r->scratch_bytes;
    for (int64_t s = 0; s < r->scan.count; s++) {
        lists[s] = r->lists + part * r->tile + s;
        ar_candidates_begin(lists[s], r->entries + (s * r->threads + part) * r->capacity,
                            r->best + (part * r->tile + s) * r->deepest, r->capacity, r->depth,
                            r->exact, r->allowed->categories, r->per_list);
    }
    int64_t first = r->extent * part / r->threads, last = r->extent * (part + 1) / r->threads;
    if (r->scan.queries != NULL)
        ar_scan_compact(lists, &r->scan, first, last, scratch, work);
    else
        ar_scan_exact(lists, &r->scan, r->order, first, last, scratch, work);
}

/* All threads' candidates of session `s` in one list, that of the first; whether they are
 * complete. */
static bool merge(ar_candidates *merged, const run *r, int64_t s) {
    *merged = r->lists[s];
    merged->capacity = r->threads * r->capacity;
    for (int part = 0; part < r->threads; part++) {
        const ar_candidates *list = r->lists + part * r->tile + s;
        if (list->overflown)
            return false;
        merged->threshold = fmaxf(merged->threshold, list->threshold);
    }
    merged->count = 0;
    for (int part = 0; part < r->threads; part++) {
        const ar_candidates *list = r->lists + part * r->tile + s;
        for (int64_t i = 0; i < list->count; i++)
            if (r->exact || list->entries[i].upper >= merged->threshold)
                merged->entries[merged->count++] = list->entries[i];
    }
    return true;
}

static void put_out(const run *r, int64_t s, ar_candidates *best, void *work) {
    int64_t at = r->scan.sessions[s] * r->search->k;
    best->k = r->search->k;
    ar_candidates_finish(r->search->items + at, r->search->scores + at, best, work);
}

static void finish_exact_part(run *r, int part) {
    for (int64_t s = part; s < r->scan.count; s += r->threads) {
        ar_candidates merged;
        (void)merge(&merged, r, s);
        put_out(r, s, &merged, r->work + part * r->work_bytes);
    }
}

/* Scores candidates first .. first + count - 1 (at most AR_EXACT_ROWS), in place. */
static void score_entries(run *r, int part, int64_t s, ar_candidate *entries, int64_t count) {
    float *id = (float *)(void *)(r->scratch + part * r->scratch_bytes);
    float *text = id + AR_EXACT_ROWS, *pack = text + AR_EXACT_ROWS;
    int32_t order[AR_EXACT_ROWS];
    for (int64_t i = 0; i < count; i++)
        order[i] = entries[i].item;
    ar_exact_towers(id, text, pack, r->index,
                    r->search->vectors + r->scan.sessions[s] * r->index->width, 1, order, 0, count);
    ar_exact_fuse(id, text, r->index, 1);
    for (int64_t i = 0; i < count; i++)
        entries[i].lower = entries[i].upper = id[i];
}

static void score_all(run *r, int part, int64_t s, ar_candidate *entries, int64_t count) {
    for (int64_t i = 0; i < count; i += AR_EXACT_ROWS)
        score_entries(r, part, s, entries + i, ar_at_most(count - i, AR_EXACT_ROWS));
}

/* The f32 scores of the k best by lower bound, then of what may still be better than the k-th of
 * them, from the highest upper bound down. Those scored stand in front. */
static void rerank(run *r, int part, int64_t s, ar_candidates *merged) {
    void *work = r->work + part * r->work_bytes;
    double common = r->queries[s].common;
    ar_candidates best = *merged;
    best.exact = true;
    best.count = ar_candidates_lead(merged, work);
    score_all(r, part, s, best.entries, best.count);
    double last = (double)ar_candidates_last(&best, work);
    ar_candidate *rest = best.entries + best.count;
    int64_t left = 0;
    for (int64_t i = 0; i < merged->count - best.count; i++)
        if ((double)rest[i].upper + common >= last)
            rest[left++] = rest[i];
    ar_candidates_order(rest, left);
    for (int64_t i = 0, chunk; i < left; i += chunk) {
        if ((double)rest[i].upper + common < last)
            break;
        chunk = ar_at_most(left - i, AR_INDEX_ROWS);
        score_all(r, part, s, rest + i, chunk);
        best.count += chunk;
        last = (double)ar_candidates_last(&best, work);
    }
    r->outcomes[s].reranked = best.count;
    put_out(r, s, &best, work);
}

static void rerank_part(run *r, int part) {
    for (int64_t s = part; s < r->scan.count; s += r->threads) {
        ar_candidates merged;
        r->outcomes[s] = (outcome){0};
        if (!merge(&merged, r, s))
            continue;
        rerank(r, part, s, &merged);
        r->outcomes[s].guaranteed = true;
    }
}

/* All candidates' f32 scores. The list is certain if what was left out, the n-th best compact score
 * at the most, is below the k-th f32 score by more than any error. */
static void estimates_part(run *r, int part) {
    void *work = r->work + part * r->work_bytes;
    const float *slack = r->index->slack;
    for (int64_t s = part; s < r->scan.count; s += r->threads) {
        ar_candidates merged;
        (void)merge(&merged, r, s);
        /* What fell behind others of its category may be better than its score here says. */
        bool crowded = merged.categories != NULL, all = merged.count < r->depth;
        ar_candidates_prune(&merged, work);
        const ar_query *query = r->queries + s;
        double last = (double)ar_candidates_last(&merged, work);
        double error = (double)query->row_error * (double)slack[AR_INDEX_LARGEST_ERROR] +
                       (double)query->tail_error * (double)slack[AR_INDEX_LARGEST_TAIL_ERROR] +
                       (double)query->norm_error * (double)slack[AR_INDEX_LARGEST] +
                       (double)query->constant;
        score_all(r, part, s, merged.entries, merged.count);
        merged.k = r->search->k;
        merged.per_list = r->allowed->per_list;
        merged.categories = merged.per_list < merged.k ? r->allowed->categories : NULL;
        double worst = (double)ar_candidates_last(&merged, work);
        bool below = last + error * (1.0 + 1e-6) + query->common < worst;
        r->outcomes[s] = (outcome){merged.count, !crowded && (all || below)};
        put_out(r, s, &merged, work);
    }
}

/* ---- A tile of sessions ---- */

/* By f32 scores, for the sessions in r->sessions. */
static void run_exact(run *r, int64_t count, const int32_t *order, int64_t extent) {
    int64_t width = r->index->width;
    for (int64_t s = 0; s < count; s++)
        memcpy(r->vectors + s * width, r->search->vectors + r->sessions[s] * width,
               (size_t)width * sizeof *r->vectors);
    r->scan = (ar_scan){.index = r->index,
                        .allowed = r->allowed,
                        .vectors = r->vectors,
                        .sessions = r->sessions,
                        .count = count};
    r->order = order;
    r->extent = extent;
    r->depth = r->search->k;
    r->per_list = r->allowed->per_list;
    r->exact = true;
    share_out(r, scan_part);
    share_out(r, finish_exact_part);
    r->search->guaranteed += count;
}

/* Where the codes of session `s` of the tile are. */
static ar_query_codes codes_of(const run *r, int64_t s) {
    int64_t at = s * r->parts;
    return (ar_query_codes){(char *)r->codes.head + at * r->steps * 4,
                            (char *)r->codes.tail + at * r->tail_steps * 4,
                            r->codes.head_begins + at, r->codes.tail_begins + at};
}

static void make_queries(run *r, int part) {
    for (int64_t s = part; s < r->scan.count; s += r->threads) {
        ar_query_codes codes = codes_of(r, s);
        ar_query_make(r->queries + s, &codes, r->index,
                      r->search->vectors + r->sessions[s] * r->index->width, r->parts,
                      r->z + part * 2 * r->index->width);
    }
}

static void move_query(run *r, int64_t to, int64_t from) {
    ar_query_codes target = codes_of(r, to), source = codes_of(r, from);
    size_t begins = (size_t)r->parts * sizeof *target.head_begins;
    r->queries[to] = r->queries[from];
    r->sessions[to] = r->sessions[from];
    memcpy(target.head, source.head, (size_t)(r->parts * r->steps * 4));
    memcpy(target.tail, source.tail, (size_t)(r->parts * r->tail_steps * 4));
    memcpy(target.head_begins, source.head_begins, begins);
    memcpy(target.tail_begins, source.tail_begins, begins);
}

/* Moves the queries that can be asked to the front, the sessions of the others to `left`. */
static int64_t keep_usable(run *r, int64_t *left) {
    int64_t usable = 0, others = 0;
    for (int64_t s = 0; s < r->scan.count; s++) {
        if (!r->queries[s].usable) {
            left[others++] = r->sessions[s];
            continue;
        }
        if (usable < s)
            move_query(r, usable, s);
        usable++;
    }
    return usable;
}

/* By the compact copy; what cannot be asked or answered that way, by f32. */
static void run_compact(run *r, int64_t first, int64_t count) {
    ar_search *search = r->search;
    int64_t left[AR_SCAN_SESSIONS];
    for (int64_t s = 0; s < count; s++)
        r->sessions[s] = first + s;
    r->scan.count = count;
    share_out(r, make_queries);
    int64_t usable = keep_usable(r, left), others = count - usable;
    r->scan = (ar_scan){.index = r->index,
                        .allowed = r->allowed,
                        .sessions = r->sessions,
                        .count = usable,
                        .estimates = search->candidates > 0,
                        .parts = r->parts,
                        .queries = r->queries,
                        .codes = r->codes};
    r->extent = (r->index->shape.items + AR_INDEX_ROWS - 1) / AR_INDEX_ROWS;
    r->exact = search->candidates > 0;
    r->depth = r->exact ? search->candidates : search->k;
    /* Where only so many are scored, a category gets as many times more than it may fill. */
    r->per_list = r->allowed->per_list * ((r->depth + search->k - 1) / search->k);
    if (usable > 0) {
        share_out(r, scan_part);
        share_out(r, r->exact ? estimates_part : rerank_part);
    }
    for (int64_t s = 0; s < usable; s++) {
        search->reranked += r->outcomes[s].reranked;
        search->guaranteed += r->outcomes[s].guaranteed;
        if (!r->exact && !r->outcomes[s].guaranteed)
            left[others++] = r->sessions[s];
    }
    memcpy(r->sessions, left, (size_t)others * sizeof *left);
    search->rescans += others;
    if (others > 0)
        run_exact(r, others, NULL, r->index->shape.items);
}

/* Sizes of everything. Candidates of f32 scores need room for 2 k and those that come next. */
static void plan(run *r, bool compact) {
    const ar_search *search = r->search;
    const ar_index_shape *shape = &r->index->shape;
    int64_t depth = r->deepest = ar_at_least(search->k, compact ? search->candidates : 0);
    int64_t columns = compact ? shape->head : r->index->width;
    double values = (double)shape->items * (double)columns * (double)search->count;
    r->threads =
        (int)ar_at_least(ar_at_most(search->threads, (int64_t)(values / THREAD_VALUES)), 1);
    r->capacity = 2 * depth + EXACT_ROOM;
    if (compact && search->candidates == 0)
        r->capacity = ar_at_least(
            ar_at_least(ar_at_least(ROOM, shape->items / ROOM_SHARE), ROOM_OF_K * search->k),
            r->capacity);
    int64_t bytes = r->threads * r->capacity * (int64_t)sizeof(ar_candidate);
    int64_t most = ar_at_most(ar_at_least(TILE_BYTES / bytes, 1), AR_SCAN_SESSIONS);
    int64_t tiles = (search->count + most - 1) / most;
    r->tile = (search->count + tiles - 1) / tiles;
    /* A head's coordinates fall off: one code would be too coarse for most of them. */
    r->parts = compact && (r->tile <= FINE_SESSIONS || r->index->tails != NULL) ? 2 : 1;
    r->steps = compact ? ar_compact_steps(ar_index_kind(shape), shape->head) : 0;
    r->tail_steps = compact ? ar_index_tail_steps(shape) : 0;
    r->scratch_bytes = ar_scan_scratch_bytes(r->index, r->tile * r->parts);
    r->work_bytes =
        ar_candidates_work_bytes(r->threads * r->capacity, r->allowed->categories != NULL);
    r->work_bytes = (r->work_bytes + 63) / 64 * 64;
}

alterrec_status ar_search_run(ar_search *search, ar_search_memory *memory) {
    static const ar_allowed everything;
    const ar_index_shape *shape = &search->index->shape;
    run r = {.search = search,
             .index = search->index,
             .allowed = search->allowed != NULL ? search->allowed : &everything};
    const int32_t *list = r.allowed->list;
    bool by_list = list != NULL && (r.allowed->list_count * LIST_SHARE <= shape->items ||
                                    shape->precision == AR_INDEX_F32);
    /* Bounds would leave too much of a small table to be worth it. */
    bool compact = !by_list && shape->precision != AR_INDEX_F32 &&
                   ROOM_OF_K * ar_at_least(search->k, search->candidates) <= shape->items;
    search->guaranteed = search->reranked = search->rescans = 0;
    plan(&r, compact);
    AR_TRY(reserve(&r, memory));
    for (int64_t first = 0; first < search->count; first += r.tile) {
        int64_t count = ar_at_most(r.tile, search->count - first);
        if (compact) {
            run_compact(&r, first, count);
            continue;
        }
        for (int64_t s = 0; s < count; s++)
            r.sessions[s] = first + s;
        run_exact(&r, count, by_list ? list : NULL, by_list ? r.allowed->list_count : shape->items);
        if (!by_list && shape->precision != AR_INDEX_F32)
            search->rescans += count;
    }
    return ALTERREC_OK;
}

/* ---- Given items ---- */

alterrec_status ar_search_score(float *fused, float *id, float *text, const ar_item_index *index,
                                const float *vector, const int32_t *items, int64_t count,
                                ar_search_memory *memory) {
    int64_t bytes = (ar_exact_work(index) + 2 * AR_EXACT_ROWS) * (int64_t)sizeof(float);
    if (bytes > memory->capacity) {
        ar_search_memory_free(memory);
        memory->bytes = ar_new(bytes, 1);
        if (memory->bytes == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        memory->capacity = bytes;
    }
    float *parts[] = {memory->bytes, (float *)memory->bytes + AR_EXACT_ROWS};
    float *const results[] = {id, index->shape.towers == 2 ? text : NULL, fused};
    for (int64_t first = 0; first < count; first += AR_EXACT_ROWS) {
        int64_t rows = ar_at_most(count - first, AR_EXACT_ROWS);
        int32_t order[AR_EXACT_ROWS];
        for (int64_t i = 0; i < rows; i++)
            order[i] = items[first + i] >= 0 ? items[first + i] : 0;
        ar_exact_towers(parts[0], parts[1], parts[1] + AR_EXACT_ROWS, index, vector, 1, order, 0,
                        rows);
        for (int part = 0; part < 3; part++) {
            if (part == 2)
                ar_exact_fuse(parts[0], parts[1], index, 1);
            for (int64_t i = 0; results[part] != NULL && i < rows; i++)
                results[part][first + i] = items[first + i] >= 0 ? parts[part % 2][i] : -INFINITY;
        }
    }
    return ALTERREC_OK;
}
