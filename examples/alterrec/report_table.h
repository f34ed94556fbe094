/* Tables of a page: a head, then rows of cells. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdint.h>
#include <stdio.h>

/* Begins a table; `heads` are parted by "|". */
void table_open(FILE *stream, const char *heads);
void table_close(FILE *stream);

void row_open(FILE *stream);
void row_close(FILE *stream);

/* Cells: the row's name, text, a number with `decimals` places, a count; a dash for NULL, NAN, -1.
 */
void cell_name(FILE *stream, const char *text);
void cell_text(FILE *stream, const char *text);
void cell_number(FILE *stream, double number, int decimals);
void cell_count(FILE *stream, int64_t count);

/* Begins and ends what opens on a click. */
void details_open(FILE *stream, const char *summary);
void details_close(FILE *stream);

#endif
