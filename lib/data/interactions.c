#include "data/interactions.h"

#include "core/memory.h"
#include "core/text.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/key_cache.h"
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
    row *rows;
    int64_t capacity;
    int64_t count;
} row_store;

/* What reading one file needs everywhere. */
typedef struct reading {
    const ar_item_source *source;
    const ar_dictionary *known; /* the catalog's keys; NULL: source->keys takes in all */
    bool unknown_is_error;
    const ar_text_file *file;
    ar_key_cache cache;
    alterrec_data_report *report;
} reading;

/* The columns of a table; -1: not wanted or not there. */
typedef struct columns {
    int64_t session, item, list, time, text, positive;
} columns;

/* The item with this key; -1 if it is to be dropped. */
static alterrec_status number_item(int32_t *item, const reading *in, const char *key, size_t length,
                                   const char *place) {
    int64_t number;
    if (in->known == NULL) {
        AR_TRY(ar_dictionary_insert(in->source->keys, &number, key, length));
    } else {
        number = ar_dictionary_find(in->known, key, length);
        if (number < 0 && in->unknown_is_error)
            return ar_text_file_at(in->file, place,
                                   ar_fail(ALTERREC_ERROR_NOT_FOUND,
                                           "item `%.*s` is not in the catalog",
                                           (int)(length < 100 ? length : 100), key));
        in->report->rows_unknown_item += number < 0;
    }
    *item = (int32_t)number;
    return ALTERREC_OK;
}

/* Room for `more` items behind those of the sessions and of the one in the making. */
static alterrec_status reserve_items(ar_interactions *out, int64_t used, int64_t more) {
    void *items = out->items;
    AR_TRY(ar_grow(&items, &out->items_capacity, used + more, sizeof *out->items));
    out->items = items;
    return ALTERREC_OK;
}

/* Ends the session in the making: its items are those up to `used`. */
static alterrec_status push_session(ar_interactions *out, int64_t used) {
    void *offsets = out->offsets;
    AR_TRY(ar_grow(&offsets, &out->offsets_capacity, out->count + 2, sizeof *out->offsets));
    out->offsets = offsets;
    out->offsets[++out->count] = used;
    return ALTERREC_OK;
}

/* Whether the byte parts keys of a list; no key holds a control character either. */
static inline bool parts_keys(char c) {
    return (unsigned char)c <= ' ';
}

/* Takes the key at *at, which stands in the file itself, numbers it, and moves *at behind it. */
static inline alterrec_status take_listed(int32_t *item, const reading *in, const char **at,
                                          const char *end) {
    const char *key = *at;
    if (in->cache.keys != NULL && in->file->end - key >= AR_KEY_CACHE_READ) {
        ar_cached_key wanted;
        size_t length;
        if (ar_key_cache_take(&wanted, &length, key)) {
            *at += length;
            ar_cached_key *place = ar_key_cache_place(&in->cache, &wanted);
            if (place->low == wanted.low && place->high == wanted.high) {
                *item = place->number;
                return ALTERREC_OK;
            }
            AR_TRY(number_item(item, in, key, length, key));
            wanted.number = *item;
            if (*item >= 0)
                *place = wanted;
            return ALTERREC_OK;
        }
    }
    while (*at < end && !parts_keys(**at))
        ++*at;
    return number_item(item, in, key, (size_t)(*at - key), key);
}

/* Appends the items of a list of keys in the file; *used and *listed become larger. */
static alterrec_status push_list(ar_interactions *out, int64_t *used, int64_t *listed,
                                 const reading *in, const char *text, size_t length) {
    AR_TRY(reserve_items(out, *used, (int64_t)length / 2 + 1));
    int32_t *items = out->items;
    const char *at = text, *end = text + length;
    int64_t count = *used, keys = 0;
    for (;; keys++) {
        while (at < end && parts_keys(*at))
            at++;
        if (at == end)
            break;
        AR_TRY(take_listed(&items[count], in, &at, end));
        count += items[count] >= 0;
    }
    *used = count;
    *listed += keys;
    return ALTERREC_OK;
}

/* Prepares for a file whose lists hold many keys: with the cache, and with room for all items at
 * once, estimated from the file's beginning. */
static alterrec_status prepare_lists(ar_interactions *out, reading *in) {
    enum { SAMPLE = 1 << 16 };
    const ar_text_file *file = in->file;
    if (file->end - file->next <= SAMPLE)
        return ALTERREC_OK;
    AR_NEW(in->cache.keys, (int64_t)1 << AR_KEY_CACHE_BITS);
    int64_t keys = 0;
    for (const char *at = file->next; at < file->next + SAMPLE; at++)
        keys += parts_keys(at[0]) && !parts_keys(at[1]);
    return reserve_items(out, 0, (file->end - file->next) / SAMPLE * (keys + keys / 16 + 1));
}

static alterrec_status read_lines(ar_interactions *out, reading *in, ar_text_file *file) {
    int64_t used = 0;
    AR_TRY(prepare_lists(out, in));
    while (file->next < file->end) {
        const char *line = file->next, *end = ar_text_file_line_end(file, line);
        file->next = end < file->end ? end + 1 : end;
        AR_TRY(ar_text_file_check(file, line, end));
        int64_t listed = 0;
        AR_TRY(push_list(out, &used, &listed, in, line, (size_t)(end - line)));
        if (listed > 0) {
            in->report->rows_read++;
            AR_TRY(push_session(out, used));
        }
    }
    if (out->count == 0)
        return ar_text_file_at(file, file->begin,
                               ar_fail(ALTERREC_ERROR_PARSE, "the file has only blank lines"));
    return ALTERREC_OK;
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

/* Reads the rows of a table with one interaction a row. */
static alterrec_status read_rows(row_store *store, const reading *in, ar_table_reader *table,
                                 const columns *at) {
    bool found;
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
        AR_TRY(number_item(&next.item, in, item.bytes, item.length, item.place));
        /* A session of unknown items is one that was read, and then is too short. */
        int64_t number;
        AR_TRY(ar_dictionary_insert(&store->sessions, &number, session.bytes, session.length));
        if (next.item < 0)
            continue;
        next.session = (int32_t)number;
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
    AR_TRY(reserve_items(out, 0, store->count));
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
    in->file = &table.file;
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
    in->file = &file;
    out->chronological = true;
    alterrec_status status = read_lines(out, in, &file);
    ar_text_file_close(&file);
    return status;
}

alterrec_status ar_interactions_read(ar_interactions *interactions, alterrec_data_report *report,
                                     const ar_item_source *source, const char *path,
                                     const alterrec_config *config) {
    *interactions = (ar_interactions){0};
    reading in = {.source = source,
                  .known = source->catalog != NULL ? &source->catalog->keys : NULL,
                  .unknown_is_error = ar_config_choice(config, "data.unknown_items") == 1,
                  .report = report};
    ar_format format = (ar_format)ar_config_choice(config, "data.format");
    if (format == AR_FORMAT_AUTO)
        format = ar_format_of_path(path);
    alterrec_status status;
    if (format == AR_FORMAT_AUTO || format == AR_FORMAT_SESSIONS)
        status = read_text(interactions, &in, path);
    else
        status = read_table(interactions, &in, path, format, config);
    ar_free(in.cache.keys);
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
