/* The terminal: its width, wrapped text, numbers and bars for people. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The columns of the terminal that `stream` is, of $COLUMNS if it is none, or 80; at least 40. */
int terminal_width(FILE *stream);

/* Whether `stream` is a terminal on which a line can be rewritten. */
bool terminal_is_live(FILE *stream);

/* Prints `text` wrapped at spaces, with a newline at its end; the cursor stands in column `column`,
 * further lines begin in column `indent`. */
void terminal_wrap(FILE *stream, const char *text, int column, int indent);

/* 1234567 as "1,234,567" in one of a few static buffers: good for the arguments of one printf. */
const char *terminal_count(int64_t count);

/* Seconds as "0:07", "12:34", "3:04:05", in static buffers as terminal_count. */
const char *terminal_duration(double seconds);

/* Prints a space and a bar of `share` (0..1) of `width` columns, and ends the line. */
void terminal_bar(FILE *stream, double share, int width);

/* Prints `text` cut to at most `columns` characters of UTF-8. */
void terminal_print_cut(FILE *stream, const char *text, int columns);

#endif
