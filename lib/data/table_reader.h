/* A table: CSV, TSV or RecBole file with named columns, read row by row. Level: data. */
#ifndef AR_DATA_TABLE_READER_H
#define AR_DATA_TABLE_READER_H

#include "data/text_file.h"

/* One field of the current row. It lives until the next row is read. */
typedef struct ar_cell {
    const char *bytes; /* the value, quotes removed */
    size_t length;
    const char *place; /* where the field begins in the file, for ar_text_file_at */
    bool doubled;      /* the file's bytes hold "" for " */
} ar_cell;

/* The cell without outer white space. */
static inline ar_cell ar_cell_trim(ar_cell cell) {
    while (cell.length > 0 && (unsigned char)cell.bytes[cell.length - 1] <= ' ')
        cell.length--;
    for (; cell.length > 0 && (unsigned char)*cell.bytes <= ' '; cell.length--)
        cell.bytes++;
    return cell;
}

typedef struct ar_table_column {
    const char *name; /* without RecBole's type; with a 0 behind it */
    bool sequence;    /* RecBole's token_seq or float_seq */
} ar_table_column;

typedef struct ar_table_reader {
    ar_text_file file;
    ar_format format; /* AR_FORMAT_CSV, _TSV or _RECBOLE */
    ar_table_column *header;
    char *names;    /* the bytes behind header[].name */
    ar_cell *cells; /* [cell_count]: the current row */
    int64_t cell_count;
    int64_t cells_capacity;
    int64_t columns; /* 0 until the header is read */
    char *unquoted;  /* the values whose quotes were doubled */
    int64_t unquoted_capacity;
    bool checked; /* the bytes that follow are known to be UTF-8 */
} ar_table_reader;

/* Opens the table and reads its header. PARSE also if no row follows it. A zeroed ar_table_reader
 * may be closed; `path` must outlive the reader. */
alterrec_status ar_table_reader_open(ar_table_reader *reader, const char *path, ar_format format);
void ar_table_reader_close(ar_table_reader *reader);

/* A reader of the same table for the lines from `from` up to `to`, which have been checked: for
 * another thread. `reader` must outlive it. */
ar_table_reader ar_table_reader_part(const ar_table_reader *reader, const char *from,
                                     const char *to);
void ar_table_reader_part_free(ar_table_reader *part);

/* Reads the next row into `cells`; *found is false after the last one. */
alterrec_status ar_table_reader_next(ar_table_reader *reader, bool *found);

/* The first column called `name`, or -1. */
int64_t ar_table_reader_find(const ar_table_reader *reader, const char *name);

/* As ar_table_reader_find, but NOT_FOUND, with the names there are, if there is no such column, and
 * PARSE if there are several. `option` is the key of the option that asks for it. */
alterrec_status ar_table_reader_column(int64_t *column, const ar_table_reader *reader,
                                       const char *name, const char *option);

#endif
