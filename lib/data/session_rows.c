#include "data/session_rows.h"

#include "core/limit.h"
#include "core/memory.h"
#include "data/file_parts.h"
#include "data/session_times.h"

#include <string.h>

/* Rows of one session that follow each other. */
typedef struct run {
    uint32_t row;   /* where the first of them begins, from the block's first row */
    uint32_t items; /* how many there are */
} run;

enum { BLOCK_LEAST = 1 << 10, BLOCK_MOST = 1 << 19 /* runs */ };

/* Runs that follow each other. They never move. */
typedef struct run_block {
    const char *row; /* the first run's */
    run *runs;       /* [capacity] */
    int64_t count, capacity;
} run_block;

/* The interactions of one part of the file. */
typedef struct row_part {
    int64_t first_item; /* where they go */
    int64_t items;      /* how many there may be, and then how many there are */
    run_block *blocks;  /* [block_count] */
    int64_t blocks_capacity, block_count;
    int64_t runs;          /* in all blocks */
    int64_t first_session; /* its runs become sessions from here on, unless the first one... */
    bool continues;        /* ... continues the last session of the parts before */
    bool rising;           /* each run's key is longer than that before, or as long and behind it */
    run *last_run;
    ar_cell last; /* its key */
    char *copy;   /* its bytes, if they do not stand in the file */
    int64_t copy_capacity;
    alterrec_data_report report;
} row_part;

typedef struct row_reading {
    const ar_table_reader *table;
    const ar_columns *at;
    ar_item_texts *texts;
    ar_interactions *out;
    double *times;   /* [items] NULL: without times */
    row_part *parts; /* [parts of the file] */
    int64_t count;
} row_reading;

/* A part while it is read. */
typedef struct row_scan {
    const row_reading *in;
    ar_file_part *part;
    row_part *own;
    ar_table_reader reader;
    ar_key_batch batch; /* of the last items */
} row_scan;

/* < 0, 0, > 0: by length, then by bytes, so that numbers that count up rise. */
static int compare_keys(const ar_cell *a, const ar_cell *b) {
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->bytes, b->bytes, a->length);
}

static alterrec_status keep_last(row_part *own, const ar_cell *key) {
    own->last = *key;
    if (!key->doubled)
        return ALTERREC_OK;
    void *copy = own->copy;
    AR_TRY(ar_grow(&copy, &own->copy_capacity, (int64_t)key->length, 1));
    own->copy = copy;
    memcpy(own->copy, key->bytes, key->length);
    own->last.bytes = own->copy;
    return ALTERREC_OK;
}

