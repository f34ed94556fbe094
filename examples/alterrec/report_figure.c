#include "report_figure.h"

#include <math.h>

const char *const series_classes[SERIES] = {"fused", "id", "text", "popularity"};
const char *const series_label_classes[SERIES] = {"label fused", "label id", "label text",
                                                  "label popularity"};

const svg_margins figure_margins = {.left = 46, .right = 104, .top = 46, .bottom = 42};

void figure_open(FILE *stream, const char *title) {
    fputs("<figure>\n<h3>", stream);
    svg_text(stream, title);
    fputs("</h3>\n", stream);
}

void figure_caption(FILE *stream, const char *caption) {
    fputs("<figcaption>", stream);
    svg_text(stream, caption);
    fputs("</figcaption>\n", stream);
}

void figure_end(FILE *stream) {
    fputs("</figure>\n", stream);
}

void figure_missing(FILE *stream, const char *title, const char *why) {
    figure_open(stream, title);
    fputs("<p class=\"missing\">", stream);
    svg_text(stream, why);
    fputs("</p>\n", stream);
    figure_end(stream);
}

bool figure_extent(double *low, double *high, const double *values, int64_t count) {
    bool found = false;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        *low = found ? fmin(*low, values[i]) : values[i];
        *high = found ? fmax(*high, values[i]) : values[i];
        found = true;
    }
    return found;
}
