/* JSON, written to a stream: strings, numbers, options and reports as objects. */
#ifndef JSON_H
#define JSON_H

#include "histogram.h"

#include <alterrec/alterrec.h>
#include <stdio.h>

/* The text in quotes, with JSON's escapes. */
void json_string(FILE *stream, const char *text);

/* The number with `digits` significant digits; null if it is not finite. */
void json_number(FILE *stream, double number, int digits);

/* Every option as an object: numbers and truth values bare, the rest as strings. */
void json_options(FILE *stream, const alterrec_config *config);

/* The defaults of those options that have another value, likewise. */
void json_defaults(FILE *stream, const alterrec_config *config);

void json_data_report(FILE *stream, const alterrec_data_report *report);

/* Both as arrays of bins [low, high, count]; high is null if the bin is open. */
void json_histograms(FILE *stream, const data_histograms *histograms);

/* One epoch as a line of the log, without the newline; `metric` names the validation metric. */
void json_epoch(FILE *stream, const alterrec_epoch_report *report, const char *metric);

#endif
