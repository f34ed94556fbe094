/* A text file that is read from front to back: mapped, UTF-8, with places for errors. Level: data.
 */
#ifndef AR_DATA_TEXT_FILE_H
#define AR_DATA_TEXT_FILE_H

#include "core/file.h"

typedef struct ar_text_file {
    ar_map map;
    const char *path;  /* borrowed */
    const char *begin; /* behind a byte order mark */
    const char *next;  /* where reading goes on */
    const char *end;
} ar_text_file;

/* Opens `path`; IO, or PARSE for an empty file. A zeroed ar_text_file may be closed. */
alterrec_status ar_text_file_open(ar_text_file *file, const char *path);
void ar_text_file_close(ar_text_file *file);

/* PARSE if the bytes of `from` up to `to` are not UTF-8 or hold a 0. */
alterrec_status ar_text_file_check(const ar_text_file *file, const char *from, const char *to);

/* The end of the next piece of whole lines from `from` up to `to`: small enough to stay in the
 * cache while it is looked at several times. */
const char *ar_text_file_piece(const ar_text_file *file, const char *from, const char *to);

/* Checks whole lines as ar_text_file_check does, and adds how many words, parted by spaces and
 * control characters, and how many line ends they have. */
alterrec_status ar_text_file_survey(int64_t *words, int64_t *lines, const ar_text_file *file,
                                    const char *from, const char *to);

/* The end of the line that holds `from`: its '\n', or the file's end. */
const char *ar_text_file_line_end(const ar_text_file *file, const char *from);

/* Puts "path:line:column: " of `place` before the error just recorded and returns `status`. Both
 * count from 1; a column is a Unicode character. */
alterrec_status ar_text_file_at(const ar_text_file *file, const char *place,
                                alterrec_status status);

/* The forms that a file of data can have, in the order of the option data.format. */
typedef enum ar_format {
    AR_FORMAT_AUTO,
    AR_FORMAT_SESSIONS, /* one session a line */
    AR_FORMAT_CSV,
    AR_FORMAT_TSV,
    AR_FORMAT_RECBOLE
} ar_format;

/* The format that the path's suffix names, AUTO if it names none. */
ar_format ar_format_of_path(const char *path);

#endif
