/* What every chart of a report is framed by: heading, caption, or what the log lacks for it. */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include "report_evaluation.h"
#include "report_svg.h"

/* The style sheet's names of the series, of their lines and bars, and of their labels. */
extern const char *const series_classes[SERIES];
extern const char *const series_label_classes[SERIES];

/* A chart with axes: the height of its plot, and what stands around it. */
enum { FIGURE_HEIGHT = 232 };
extern const svg_margins figure_margins;

void figure_open(FILE *stream, const char *title);
void figure_caption(FILE *stream, const char *caption);
void figure_end(FILE *stream);

/* A figure without a chart, and why there is none. */
void figure_missing(FILE *stream, const char *title, const char *why);

/* The smallest and the largest finite value; false if there is none. */
bool figure_extent(double *low, double *high, const double *values, int64_t count);

#endif
