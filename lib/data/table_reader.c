#include "data/table_reader.h"

#include "core/memory.h"
#include "core/text.h"
#include "data/text_bits.h"

#include <string.h>

/* The row's next cell, to be filled in place: a copy of one that has just been written would wait
 * for it. NULL, with the error recorded, out of memory. */
static inline ar_cell *next_cell(ar_table_reader *reader) {
    if (reader->cell_count == reader->cells_capacity) {
        void *cells = reader->cells;
        if (ar_grow(&cells, &reader->cells_capacity, reader->cell_count + 1,
                    sizeof *reader->cells) != ALTERREC_OK)
            return NULL;
        reader->cells = cells;
    }
    return &reader->cells[reader->cell_count++];
}

static alterrec_status push_cell(ar_table_reader *reader, ar_cell cell) {
    ar_cell *place = next_cell(reader);
    if (place == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    *place = cell;
    return ALTERREC_OK;
}

/* The closing quote of the field whose opening quote stands before `from`; NULL if there is none.
 */
static const char *closing_quote(const ar_text_file *file, const char *from, bool *doubled) {
    *doubled = false;
    for (;;) {
        const char *quote = memchr(from, '"', (size_t)(file->end - from));
        if (quote == NULL || quote + 1 == file->end || quote[1] != '"')
            return quote;
        *doubled = true;
        from = quote + 2;
    }
}

/* Whether a row ends at `at`, and where the next one begins. */
static bool row_ends(const ar_text_file *file, const char *at, const char **next) {
    if (at == file->end) {
        *next = at;
        return true;
    }
    if (*at == '\r' && at + 1 < file->end && at[1] == '\n')
        at++;
    *next = at + 1;
    return *at == '\n';
}

/* Splits the row at file.next by RFC 4180 and moves file.next behind it. */
static alterrec_status split_csv(ar_table_reader *reader) {
    ar_text_file *file = &reader->file;
    const char *at = file->next, *next = at;
    for (bool last = false; !last; at = next) {
        ar_cell cell = {.place = at};
        if (at < file->end && *at == '"') {
            const char *close = closing_quote(file, at + 1, &cell.doubled);
            if (close == NULL)
                return ar_text_file_at(
                    file, at,
                    ar_fail(ALTERREC_ERROR_PARSE, "the quote that begins here never ends"));
            cell.bytes = at + 1;
            cell.length = (size_t)(close - cell.bytes);
            at = close + 1;
            last = row_ends(file, at, &next);
            if (!last && *at != ',')
                return ar_text_file_at(file, at,
                                       ar_fail(ALTERREC_ERROR_PARSE,
                                               "text behind a closing quote, a comma or the end of "
                                               "the line was expected"));
        } else {
            cell.bytes = at;
            /* Most bytes are none of those that mean something. */
            while (at < file->end && (unsigned char)*at > ',')
                at++;
            while (!(last = row_ends(file, at, &next)) && *at != ',') {
                if (*at == '"')
                    return ar_text_file_at(
                        file, at,
                        ar_fail(ALTERREC_ERROR_PARSE,
                                "a quote inside a field that does not begin with one"));
                at++;
            }
            cell.length = (size_t)(at - cell.bytes);
        }
        AR_TRY(push_cell(reader, cell));
    }
    file->next = next;
    return ALTERREC_OK;
}

/* Splits the row at file.next at its tabs and moves file.next behind it. */
static alterrec_status split_tsv(ar_table_reader *reader) {
    ar_text_file *file = &reader->file;
    const char *begin = file->next; /* of the cell */
    for (const char *at = begin;; at += AR_TEXT_BLOCK) {
        char rest[AR_TEXT_BLOCK];
        const char *bytes = at;
        if (file->end - at < AR_TEXT_BLOCK) {
            memset(rest, '\n', sizeof rest);
            bytes = memcpy(rest, at, (size_t)(file->end - at));
        }
        uint64_t stops = ar_text_bits_equal(bytes, '\t') | ar_text_bits_equal(bytes, '\n');
        for (; stops != 0; stops &= stops - 1) {
            int offset = __builtin_ctzll(stops);
            const char *stop = at + offset;
            bool last = bytes[offset] == '\n';
            ar_cell *cell = next_cell(reader);
            if (cell == NULL)
                return ALTERREC_ERROR_OUT_OF_MEMORY;
            cell->bytes = cell->place = begin;
            cell->length = (size_t)(stop - begin);
            cell->doubled = false;
            if (last) {
                cell->length -= stop > begin && stop[-1] == '\r';
                file->next = stop < file->end ? stop + 1 : stop;
                return ALTERREC_OK;
            }
            begin = stop + 1;
        }
    }
}

/* Replaces the values that hold doubled quotes by copies that hold single ones. */
static alterrec_status unquote(ar_table_reader *reader) {
    int64_t needed = 0;
    for (int64_t i = 0; i < reader->cell_count; i++)
        needed += reader->cells[i].doubled ? (int64_t)reader->cells[i].length : 0;
    if (needed == 0)
        return ALTERREC_OK;
    void *unquoted = reader->unquoted;
    AR_TRY(ar_grow(&unquoted, &reader->unquoted_capacity, needed, 1));
    reader->unquoted = unquoted;
    char *to = reader->unquoted;
    for (int64_t i = 0; i < reader->cell_count; i++) {
        ar_cell *cell = &reader->cells[i];
        if (!cell->doubled)
            continue;
        const char *from = cell->bytes, *end = from + cell->length;
        cell->bytes = to;
        while (from < end) {
            *to++ = *from;
            from += *from == '"' ? 2 : 1;
        }
        cell->length = (size_t)(to - cell->bytes);
    }
    return ALTERREC_OK;
}

/* An empty line is no row, except in a table of one column, where it is an empty field. */
static void skip_empty_lines(ar_table_reader *reader) {
    ar_text_file *file = &reader->file;
    const char *next;
    while (reader->columns != 1 && file->next < file->end && row_ends(file, file->next, &next))
        file->next = next;
}

alterrec_status ar_table_reader_next(ar_table_reader *reader, bool *found) {
    ar_text_file *file = &reader->file;
    skip_empty_lines(reader);
    const char *row = file->next;
    *found = row < file->end;
    if (!*found)
        return ALTERREC_OK;
    reader->cell_count = 0;
    AR_TRY(reader->format == AR_FORMAT_CSV ? split_csv(reader) : split_tsv(reader));
    if (!reader->checked)
        AR_TRY(ar_text_file_check(file, row, file->next));
    int64_t count = reader->cell_count;
    if (reader->columns > 0 && count != reader->columns) {
        int64_t nearest = count < reader->columns ? count - 1 : reader->columns;
        return ar_text_file_at(file, reader->cells[nearest].place,
                               ar_fail(ALTERREC_ERROR_PARSE, "%lld columns, the header has %lld",
                                       (long long)count, (long long)reader->columns));
    }
    return unquote(reader);
}

/* Splits RecBole's "name:type" and notes the type. */
static alterrec_status take_type(const ar_table_reader *reader, const ar_cell *cell,
                                 ar_table_column *column, size_t *length) {
    static const char *const types[] = {"token", "float", "token_seq", "float_seq"};
    const char *colon = memchr(cell->bytes, ':', cell->length);
    if (colon != NULL) {
        size_t rest = cell->length - (size_t)(colon + 1 - cell->bytes);
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (strlen(types[i]) == rest && memcmp(types[i], colon + 1, rest) == 0) {
                column->sequence = i >= 2;
                *length = (size_t)(colon - cell->bytes);
                return ALTERREC_OK;
            }
    }
    return ar_text_file_at(&reader->file, cell->place,
                           ar_fail(ALTERREC_ERROR_PARSE,
                                   "column `%.*s` has no type, name:token, name:float, "
                                   "name:token_seq or name:float_seq was expected",
                                   (int)(cell->length < 64 ? cell->length : 64), cell->bytes));
}

static alterrec_status read_header(ar_table_reader *reader) {
    bool found;
    AR_TRY(ar_table_reader_next(reader, &found));
    if (!found)
        return ar_fail(ALTERREC_ERROR_PARSE, "%s:1:1: the file has no header", reader->file.path);
    int64_t count = reader->cell_count, size = 0;
    for (int64_t i = 0; i < count; i++)
        size += (int64_t)reader->cells[i].length + 1;
    AR_NEW(reader->header, count);
    AR_NEW(reader->names, size);
    char *name = reader->names;
    for (int64_t i = 0; i < count; i++) {
        const ar_cell *cell = &reader->cells[i];
        size_t length = cell->length;
        if (reader->format == AR_FORMAT_RECBOLE)
            AR_TRY(take_type(reader, cell, &reader->header[i], &length));
        memcpy(name, cell->bytes, length);
        reader->header[i].name = name;
        name += length + 1;
    }
    reader->columns = count;
    return ALTERREC_OK;
}

alterrec_status ar_table_reader_open(ar_table_reader *reader, const char *path, ar_format format) {
    *reader = (ar_table_reader){.format = format};
    AR_TRY(ar_text_file_open(&reader->file, path));
    alterrec_status status = read_header(reader);
    if (status == ALTERREC_OK) {
        skip_empty_lines(reader);
        if (reader->file.next == reader->file.end)
            status = ar_text_file_at(&reader->file, reader->file.end,
                                     ar_fail(ALTERREC_ERROR_PARSE, "no row follows the header"));
    }
    if (status != ALTERREC_OK)
        ar_table_reader_close(reader);
    return status;
}

void ar_table_reader_close(ar_table_reader *reader) {
    ar_text_file_close(&reader->file);
    ar_free(reader->header);
    ar_free(reader->names);
    ar_free(reader->cells);
    ar_free(reader->unquoted);
    *reader = (ar_table_reader){0};
}

ar_table_reader ar_table_reader_part(const ar_table_reader *reader, const char *from,
                                     const char *to) {
    ar_table_reader part = *reader;
    part.file.next = from;
    part.file.end = to;
    part.cells = NULL;
    part.unquoted = NULL;
    part.cell_count = part.cells_capacity = part.unquoted_capacity = 0;
    part.checked = true;
    return part;
}

void ar_table_reader_part_free(ar_table_reader *part) {
    ar_free(part->cells);
    ar_free(part->unquoted);
}

int64_t ar_table_reader_find(const ar_table_reader *reader, const char *name) {
    for (int64_t i = 0; i < reader->columns; i++)
        if (strcmp(reader->header[i].name, name) == 0)
            return i;
    return -1;
}

static alterrec_status no_such_column(const ar_table_reader *reader, const char *name,
                                      const char *option) {
    enum { LISTED = 400 };
    char list[LISTED] = "";
    size_t used = 0;
    const char *nearest = NULL;
    int distance = (int)strlen(name) / 2 + 1; /* farther ones are no misspelling */
    for (int64_t i = 0; i < reader->columns; i++) {
        const char *other = reader->header[i].name;
        size_t length = strlen(other);
        if (used + length + 8 < sizeof list) {
            memcpy(list + used, ", ", 2);
            memcpy(list + used + 2, other, length + 1);
            used += length + 2;
        } else if (used + 6 < sizeof list) {
            memcpy(list + used, ", ...", 6);
            used = sizeof list;
        }
        int d = ar_text_distance(name, other);
        if (d < distance) {
            distance = d;
            nearest = other;
        }
    }
    return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: no column `%s` (%s)%s%s%s; its columns are %s",
                   reader->file.path, name, option, nearest != NULL ? ", did you mean `" : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "`?" : "", list + 2);
}

alterrec_status ar_table_reader_column(int64_t *column, const ar_table_reader *reader,
                                       const char *name, const char *option) {
    *column = ar_table_reader_find(reader, name);
    if (*column < 0)
        return no_such_column(reader, name, option);
    for (int64_t i = *column + 1; i < reader->columns; i++)
        if (strcmp(reader->header[i].name, name) == 0)
            return ar_fail(ALTERREC_ERROR_PARSE,
                           "%s:1:1: column `%s` (%s) stands in the header twice, as number %lld "
                           "and %lld",
                           reader->file.path, name, option, (long long)*column + 1,
                           (long long)i + 1);
    return ALTERREC_OK;
}
