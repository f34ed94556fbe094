/* The charts of test, fusion and data, each with what it shows as a table, or with what the log
 * lacks for it. */
#ifndef REPORT_CHARTS_H
#define REPORT_CHARTS_H

#include "report_log.h"

#include <stdio.h>

void chart_groups(FILE *stream, const report_evaluation *test);
void chart_alpha(FILE *stream, const report_log *log);
void chart_lengths(FILE *stream, const report_log *log);
void chart_occurrences(FILE *stream, const report_log *log);

#endif
