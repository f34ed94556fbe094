/* Charts as inline SVG: axes with sensible ticks, lines with markers, bands, bars. Colours are the
 * style sheet's, by class; shapes and labels say the same without colour. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Escapes text for HTML and SVG, also within attributes in double quotes. */
void svg_text(FILE *stream, const char *text);

typedef struct svg_axis {
    double low;
    double high;
    double step;  /* between ticks */
    int decimals; /* of their labels */
} svg_axis;

/* An axis that holds low..high and begins and ends at one of its ticks, about `ticks` of them. */
svg_axis svg_axis_round(double low, double high, int ticks);

/* An axis of whole numbers from low - 1/2 to high + 1/2: each has a place as broad as the others.
 */
svg_axis svg_axis_places(int64_t low, int64_t high, int ticks);

/* A chart, 480 units broad. */
typedef struct svg_chart {
    FILE *stream;
    double left, right, top, bottom; /* the edges of the plot, inside the margins */
    svg_axis x, y;                   /* set by whoever draws lines, bands or marks */
} svg_chart;

typedef struct svg_margins {
    double left, right, top, bottom;
} svg_margins;

/* Begins a chart whose plot is `height` units high. `id` is the chart's own in the page; title and
 * description are for those who can't see it. */
void svg_open(svg_chart *chart, FILE *stream, const char *id, const char *title,
              const char *description, svg_margins margins, double height);

void svg_close(const svg_chart *chart);

/* Grid, ticks, and what the axes are. */
void svg_axes(const svg_chart *chart, const char *x_name, const char *y_name);

/* Shades x0..x1 with the class's colour, and writes the longest of the two names that has room over
 * it. */
void svg_band(const svg_chart *chart, double x0, double x1, const char *class_name,
              const char *name, const char *short_name);

/* A dashed vertical line at x, with its name at the height `share` of the plot, 0 its bottom. */
void svg_mark(const svg_chart *chart, double x, double share, const char *name);

/* Points joined by a line, a gap where y is NAN. `marker` is the points' shape and the line's
 * dashes (0, 1, 2). */
void svg_line(const svg_chart *chart, const double *x, const double *y, int64_t count,
              const char *class_name, int marker);

/* A ring around a point that matters. */
void svg_ring(const svg_chart *chart, double x, double y);

typedef struct svg_label {
    const char *text;
    const char *class_name;
    double y; /* the height of what it names; NAN: there is nothing to name */
} svg_label;

enum { SVG_LABELS_MOST = 8 };

/* Names at the right of the plot, beside their heights but not over each other; reorders them. */
void svg_labels(const svg_chart *chart, svg_label *labels, int count);

/* A line of text over bars, `top` units below the chart's upper edge. */
void svg_heading(const svg_chart *chart, double top, const char *text);

/* A bar of `share` (0..1) of the plot's breadth, its name at its left and its value at its right.
 */
void svg_bar(const svg_chart *chart, double top, double share, const char *class_name,
             const char *name, const char *value);

#endif