/* Begins a run at `row`. */
static alterrec_status add_run(row_part *own, const char *row) {
    run_block *block = own->block_count > 0 ? &own->blocks[own->block_count - 1] : NULL;
    if (block == NULL || block->count == block->capacity || row - block->row > UINT32_MAX) {
        void *blocks = own->blocks;
        AR_TRY(ar_grow(&blocks, &own->blocks_capacity, own->block_count + 1, sizeof *own->blocks));
        own->blocks = blocks;
        int64_t capacity = ar_at_most(ar_at_least(own->runs, BLOCK_LEAST), BLOCK_MOST);
        block = &own->blocks[own->block_count];
        *block = (run_block){.row = row, .capacity = capacity};
        block->runs = ar_new_unset(capacity, sizeof *block->runs);
        if (block->runs == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        own->block_count++;
    }
    own->last_run = &block->runs[block->count++];
    *own->last_run = (run){.row = (uint32_t)(row - block->row)};
    own->runs++;
    return ALTERREC_OK;
}

/* Counts a row whose session is `key` to the run that it belongs to. */
static alterrec_status count_row(row_part *own, const ar_cell *key, const char *row) {
    int order = own->runs > 0 ? compare_keys(key, &own->last) : 1;
    if (order != 0 || own->last_run->items == UINT32_MAX) {
        own->rising = own->rising && order > 0;
        AR_TRY(keep_last(own, key));
        AR_TRY(add_run(own, row));
    }
    own->last_run->items++;
    return ALTERREC_OK;
}

/* Looks up the items that wait for it. */
static alterrec_status find_items(row_scan *scan) {
    int count = scan->batch.count;
    scan->batch.count = 0;
    ar_key_batch *batch = &scan->batch;
    int32_t *items = scan->in->out->items + scan->own->first_item + scan->own->items - count;
    batch->count = count;
    alterrec_status status = ar_item_lookup_batch(items, &scan->part->lookup, batch);
    batch->count = 0;
    return status;
}

/* The next item of the part. */
static alterrec_status add_item(row_scan *scan, const ar_cell *key, double time) {
    row_part *own = scan->own;
    int64_t at = own->first_item + own->items;
    if (scan->in->times != NULL)
        scan->in->times[at] = time;
    if (key->doubled) { /* its bytes last for this row only */
        AR_TRY(find_items(scan));
        AR_TRY(ar_item_lookup_find(&scan->in->out->items[at], &scan->part->lookup, key->bytes,
                                   key->length, key->place));
        own->items++;
        return ALTERREC_OK;
    }
    ar_key_batch_add(&scan->batch, &scan->part->lookup, key->bytes, key->length,
                     scan->in->table->file.end);
    own->items++;
    return scan->batch.count == AR_KEY_BATCH || scan->in->texts != NULL ? find_items(scan)
                                                                        : ALTERREC_OK;
}

static alterrec_status add_row(row_scan *scan, const char *row) {
    const row_reading *in = scan->in;
    const ar_cell *cells = scan->reader.cells;
    bool counts;
    double time;
    AR_TRY(ar_columns_check(&counts, &time, &scan->reader, in->at, &scan->own->report));
    if (!counts)
        return ALTERREC_OK;
    ar_cell session = ar_cell_trim(cells[in->at->session]),
            item = ar_cell_trim(cells[in->at->item]);
    if (session.length == 0 || item.length == 0) {
        scan->own->report.rows_missing++;
        return ALTERREC_OK;
    }
    AR_TRY(add_item(scan, &item, time));
    if (in->texts != NULL) {
        int32_t number = in->out->items[scan->own->first_item + scan->own->items - 1];
        const ar_cell *text = &cells[in->at->text];
        if (number >= 0)
            AR_TRY(ar_item_texts_add(in->texts, number, text->bytes, text->length));
    }
    return count_row(scan->own, &session, row);
}

static alterrec_status add_rows(row_scan *scan) {
    for (bool found = true; found;) {
        const char *row = scan->reader.file.next;
        alterrec_status status = ar_table_reader_next(&scan->reader, &found);
        if (status == ALTERREC_OK && found)
            status = add_row(scan, row);
        if (status != ALTERREC_OK) {
            AR_TRY(find_items(scan)); /* an error of an earlier row comes first */
            return status;
        }
    }
    return find_items(scan);
}

/* Takes out the items that are to be dropped. */
static void drop_unknown(const row_reading *in, row_part *own) {
    int32_t *items = in->out->items + own->first_item;
    double *times = in->times != NULL ? in->times + own->first_item : NULL;
    int64_t kept = 0, at = 0;
    for (int64_t b = 0; b < own->block_count; b++)
        for (int64_t r = 0; r < own->blocks[b].count; r++) {
            run *of = &own->blocks[b].runs[r];
            int64_t begin = kept;
            for (int64_t end = at + of->items; at < end; at++) {
                items[kept] = items[at];
                if (times != NULL)
                    times[kept] = times[at];
                kept += items[at] >= 0;
            }
            of->items = (uint32_t)(kept - begin);
        }
    own->items = kept;
}

static alterrec_status count_part(ar_file_part *part, int64_t index, void *state) {
    const row_reading *in = state;
    int64_t words = 0, *lines = &in->parts[index].items;
    AR_TRY(ar_text_file_survey(&words, lines, &in->table->file, part->from, part->to));
    *lines += part->from < part->to && part->to[-1] != '\n'; /* the last one */
    return ALTERREC_OK;
}

static alterrec_status fill_part(ar_file_part *part, int64_t index, void *state) {
    enum { CACHED = 1 << 16 /* bytes from which on a cache of keys is worth its memory */ };
    const row_reading *in = state;
    row_scan scan = {.in = in, .part = part, .own = &in->parts[index]};
    if (part->to - part->from > CACHED)
        AR_TRY(ar_key_cache_create(&part->lookup.cache, part->to - part->from));
    scan.own->items = 0;
    scan.own->rising = true;
    scan.reader = ar_table_reader_part(in->table, part->from, part->to);
    alterrec_status status = add_rows(&scan);
    ar_table_reader_part_free(&scan.reader);
    if (status == ALTERREC_OK && part->lookup.unknown > 0)
        drop_unknown(in, scan.own);
    return status;
}

static alterrec_status renumber_part(ar_file_part *part, int64_t index, void *state) {
    const row_reading *in = state;
    const row_part *own = &in->parts[index];
    ar_file_part_renumber(part, in->out->items + own->first_item, own->items);
    return ALTERREC_OK;
}

/* Makes room for what has been counted. */
static alterrec_status place_parts(row_reading *in) {
    int64_t items = 0;
    for (int64_t p = 0; p < in->count; p++) {
        in->parts[p].first_item = items;
        items += in->parts[p].items;
    }
    in->out->items_capacity = items;
    in->out->items = ar_new_unset(items, sizeof *in->out->items);
    if (in->at->time >= 0)
        in->times = ar_new_unset(items, sizeof *in->times);
    return in->out->items != NULL && (in->at->time < 0 || in->times != NULL)
               ? ALTERREC_OK
               : ALTERREC_ERROR_OUT_OF_MEMORY;
}

/* Closes the gaps that rows without an item have left between the parts. */
static void close_gaps(const row_reading *in) {
    int64_t items = 0;
    for (int64_t p = 0; p < in->count; p++) {
        row_part *part = &in->parts[p];
        if (part->first_item > items) {
            memmove(in->out->items + items, in->out->items + part->first_item,
                    (size_t)part->items * sizeof *in->out->items);
            if (in->times != NULL)
                memmove(in->times + items, in->times + part->first_item,
                        (size_t)part->items * sizeof *in->times);
        }
        part->first_item = items;
        items += part->items;
    }
}

/* ---- from runs to sessions ---- */

/* The runs of some parts, one part's behind the other's. */
typedef struct run_walk {
    const row_reading *in;
    ar_table_reader reader;  /* for the keys */
    int64_t part, last_part; /* of the next run; behind the last one */
    int64_t block, index;    /* of the next run in its part */
    int64_t begin, end;      /* the last run's items */
    const char *row;
} run_walk;

/* From part `from` up to part `to`. */
static run_walk walk_runs(const row_reading *in, int64_t from, int64_t to) {
    const ar_text_file *file = &in->table->file;
    return (run_walk){.in = in,
                      .reader = ar_table_reader_part(in->table, file->next, file->end),
                      .part = from,
                      .last_part = to,
                      .end = from < to ? in->parts[from].first_item : 0};
}

static run_walk walk_all(const row_reading *in) {
    return walk_runs(in, 0, in->count);
}

/* Goes on to the next run; false behind the last. */
static bool next_run(run_walk *walk) {
    for (; walk->part < walk->last_part; walk->part++, walk->block = 0) {
        const row_part *part = &walk->in->parts[walk->part];
        for (; walk->block < part->block_count; walk->block++, walk->index = 0) {
            const run_block *block = &part->blocks[walk->block];
            if (walk->index == block->count)
                continue;
            const run *next = &block->runs[walk->index++];
            walk->begin = walk->end;
            walk->end += next->items;
            walk->row = block->row + next->row;
            return true;
        }
    }
    return false;
}

/* The key of the walk's run, until the next one is asked for. */
static alterrec_status run_key(ar_cell *key, run_walk *walk) {
    bool found;
    walk->reader.file.next = walk->row;
    AR_TRY(ar_table_reader_next(&walk->reader, &found));
    *key = ar_cell_trim(walk->reader.cells[walk->in->at->session]);
    return ALTERREC_OK;
}

static int64_t count_runs(const row_reading *in) {
    int64_t runs = 0;
    for (int64_t p = 0; p < in->count; p++)
        runs += in->parts[p].runs;
    return runs;
}

/* Whether the keys of all runs rise, so that each run is a session, or the rest of one that the cut
 * between two parts has parted. */
static alterrec_status all_rise(bool *rise, const row_reading *in) {
    const row_part *before = NULL;
    run_walk walk = walk_all(in);
    alterrec_status status = ALTERREC_OK;
    *rise = true;
    for (int64_t p = 0; p < in->count && *rise && status == ALTERREC_OK; p++) {
        row_part *part = &in->parts[p];
        *rise = part->rising;
        if (part->runs == 0 || !*rise)
            continue;
        ar_cell first;
        walk.row = part->blocks[0].row;
        status = run_key(&first, &walk);
        if (status != ALTERREC_OK)
            break;
        int order = before != NULL ? compare_keys(&first, &before->last) : 1;
        *rise = order >= 0;
        part->continues = order == 0;
        before = part;
    }
    ar_table_reader_part_free(&walk.reader);
    return status;
}

/* numbers [runs]: each run's session; *sessions: how many there are. */
static alterrec_status number_runs(int32_t *numbers, int64_t *sessions, const row_reading *in) {
    ar_dictionary keys = {0};
    run_walk walk = walk_all(in);
    alterrec_status status = ALTERREC_OK;
    for (int64_t r = 0; status == ALTERREC_OK && next_run(&walk); r++) {
        ar_cell key;
        int64_t number = 0;
        status = run_key(&key, &walk);
        if (status == ALTERREC_OK)
            status = ar_dictionary_insert(&keys, &number, key.bytes, key.length);
        numbers[r] = (int32_t)number;
    }
    *sessions = keys.count;
    ar_dictionary_free(&keys);
    ar_table_reader_part_free(&walk.reader);
    return status;
}

/* Every run is a session, but for those that continue one. */
static alterrec_status take_runs(const row_reading *in) {
    ar_interactions *out = in->out;
    out->offsets_capacity = count_runs(in) + 1;
    out->offsets = ar_new_unset(out->offsets_capacity, sizeof *out->offsets);
    if (out->offsets == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    out->offsets[0] = 0;
    for (int64_t p = 0; p < in->count; p++) {
        in->parts[p].first_session = out->count;
        out->count += in->parts[p].runs - in->parts[p].continues;
    }
#pragma omp parallel for schedule(static, 1) if (in->count > 1)
    for (int64_t p = 0; p < in->count; p++) {
        run_walk walk = walk_runs(in, p, p + 1);
        bool more = next_run(&walk);
        if (in->parts[p].continues)
            more = next_run(&walk);
        for (int64_t s = in->parts[p].first_session + 1; more; s++, more = next_run(&walk))
            out->offsets[s] = walk.end;
    }
    for (int64_t p = 0; p < in->count; p++) {
        run_walk walk = walk_runs(in, p, p + 1);
        if (in->parts[p].continues && next_run(&walk))
            out->offsets[in->parts[p].first_session] = walk.end;
    }
    return ALTERREC_OK;
}

/* Brings the runs of each session together. */
static alterrec_status group_runs(row_reading *in, const int32_t *numbers, int64_t sessions) {
    ar_interactions *out = in->out;
    int64_t all = 0, *offsets, r = 0;
    AR_NEW(offsets, sessions + 1);
    out->offsets = offsets;
    out->offsets_capacity = sessions + 1;
    for (run_walk walk = walk_all(in); next_run(&walk); all = walk.end)
        offsets[numbers[r++] + 1] += walk.end - walk.begin;
    for (int64_t s = 0; s < sessions; s++)
        offsets[s + 1] += offsets[s];
    int32_t *items = ar_new_unset(all, sizeof *items);
    double *times = in->times != NULL ? ar_new_unset(all, sizeof *times) : NULL;
    if (items == NULL || (in->times != NULL && times == NULL)) {
        ar_free(items);
        ar_free(times);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    r = 0;
    for (run_walk walk = walk_all(in); next_run(&walk); r++) {
        int64_t *to = &offsets[numbers[r]], count = walk.end - walk.begin;
        memcpy(items + *to, out->items + walk.begin, (size_t)count * sizeof *items);
        if (times != NULL)
            memcpy(times + *to, in->times + walk.begin, (size_t)count * sizeof *times);
        *to += count;
    }
    /* Placing has moved each bound to the next one's place. */
    memmove(offsets + 1, offsets, (size_t)sessions * sizeof *offsets);
    offsets[0] = 0;
    ar_free(out->items);
    ar_free(in->times);
    out->items = items;
    out->items_capacity = all;
    in->times = times;
    out->count = sessions;
    return ALTERREC_OK;
}

static alterrec_status runs_to_sessions(row_reading *in) {
    bool rise;
    int64_t sessions, runs = count_runs(in);
    AR_TRY(all_rise(&rise, in));
    if (rise)
        return take_runs(in);
    int32_t *numbers;
    AR_NEW(numbers, runs);
    alterrec_status status = number_runs(numbers, &sessions, in);
    if (status == ALTERREC_OK)
        status = sessions == runs ? take_runs(in) : group_runs(in, numbers, sessions);
    ar_free(numbers);
    return status;
}

/* ---- all of it ---- */

static void add_report(alterrec_data_report *report, const row_reading *in) {
    for (int64_t p = 0; p < in->count; p++) {
        const alterrec_data_report *part = &in->parts[p].report;
        report->rows_read += part->rows_read;
        report->rows_condition += part->rows_condition;
        report->rows_missing += part->rows_missing;
    }
}

static alterrec_status read_parts(row_reading *in, ar_file_parts *parts) {
    AR_NEW(in->parts, parts->count);
    in->count = parts->count;
    AR_TRY(ar_file_parts_run(parts, count_part, in));
    AR_TRY(place_parts(in));
    AR_TRY(ar_file_parts_run(parts, fill_part, in));
    AR_TRY(ar_file_parts_number(parts));
    AR_TRY(ar_file_parts_run(parts, renumber_part, in));
    close_gaps(in);
    AR_TRY(runs_to_sessions(in));
    return in->times != NULL ? ar_session_times_order(in->out, in->times) : ALTERREC_OK;
}

static void free_reading(row_reading *in) {
    for (int64_t p = 0; p < in->count; p++) {
        row_part *part = &in->parts[p];
        for (int64_t b = 0; b < part->block_count; b++)
            ar_free(part->blocks[b].runs);
        ar_free(part->blocks);
        ar_free(part->copy);
    }
    ar_free(in->parts);
    ar_free(in->times);
}

/* A quoted field may hold line ends, and texts are counted in order: such files are read whole. */
static bool must_be_whole(const ar_table_reader *table, const ar_item_texts *texts) {
    const ar_text_file *file = &table->file;
    return texts != NULL || (table->format == AR_FORMAT_CSV &&
                             memchr(file->next, '"', (size_t)(file->end - file->next)) != NULL);
}

alterrec_status ar_session_rows_read(ar_interactions *out, alterrec_data_report *report,
                                     ar_item_lookup *lookup, ar_item_texts *texts,
                                     const ar_table_reader *table, const ar_columns *at) {
    row_reading in = {.table = table, .at = at, .texts = at->text >= 0 ? texts : NULL, .out = out};
    ar_file_parts parts;
    AR_TRY(ar_file_parts_create(&parts, lookup, must_be_whole(table, in.texts)));
    alterrec_status status = read_parts(&in, &parts);
    add_report(report, &in);
    lookup->unknown += ar_file_parts_unknown(&parts);
    free_reading(&in);
    ar_file_parts_free(&parts);
    return status;
}
