#include "data/interactions.h"

#include "core/memory.h"
#include "core/text.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/session_lines.h"
#include "data/table_reader.h"

#include <stdlib.h>
#include <string.h>

/* One row of a table. */
typedef struct row {
    double time;
    int32_t session;
    int32_t item;
} row;

/* The rows of a table before they are grouped. */
typedef struct row_store {
    ar_dictionary sessions;
    int64_t last; /* the last row's session */
    row *rows;
    int64_t capacity;
    int64_t count;
} row_store;

/* What reading one file needs everywhere. */
typedef struct reading {
    const ar_item_source *source;
    const ar_text_file *file;
    ar_item_lookup lookup;
    alterrec_data_report *report;
} reading;

/* The columns of a table; -1: not wanted or not there. */
typedef struct columns {
    int64_t session, item, list, time, text, positive;
} columns;

/* Room for `count` items. */
static alterrec_status reserve_items(ar_interactions *out, int64_t count) {
    void *items = out->items;
    AR_TRY(ar_grow(&items, &out->items_capacity, count, sizeof *out->items));
    out->items = items;
    return ALTERREC_OK;
}

/* Room for `count` sessions. */
static alterrec_status reserve_sessions(ar_interactions *out, int64_t count) {
    void *offsets = out->offsets;
    AR_TRY(ar_grow(&offsets, &out->offsets_capacity, count + 1, sizeof *out->offsets));
    out->offsets = offsets;
    return ALTERREC_OK;
}

/* Ends the session in the making: its items are those up to `used`. */
static alterrec_status push_session(ar_interactions *out, int64_t used) {
    AR_TRY(reserve_sessions(out, out->count + 1));
    out->offsets[++out->count] = used;
    return ALTERREC_OK;
}

/* Appends the items of a list of keys in one line of the file; *used and *listed become larger. */
static alterrec_status push_list(ar_interactions *out, int64_t *used, int64_t *listed, reading *in,
                                 const char *text, size_t length) {
    AR_TRY(reserve_items(out, *used + (int64_t)length / 2 + 1));
    int64_t ends[2];
    ar_item_lists list = {.items = out->items + *used, .ends = ends};
    AR_TRY(ar_item_lookup_lists(&list, &in->lookup, text, text + length));
    *listed += list.keys;
    ar_item_lists_drop_unknown(&list);
    *used += list.keys;
    return ALTERREC_OK;
}

/* Prepares for a file whose lists hold many keys: with the cache, and with room for all items and
 * sessions at once, estimated from the file's beginning. */
static alterrec_status prepare_lists(ar_interactions *out, reading *in) {
    enum { SAMPLE = 1 << 16 };
    const ar_text_file *file = in->file;
    if (file->end - file->next <= SAMPLE)
        return ALTERREC_OK;
    AR_TRY(ar_key_cache_create(&in->lookup.cache));
    int64_t keys = 0, lines = 0, samples = (file->end - file->next) / SAMPLE;
    for (const char *at = file->next; at < file->next + SAMPLE; at++) {
        keys += ar_parts_keys(at[0]) && !ar_parts_keys(at[1]);
        lines += at[0] == '\n';
    }
    AR_TRY(reserve_items(out, samples * (keys + keys / 16 + 1)));
    return reserve_sessions(out, samples * (lines + lines / 16 + 1));
}

static alterrec_status bad_cell(const ar_table_reader *table, int64_t column, const char *option,
                                const char *wanted) {
    const ar_cell *cell = &table->cells[column];
    return ar_text_file_at(&table->file, cell->place,
                           ar_fail(ALTERREC_ERROR_PARSE, "`%.*s` in column `%s` (%s) is not %s",
                                   (int)(cell->length < 60 ? cell->length : 60), cell->bytes,
                                   table->header[column].name, option, wanted));
}

/* Whether the row counts by data.positive_column, and its time. */
static alterrec_status check_row(bool *counts, double *time, const ar_table_reader *table,
                                 const columns *at, alterrec_data_report *report) {
    report->rows_read++;
    *counts = true;
    *time = 0.0;
    if (at->positive >= 0) {
        ar_cell cell = ar_cell_trim(table->cells[at->positive]);
        double value;
        if (!ar_text_to_double(&value, cell.bytes, cell.length))
            return bad_cell(table, at->positive, "data.positive_column", "a number");
        *counts = value > 0;
        report->rows_condition += !*counts;
    }
    if (*counts && at->time >= 0) {
        ar_cell cell = ar_cell_trim(table->cells[at->time]);
        if (!ar_text_to_time(time, cell.bytes, cell.length))
            return bad_cell(table, at->time, "data.time_column",
                            "a time: a number or YYYY-MM-DD[ hh:mm[:ss]] was expected");
    }
    return ALTERREC_OK;
}

