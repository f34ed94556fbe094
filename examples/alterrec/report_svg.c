#include "report_svg.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 480, LABEL_GAP = 15, BAR_HEIGHT = 13, CHARACTER = 7 };

void svg_text(FILE *stream, const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '&')
            fputs("&amp;", stream);
        else if (*at == '<')
            fputs("&lt;", stream);
        else if (*at == '>')
            fputs("&gt;", stream);
        else if (*at == '"')
            fputs("&quot;", stream);
        else if ((*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7F)
            fputs("\xEF\xBF\xBD", stream); /* no document may hold it: the replacement character */
        else if (at[0] == 0xEF && at[1] == 0xBF && at[2] >= 0xBE)
            fputs("\xEF\xBF\xBD", stream), at += 2;
        else
            fputc(*at, stream);
    }
}

/* The step of 1, 2 or 5 times a power of ten that parts `range` into about `ticks`. */
static double round_step(double range, int ticks) {
    double raw = range / ticks;
    double power = pow(10, floor(log10(raw)));
    double share = raw / power;
    return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

static int step_decimals(double step) {
    int decimals = (int)ceil(-log10(step) - 1e-9);
    return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

svg_axis svg_axis_round(double low, double high, int ticks) {
    double size = fmax(fabs(low), fabs(high));
    if (high - low <= 1e-9 * size || size <= 0) { /* one value: room around it */
        double room = size > 0 ? 0.1 * size : 1;
        low -= room;
        high += room;
    }
    double step = round_step(high - low, ticks);
    return (svg_axis){.low = floor(low / step + 1e-9) * step,
                      .high = ceil(high / step - 1e-9) * step,
                      .step = step,
                      .decimals = step_decimals(step)};
}

svg_axis svg_axis_places(int64_t low, int64_t high, int ticks) {
    double step = round_step((double)(high - low + 1), ticks);
    return (svg_axis){
        .low = (double)low - 0.5, .high = (double)high + 0.5, .step = step < 1 ? 1 : step};
}

static double at_x(const svg_chart *chart, double x) {
    double share = (x - chart->x.low) / (chart->x.high - chart->x.low);
    return chart->left + share * (chart->right - chart->left);
}

static double at_y(const svg_chart *chart, double y) {
    double share = (y - chart->y.low) / (chart->y.high - chart->y.low);
    return chart->bottom - share * (chart->bottom - chart->top);
}

void svg_open(svg_chart *chart, FILE *stream, const char *id, const char *title,
              const char *description, svg_margins margins, double height) {
    *chart = (svg_chart){.stream = stream,
                         .left = margins.left,
                         .right = WIDTH - margins.right,
                         .top = margins.top,
                         .bottom = margins.top + height};
    fprintf(stream,
            "<svg viewBox=\"0 0 %d %g\" role=\"img\" aria-labelledby=\"%s-title %s-about\">\n"
            "<title id=\"%s-title\">",
            WIDTH, chart->bottom + margins.bottom, id, id, id);
    svg_text(stream, title);
    fprintf(stream, "</title>\n<desc id=\"%s-about\">", id);
    svg_text(stream, description);
    fputs("</desc>\n", stream);
}

void svg_close(const svg_chart *chart) {
    fputs("</svg>\n", chart->stream);
}

static void put_text(const svg_chart *chart, double x, double y, const char *class_name,
                     const char *anchor, const char *text) {
    fprintf(chart->stream, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
            class_name, x, y, anchor);
    svg_text(chart->stream, text);
    fputs("</text>\n", chart->stream);
}

static void put_line(const svg_chart *chart, double x0, double y0, double x1, double y1,
                     const char *class_name) {
    fprintf(chart->stream, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            class_name, x0, y0, x1, y1);
}

/* The axis's first tick, and how many there are. */
static int ticks_of(double *first, const svg_axis *axis) {
    *first = ceil(axis->low / axis->step - 1e-9) * axis->step;
    return (int)floor((axis->high - *first) / axis->step + 1e-9) + 1;
}

void svg_axes(const svg_chart *chart, const char *x_name, const char *y_name) {
    char label[48];
    double first;
    int ticks = ticks_of(&first, &chart->y);
    for (int t = 0; t < ticks; t++) {
        double value = first + t * chart->y.step;
        double y = at_y(chart, value);
        put_line(chart, chart->left, y, chart->right, y, "grid");
        snprintf(label, sizeof label, "%.*f", chart->y.decimals,
                 fabs(value) < chart->y.step / 2 ? 0.0 : value);
        put_text(chart, chart->left - 6, y + 4, "tick", "end", label);
    }
    ticks = ticks_of(&first, &chart->x);
    for (int t = 0; t < ticks; t++) {
        double value = first + t * chart->x.step;
        double x = at_x(chart, value);
        put_line(chart, x, chart->bottom, x, chart->bottom + 4, "axis");
        snprintf(label, sizeof label, "%.*f", chart->x.decimals,
                 fabs(value) < chart->x.step / 2 ? 0.0 : value);
        put_text(chart, x, chart->bottom + 17, "tick", "middle", label);
    }
    put_line(chart, chart->left, chart->bottom, chart->right, chart->bottom, "axis");
    put_text(chart, (chart->left + chart->right) / 2, chart->bottom + 34, "name", "middle", x_name);
    put_text(chart, 0, chart->top - 26, "name", "start", y_name);
}

void svg_band(const svg_chart *chart, double x0, double x1, const char *class_name,
              const char *name, const char *short_name) {
    double left = at_x(chart, x0), right = at_x(chart, x1);
    fprintf(chart->stream,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            class_name, left, chart->top, right - left, chart->bottom - chart->top);
    const char *text = (double)(CHARACTER * strlen(name)) < right - left         ? name
                       : (double)(CHARACTER * strlen(short_name)) < right - left ? short_name
                                                                                 : "";
    if (text[0] != '\0')
        put_text(chart, (left + right) / 2, chart->top - 6, "band", "middle", text);
}

void svg_mark(const svg_chart *chart, double x, double share, const char *name) {
    double place = at_x(chart, x);
    double room = (double)(CHARACTER * strlen(name)) + 4;
    bool at_left = place + room > chart->right;
    put_line(chart, place, chart->top, place, chart->bottom, "mark");
    put_text(chart, place + (at_left ? -4 : 4),
             chart->bottom - share * (chart->bottom - chart->top), "note",
             at_left ? "end" : "start", name);
}

static void put_marker(const svg_chart *chart, double x, double y, const char *class_name,
                       int marker) {
    static const char *const shapes[] = {
        "M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0z",
        "M-3.2,-3.2h6.4v6.4h-6.4z",
        "M0,-4.4L4.2,3.2H-4.2z",
    };
    fprintf(chart->stream, "<path class=\"dot %s\" transform=\"translate(%.1f %.1f)\" d=\"%s\"/>\n",
            class_name, x, y, shapes[marker]);
}

void svg_line(const svg_chart *chart, const double *x, const double *y, int64_t count,
              const char *class_name, int marker) {
    static const char *const dashes[] = {"", " dashed", " dotted"};
    const double crowd = 6; /* closer than this, markers would hide the line */
    fprintf(chart->stream, "<path class=\"line %s%s\" d=\"", class_name, dashes[marker]);
    bool drawing = false;
    for (int64_t i = 0; i < count; i++) {
        bool known = isfinite(y[i]) != 0;
        if (known)
            fprintf(chart->stream, "%c%.1f,%.1f", drawing ? 'L' : 'M', at_x(chart, x[i]),
                    at_y(chart, y[i]));
        drawing = known;
    }
    fputs("\"/>\n", chart->stream);
    double last = -crowd;
    for (int64_t i = 0; i < count; i++) {
        double place = at_x(chart, x[i]);
        if (!isfinite(y[i]) || (place - last < crowd && i + 1 < count))
            continue;
        put_marker(chart, place, at_y(chart, y[i]), class_name, marker);
        last = place;
    }
}

void svg_ring(const svg_chart *chart, double x, double y) {
    fprintf(chart->stream, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"8\"/>\n",
            at_x(chart, x), at_y(chart, y));
}

void svg_labels(const svg_chart *chart, svg_label *labels, int count) {
    double places[SVG_LABELS_MOST];
    int used = 0;
    for (int i = 0; i < count; i++) {
        svg_label label = labels[i];
        if (!isfinite(label.y))
            continue;
        int to = used++;
        for (; to > 0 && labels[to - 1].y < label.y; to--)
            labels[to] = labels[to - 1];
        labels[to] = label;
    }
    /* Down from the top, each at least a line below the last; then up again from the bottom. */
    for (int i = 0; i < used; i++) {
        places[i] = at_y(chart, labels[i].y);
        if (i > 0 && places[i] < places[i - 1] + LABEL_GAP)
            places[i] = places[i - 1] + LABEL_GAP;
    }
    double lowest = chart->bottom;
    for (int i = used - 1; i >= 0; i--, lowest -= LABEL_GAP)
        places[i] = fmin(places[i], lowest);
    for (int i = 0; i < used; i++)
        put_text(chart, chart->right + 8, places[i] + 4, labels[i].class_name, "start",
                 labels[i].text);
}

void svg_heading(const svg_chart *chart, double top, const char *text) {
    put_text(chart, 0, chart->top + top + 12, "heading", "start", text);
}

void svg_bar(const svg_chart *chart, double top, double share, const char *class_name,
             const char *name, const char *value) {
    double y = chart->top + top;
    double width = fmax(share, 0) * (chart->right - chart->left);
    put_text(chart, chart->left - 8, y + 11, "tick", "end", name);
    fprintf(chart->stream,
            "<rect class=\"bar %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
            class_name, chart->left, y, fmax(width, 1), BAR_HEIGHT);
    put_text(chart, chart->left + fmax(width, 1) + 6, y + 11, "value", "start", value);
}
