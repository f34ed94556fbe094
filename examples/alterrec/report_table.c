#include "report_table.h"
#include "report_svg.h"
#include "terminal.h"

#include <math.h>
#include <string.h>

static const char dash[] = "\xE2\x80\x93";

void table_open(FILE *stream, const char *heads) {
    fputs("<div class=\"table\"><table>\n<thead><tr>", stream);
    while (*heads != '\0') {
        size_t length = strcspn(heads, "|");
        char head[64];
        snprintf(head, sizeof head, "%.*s", (int)length, heads);
        fputs("<th scope=\"col\">", stream);
        svg_text(stream, head);
        fputs("</th>", stream);
        heads += length + (heads[length] == '|' ? 1 : 0);
    }
    fputs("</tr></thead>\n<tbody>\n", stream);
}

void table_close(FILE *stream) {
    fputs("</tbody>\n</table></div>\n", stream);
}

void row_open(FILE *stream) {
    fputs("<tr>", stream);
}

void row_close(FILE *stream) {
    fputs("</tr>\n", stream);
}

void cell_name(FILE *stream, const char *text) {
    fputs("<th scope=\"row\">", stream);
    svg_text(stream, text);
    fputs("</th>", stream);
}

void cell_text(FILE *stream, const char *text) {
    fputs("<td class=\"words\">", stream);
    svg_text(stream, text != NULL ? text : dash);
    fputs("</td>", stream);
}

void cell_number(FILE *stream, double number, int decimals) {
    if (isfinite(number))
        fprintf(stream, "<td>%.*f</td>", decimals, number);
    else
        fprintf(stream, "<td>%s</td>", dash);
}

void cell_count(FILE *stream, int64_t count) {
    fprintf(stream, "<td>%s</td>", count >= 0 ? terminal_count(count) : dash);
}

void details_open(FILE *stream, const char *summary) {
    fputs("<details><summary>", stream);
    svg_text(stream, summary);
    fputs("</summary>\n", stream);
}

void details_close(FILE *stream) {
    fputs("</details>\n", stream);
}