/* The number of the session, which often is that of the row before. */
static alterrec_status number_session(int32_t *session, row_store *store, ar_cell key) {
    const ar_dictionary *sessions = &store->sessions;
    if (sessions->count == 0 || ar_dictionary_key_length(sessions, store->last) != key.length ||
        memcmp(ar_dictionary_key(sessions, store->last), key.bytes, key.length) != 0)
        AR_TRY(ar_dictionary_insert(&store->sessions, &store->last, key.bytes, key.length));
    *session = (int32_t)store->last;
    return ALTERREC_OK;
}

/* Prepares for a large table: with the cache, and with room for the rows, as many as there would be
 * if all were as long as the first ones. */
static alterrec_status prepare_rows(row_store *store, reading *in) {
    enum { SAMPLE = 1 << 16 };
    const ar_text_file *file = in->file;
    if (file->end - file->next <= SAMPLE)
        return ALTERREC_OK;
    AR_TRY(ar_key_cache_create(&in->lookup.cache));
    int64_t lines = 0;
    for (const char *at = file->next; at < file->next + SAMPLE; at++)
        lines += *at == '\n';
    store->capacity = (file->end - file->next) / SAMPLE * (lines + lines / 16 + 1);
    store->rows = ar_new(store->capacity, sizeof *store->rows);
    return store->rows != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
}

/* Reads the rows of a table with one interaction a row. */
static alterrec_status read_rows(row_store *store, reading *in, ar_table_reader *table,
                                 const columns *at) {
    bool found;
    AR_TRY(prepare_rows(store, in));
    for (;;) {
        AR_TRY(ar_table_reader_next(table, &found));
        if (!found)
            return ALTERREC_OK;
        row next;
        bool counts;
        AR_TRY(check_row(&counts, &next.time, table, at, in->report));
        if (!counts)
            continue;
        ar_cell session = ar_cell_trim(table->cells[at->session]),
                item = ar_cell_trim(table->cells[at->item]);
        if (session.length == 0 || item.length == 0) {
            in->report->rows_missing++;
            continue;
        }
        AR_TRY(ar_item_lookup_cached(&next.item, &in->lookup, item.bytes, item.length, item.place));
        /* A session of unknown items is one that was read, and then is too short. */
        AR_TRY(number_session(&next.session, store, session));
        if (next.item < 0)
            continue;
        if (at->text >= 0)
            AR_TRY(ar_item_texts_add(in->source->texts, next.item, table->cells[at->text].bytes,
                                     table->cells[at->text].length));
        void *rows = store->rows;
        AR_TRY(ar_grow(&rows, &store->capacity, store->count + 1, sizeof *store->rows));
        store->rows = rows;
        store->rows[store->count++] = next;
    }
}

/* Reads the rows of a RecBole table with one session a row. */
static alterrec_status read_lists(ar_interactions *out, reading *in, ar_table_reader *table,
                                  const columns *at) {
    int64_t used = 0;
    bool found;
    AR_TRY(prepare_lists(out, in));
    for (;;) {
        AR_TRY(ar_table_reader_next(table, &found));
        if (!found)
            return ALTERREC_OK;
        bool counts;
        double time;
        AR_TRY(check_row(&counts, &time, table, at, in->report));
        if (!counts)
            continue;
        int64_t listed = 0;
        const ar_cell *list = &table->cells[at->list];
        AR_TRY(push_list(out, &used, &listed, in, list->bytes, list->length));
        if (at->item >= 0) {
            const ar_cell *last = &table->cells[at->item];
            AR_TRY(push_list(out, &used, &listed, in, last->bytes, last->length));
        }
        if (listed == 0) {
            in->report->rows_missing++;
            continue;
        }
        AR_TRY(push_session(out, used));
        if (at->time >= 0) {
            void *times = out->times;
            AR_TRY(ar_grow(&times, &out->times_capacity, out->count, sizeof *out->times));
            out->times = times;
            out->times[out->count - 1] = time;
        }
    }
}

/* A time and where its owner stands: sorting by both is a stable sort by time. */
typedef struct stamp {
    double time;
    int64_t index;
} stamp;

