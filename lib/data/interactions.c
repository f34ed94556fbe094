#include "data/interactions.h"

#include "core/memory.h"
#include "data/catalog.h"
#include "data/config.h"
#include "data/session_lines.h"
#include "data/session_rows.h"
#include "data/session_times.h"
#include "data/table_reader.h"

#include <string.h>

/* What reading one file needs everywhere. */
typedef struct reading {
    const ar_item_source *source;
    const ar_text_file *file;
    ar_item_lookup lookup;
    alterrec_data_report *report;
} reading;

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
    AR_TRY(ar_key_cache_create(&in->lookup.cache, file->end - file->next));
    int64_t keys = 0, lines = 0, samples = (file->end - file->next) / SAMPLE;
    for (const char *at = file->next; at < file->next + SAMPLE; at++) {
        keys += ar_parts_keys(at[0]) && !ar_parts_keys(at[1]);
        lines += at[0] == '\n';
    }
    AR_TRY(reserve_items(out, samples * (keys + keys / 16 + 1)));
    return reserve_sessions(out, samples * (lines + lines / 16 + 1));
}

/* Reads the rows of a RecBole table with one session a row. */
static alterrec_status read_lists(ar_interactions *out, reading *in, ar_table_reader *table,
                                  const ar_columns *at) {
    int64_t used = 0;
    bool found;
    AR_TRY(prepare_lists(out, in));
    for (;;) {
        AR_TRY(ar_table_reader_next(table, &found));
        if (!found)
            return ALTERREC_OK;
        bool counts;
        double time;
        AR_TRY(ar_columns_check(&counts, &time, table, at, in->report));
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

static alterrec_status read_table(ar_interactions *out, reading *in, const char *path,
                                  ar_format format, const alterrec_config *config) {
    ar_table_reader table;
    AR_TRY(ar_table_reader_open(&table, path, format));
    in->lookup.file = in->file = &table.file;
    ar_columns at;
    alterrec_status status = ar_columns_find(&at, &table, in->source, config);
    if (status != ALTERREC_OK)
        goto done;
    if (at.list >= 0) {
        out->chronological = true;
        status = read_lists(out, in, &table, &at);
    } else {
        out->chronological = at.time >= 0;
        status = ar_session_rows_read(out, in->report, &in->lookup, in->source->texts, &table, &at);
    }
    if (status == ALTERREC_OK && out->times != NULL)
        status = ar_session_times_sort(out);
done:
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
