#include "data/session_lines.h"

#include "core/memory.h"
#include "data/file_parts.h"

#include <string.h>

/* The sessions of one part of the file. */
typedef struct line_part {
    int64_t first_item, first_line; /* where they go */
    int64_t items, lines;           /* how many there may be, and then how many there are */
} line_part;

typedef struct line_reading {
    const ar_text_file *file;
    ar_interactions *out;
    line_part *parts; /* [parts of the file] */
} line_reading;

static alterrec_status count_part(ar_file_part *part, int64_t index, void *state) {
    const line_reading *in = state;
    line_part *own = &in->parts[index];
    AR_TRY(ar_text_file_survey(&own->items, &own->lines, in->file, part->from, part->to));
    own->lines += part->from < part->to && part->to[-1] != '\n'; /* the last one */
    return ALTERREC_OK;
}

enum { CACHED = 1 << 16 /* bytes of keys from which on a cache of them is worth its memory */ };

static alterrec_status fill_part(ar_file_part *part, int64_t index, void *state) {
    const line_reading *in = state;
    line_part *own = &in->parts[index];
    int32_t *items = in->out->items + own->first_item;
    int64_t *ends = in->out->offsets + 1 + own->first_line;
    own->items = own->lines = 0;
    if (part->to - part->from > CACHED)
        AR_TRY(ar_key_cache_create(&part->lookup.cache, part->to - part->from));
    for (const char *from = part->from, *to; from < part->to; from = to) {
        to = ar_text_file_piece(in->file, from, part->to);
        ar_item_lists lists = {.items = items + own->items, .ends = ends + own->lines};
        int64_t unknown = part->lookup.unknown;
        AR_TRY(ar_item_lookup_lists(&lists, &part->lookup, from, to));
        if (part->lookup.unknown > unknown)
            ar_item_lists_drop_unknown(&lists);
        for (int64_t line = 0; line < lists.lines; line++)
            lists.ends[line] += own->first_item + own->items;
        own->items += lists.keys;
        own->lines += lists.lines;
    }
    return ALTERREC_OK;
}

static alterrec_status renumber_part(ar_file_part *part, int64_t index, void *state) {
    const line_reading *in = state;
    ar_file_part_renumber(part, in->out->items + in->parts[index].first_item,
                          in->parts[index].items);
    return ALTERREC_OK;
}

/* Makes room for what has been counted. */
static alterrec_status place_parts(const line_reading *in, int64_t count) {
    int64_t items = 0, lines = 0;
    for (int64_t p = 0; p < count; p++) {
        in->parts[p].first_item = items;
        in->parts[p].first_line = lines;
        items += in->parts[p].items;
        lines += in->parts[p].lines;
    }
    ar_interactions *out = in->out;
    out->items_capacity = items;
    out->offsets_capacity = lines + 1;
    out->items = ar_new_unset(items, sizeof *out->items);
    out->offsets = ar_new_unset(lines + 1, sizeof *out->offsets);
    if (out->items == NULL || out->offsets == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    out->offsets[0] = 0;
    return ALTERREC_OK;
}

/* Closes the gaps that dropped items and lines without keys have left between the parts. */
static void join_parts(const line_reading *in, int64_t count) {
    ar_interactions *out = in->out;
    int64_t items = 0;
    for (int64_t p = 0; p < count; p++) {
        const line_part *part = &in->parts[p];
        int64_t *ends = out->offsets + 1 + out->count, gap = part->first_item - items;
        if (gap > 0)
            memmove(out->items + items, out->items + part->first_item,
                    (size_t)part->items * sizeof *out->items);
        if (part->first_line > out->count)
            memmove(ends, out->offsets + 1 + part->first_line, (size_t)part->lines * sizeof *ends);
        for (int64_t line = 0; gap > 0 && line < part->lines; line++)
            ends[line] -= gap;
        items += part->items;
        out->count += part->lines;
    }
}

static alterrec_status read_parts(line_reading *in, ar_file_parts *parts) {
    AR_TRY(ar_file_parts_run(parts, count_part, in));
    AR_TRY(place_parts(in, parts->count));
    AR_TRY(ar_file_parts_run(parts, fill_part, in));
    AR_TRY(ar_file_parts_number(parts));
    AR_TRY(ar_file_parts_run(parts, renumber_part, in));
    join_parts(in, parts->count);
    return ALTERREC_OK;
}

alterrec_status ar_session_lines_read(ar_interactions *out, ar_item_lookup *lookup) {
    const ar_text_file *file = lookup->file;
    ar_file_parts parts;
    line_reading in = {.file = file, .out = out};
    AR_TRY(ar_file_parts_create(&parts, lookup, false));
    in.parts = ar_new(parts.count, sizeof *in.parts);
    alterrec_status status =
        in.parts != NULL ? read_parts(&in, &parts) : ALTERREC_ERROR_OUT_OF_MEMORY;
    lookup->unknown += ar_file_parts_unknown(&parts);
    ar_free(in.parts);
    ar_file_parts_free(&parts);
    AR_TRY(status);
    if (out->count == 0)
        return ar_text_file_at(file, file->begin,
                               ar_fail(ALTERREC_ERROR_PARSE, "the file has only blank lines"));
    return ALTERREC_OK;
}