static int compare_stamps(const void *left, const void *right) {
    const stamp *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Puts rows[0..count-1] in the order of their times. */
static alterrec_status sort_rows(row *rows, int64_t count) {
    int64_t sorted = 1;
    while (sorted < count && rows[sorted - 1].time <= rows[sorted].time)
        sorted++;
    if (sorted >= count)
        return ALTERREC_OK;
    stamp *stamps = ar_new(count, sizeof *stamps);
    row *copy = ar_new(count, sizeof *copy);
    if (stamps != NULL && copy != NULL) {
        for (int64_t i = 0; i < count; i++)
            stamps[i] = (stamp){rows[i].time, i};
        memcpy(copy, rows, (size_t)count * sizeof *rows);
        qsort(stamps, (size_t)count, sizeof *stamps, compare_stamps);
        for (int64_t i = 0; i < count; i++)
            rows[i] = copy[stamps[i].index];
    }
    alterrec_status status =
        stamps != NULL && copy != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
    ar_free(stamps);
    ar_free(copy);
    return status;
}

/* Brings the rows of each session together, in the order of the sessions' first rows; offsets
 * becomes the bounds of the sessions: [sessions + 1]. */
static alterrec_status group_rows(row_store *store, int64_t *offsets) {
    int64_t sessions = store->sessions.count;
    for (int64_t i = 0; i < store->count; i++)
        offsets[store->rows[i].session + 1]++;
    for (int64_t s = 0; s < sessions; s++)
        offsets[s + 1] += offsets[s];
    row *grouped;
    AR_NEW(grouped, store->count);
    for (int64_t i = 0; i < store->count; i++)
        grouped[offsets[store->rows[i].session]++] = store->rows[i];
    /* Placing has moved each bound to the next one's place. */
    memmove(offsets + 1, offsets, (size_t)sessions * sizeof *offsets);
    offsets[0] = 0;
    ar_free(store->rows);
    store->rows = grouped;
    store->capacity = store->count;
    return ALTERREC_OK;
}

static alterrec_status rows_to_sessions(ar_interactions *out, row_store *store, bool timed) {
    int64_t sessions = store->sessions.count;
    AR_NEW(out->offsets, sessions + 1);
    AR_TRY(group_rows(store, out->offsets));
    out->count = sessions;
    if (timed) {
        AR_NEW(out->times, sessions);
        for (int64_t s = 0; s < sessions; s++) {
            int64_t begin = out->offsets[s], end = out->offsets[s + 1];
            AR_TRY(sort_rows(store->rows + begin, end - begin));
            out->times[s] = end > begin ? store->rows[end - 1].time : 0.0;
        }
    }
    AR_TRY(reserve_items(out, store->count));
    for (int64_t i = 0; i < store->count; i++)
        out->items[i] = store->rows[i].item;
    return ALTERREC_OK;
}

/* Puts the sessions in the order of their times. */
static alterrec_status sort_sessions(ar_interactions *sessions) {
    int64_t count = sessions->count, sorted = 1;
    while (sorted < count && sessions->times[sorted - 1] <= sessions->times[sorted])
        sorted++;
    if (sorted >= count)
        return ALTERREC_OK;
    ar_interactions made = {.count = count, .chronological = sessions->chronological};
    stamp *stamps = ar_new(count, sizeof *stamps);
    made.offsets = ar_new(count + 1, sizeof *made.offsets);
    made.times = ar_new(count, sizeof *made.times);
    made.items = ar_new(sessions->offsets[count], sizeof *made.items);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (stamps == NULL || made.offsets == NULL || made.times == NULL || made.items == NULL)
        goto done;
    for (int64_t s = 0; s < count; s++)
        stamps[s] = (stamp){sessions->times[s], s};
    qsort(stamps, (size_t)count, sizeof *stamps, compare_stamps);
    for (int64_t s = 0; s < count; s++) {
        int64_t begin = sessions->offsets[stamps[s].index];
        int64_t length = sessions->offsets[stamps[s].index + 1] - begin;
        memcpy(made.items + made.offsets[s], sessions->items + begin,
               (size_t)length * sizeof *made.items);
        made.offsets[s + 1] = made.offsets[s] + length;
        made.times[s] = stamps[s].time;
    }
    ar_interactions_free(sessions);
    *sessions = made;
    made = (ar_interactions){0};
    status = ALTERREC_OK;
done:
    ar_free(stamps);
    ar_interactions_free(&made);
    return status;
}

/* Finds the column that an option names; -1 if it names none. */
static alterrec_status optional_column(int64_t *column, const ar_table_reader *table,
                                       const char *option, const alterrec_config *config) {
    const char *name = ar_config_text(config, option);
    *column = -1;
    return name[0] == '\0' ? ALTERREC_OK : ar_table_reader_column(column, table, name, option);
}

/* RecBole's list of items: the item column's name with "_list", or the name RecBole itself gives.
 */
static void find_list(columns *at, const ar_table_reader *table, const char *item) {
    for (int64_t i = 0; i < table->columns; i++) {
        const char *name = table->header[i].name;
        size_t length = strlen(item);
        bool own = strncmp(name, item, length) == 0 && strcmp(name + length, "_list") == 0;
        if (table->header[i].sequence && (own || strcmp(name, "item_id_list") == 0)) {
            at->list = i;
            at->item = ar_table_reader_find(table, own ? item : "item_id");
            return;
        }
    }
}

static alterrec_status find_columns(columns *at, const ar_table_reader *table,
                                    const ar_item_source *source, const alterrec_config *config) {
    *at = (columns){-1, -1, -1, -1, -1, -1};
    const char *item = ar_config_text(config, "data.item_column");
    if (table->format == AR_FORMAT_RECBOLE)
        find_list(at, table, item);
    if (at->list < 0) {
        AR_TRY(ar_table_reader_column(&at->session, table,
                                      ar_config_text(config, "data.session_column"),
                                      "data.session_column"));
        AR_TRY(ar_table_reader_column(&at->item, table, item, "data.item_column"));
        if (source->texts != NULL)
            AR_TRY(optional_column(&at->text, table, "data.text_column", config));
    }
    AR_TRY(optional_column(&at->time, table, "data.time_column", config));
    return optional_column(&at->positive, table, "data.positive_column", config);
}

static alterrec_status read_table(ar_interactions *out, reading *in, const char *path,
                                  ar_format format, const alterrec_config *config) {
    ar_table_reader table;
    AR_TRY(ar_table_reader_open(&table, path, format));
    in->lookup.file = in->file = &table.file;
    row_store store = {0};
    columns at;
    alterrec_status status = find_columns(&at, &table, in->source, config);
    if (status != ALTERREC_OK)
        goto done;
    if (at.list >= 0) {
        out->chronological = true;
        status = read_lists(out, in, &table, &at);
    } else {
        out->chronological = at.time >= 0;
        status = read_rows(&store, in, &table, &at);
        if (status == ALTERREC_OK)
            status = rows_to_sessions(out, &store, at.time >= 0);
    }
    if (status == ALTERREC_OK && out->times != NULL)
        status = sort_sessions(out);
done:
    ar_dictionary_free(&store.sessions);
    ar_free(store.rows);
    ar_table_reader_close(&table);
    return status;
}

static alterrec_status read_text(ar_interactions *out, reading *in, const char *path) {
    ar_text_file file;
    AR_TRY(ar_text_file_open(&file, path));
    in->lookup.file = in->file = &file;
    out->chronological = true;
    alterrec_status status = ar_session_lines_read(out, &in->lookup);
    in->report->rows_read += out->count;
    ar_text_file_close(&file);
    return status;
}

alterrec_status ar_interactions_read(ar_interactions *interactions, alterrec_data_report *report,
                                     const ar_item_source *source, const char *path,
                                     const alterrec_config *config) {
    *interactions = (ar_interactions){0};
    reading in = {
        .source = source,
        .lookup = {.known = source->catalog != NULL ? &source->catalog->keys : NULL,
                   .keys = source->keys,
                   .unknown_is_error = ar_config_choice(config, "data.unknown_items") == 1},
        .report = report};
    ar_format format = (ar_format)ar_config_choice(config, "data.format");
    if (format == AR_FORMAT_AUTO)
        format = ar_format_of_path(path);
    alterrec_status status;
    if (format == AR_FORMAT_AUTO || format == AR_FORMAT_SESSIONS)
        status = read_text(interactions, &in, path);
    else
        status = read_table(interactions, &in, path, format, config);
    ar_key_cache_free(&in.lookup.cache);
    report->rows_unknown_item += in.lookup.unknown;
    AR_TRY(status);
    report->sessions_read += interactions->count;
    if (interactions->count > 0)
        report->interactions_read += interactions->offsets[interactions->count];
    return ALTERREC_OK;
}

void ar_interactions_free(ar_interactions *interactions) {
    ar_free(interactions->items);
    ar_free(interactions->offsets);
    ar_free(interactions->times);
    *interactions = (ar_interactions){0};
}
