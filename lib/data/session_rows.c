#include "data/session_rows.h"

#include "core/memory.h"
#include "data/file_parts.h"
#include "data/session_times.h"

#include <string.h>

/* Rows of one session that follow each other. */
typedef struct run {
    const char *row; /* where the first of them begins */
    int64_t end;     /* the part's items up to its last one */
} run;

enum { BLOCK_BITS = 15, BLOCK_RUNS = 1 << BLOCK_BITS };

/* The interactions of one part of the file. */
typedef struct row_part {
    int64_t first_item; /* where they go */
    int64_t items;      /* how many there may be, and then how many there are */
    run **blocks;       /* of BLOCK_RUNS runs each: they never move */
    int64_t blocks_capacity, runs;
    bool continues; /* its first run is the last one of the parts before */
    bool rising;    /* each run's key is longer than that before, or as long and behind it */
    ar_cell last;   /* the last run's key */
    char *copy;     /* its bytes, if they do not stand in the file */
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

static run *run_at(const row_part *part, int64_t index) {
    return &part->blocks[index >> BLOCK_BITS][index & (BLOCK_RUNS - 1)];
}

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

/* The run that a row belongs to, whose session is `key`. */
static alterrec_status find_run(run **found, row_part *own, const ar_cell *key, const char *row) {
    int order = own->runs > 0 ? compare_keys(key, &own->last) : 1;
    if (order != 0) {
        own->rising = own->rising && order > 0;
        AR_TRY(keep_last(own, key));
        if (own->runs % BLOCK_RUNS == 0) {
            void *blocks = own->blocks;
            int64_t block = own->runs / BLOCK_RUNS;
            AR_TRY(ar_grow(&blocks, &own->blocks_capacity, block + 1, sizeof *own->blocks));
            own->blocks = blocks;
            own->blocks[block] = ar_new_unset(BLOCK_RUNS, sizeof **own->blocks);
            if (own->blocks[block] == NULL)
                return ALTERREC_ERROR_OUT_OF_MEMORY;
        }
        run_at(own, own->runs++)->row = row;
    }
    *found = run_at(own, own->runs - 1);
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
    ar_key_batch_add(&scan->batch, &scan->part->lookup, key->bytes, key->length);
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
    run *own_run;
    AR_TRY(find_run(&own_run, scan->own, &session, row));
    own_run->end = scan->own->items;
    return ALTERREC_OK;
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
    for (int64_t r = 0; r < own->runs; r++) {
        run *of = run_at(own, r);
        for (; at < of->end; at++) {
            items[kept] = items[at];
            if (times != NULL)
                times[kept] = times[at];
            kept += items[at] >= 0;
        }
        of->end = kept;
    }
    own->items = kept;
}

static alterrec_status count_part(ar_file_part *part, int64_t index, void *state) {
    const row_reading *in = state;
    int64_t words = 0, *lines = &in->parts[index].items;
    AR_TRY(ar_text_file_survey(&words, lines, &in->table->file, part->from, part->to));
    ++*lines; /* the last line may lack its end */
    return ALTERREC_OK;
}

static alterrec_status fill_part(ar_file_part *part, int64_t index, void *state) {
    enum { CACHED = 1 << 16 /* bytes from which on a cache of keys is worth its memory */ };
    const row_reading *in = state;
    row_scan scan = {.in = in, .part = part, .own = &in->parts[index]};
    if (part->to - part->from > CACHED)
        AR_TRY(ar_key_cache_create(&part->lookup.cache));
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

/* All runs, one part's behind the other's. */
typedef struct run_walk {
    const row_reading *in;
    ar_table_reader reader; /* for the keys */
    int64_t part, index;    /* of the next run */
    int64_t begin, end;     /* the last run's items */
    const char *row;
} run_walk;

static run_walk walk_runs(const row_reading *in) {
    const ar_text_file *file = &in->table->file;
    return (run_walk){.in = in, .reader = ar_table_reader_part(in->table, file->next, file->end)};
}

/* Goes on to the next run; false behind the last. */
static bool next_run(run_walk *walk) {
    while (walk->part < walk->in->count && walk->index == walk->in->parts[walk->part].runs) {
        walk->part++;
        walk->index = 0;
    }
    if (walk->part == walk->in->count)
        return false;
    const row_part *part = &walk->in->parts[walk->part];
    const run *next = run_at(part, walk->index++);
    walk->begin = walk->end;
    walk->end = part->first_item + next->end;
    walk->row = next->row;
    return true;
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
    run_walk walk = walk_runs(in);
    alterrec_status status = ALTERREC_OK;
    *rise = true;
    for (int64_t p = 0; p < in->count && *rise && status == ALTERREC_OK; p++) {
        row_part *part = &in->parts[p];
        *rise = part->rising;
        if (part->runs == 0 || !*rise)
            continue;
        ar_cell first;
        walk.row = run_at(part, 0)->row;
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
    run_walk walk = walk_runs(in);
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
    run_walk walk = walk_runs(in);
    out->offsets_capacity = count_runs(in) + 1;
    out->offsets = ar_new_unset(out->offsets_capacity, sizeof *out->offsets);
    if (out->offsets == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    out->offsets[0] = 0;
    while (next_run(&walk)) {
        bool continues = walk.index == 1 && in->parts[walk.part].continues;
        out->count += !continues;
        out->offsets[out->count] = walk.end;
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
    for (run_walk walk = walk_runs(in); next_run(&walk); all = walk.end)
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
    for (run_walk walk = walk_runs(in); next_run(&walk); r++) {
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
        for (int64_t r = 0; r < part->runs; r += BLOCK_RUNS)
            ar_free(part->blocks[r / BLOCK_RUNS]);
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
