#include "terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 80, LEAST_WIDTH = 40, BUFFERS = 8, BUFFER_SIZE = 32 };

int terminal_width(FILE *stream) {
    struct winsize size;
    int width = 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width == 0) {
        const char *columns = getenv("COLUMNS");
        width = columns != NULL ? atoi(columns) : 0;
    }
    if (width <= 0)
        width = DEFAULT_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width;
}

bool terminal_is_live(FILE *stream) {
    const char *type = getenv("TERM");
    return isatty(fileno(stream)) && (type == NULL || strcmp(type, "dumb") != 0);
}

void terminal_wrap(FILE *stream, const char *text, int column, int indent) {
    int width = terminal_width(stream);
    bool line_empty = true;
    while (*text != '\0') {
        if (*text == '\n') {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
            line_empty = true;
            text++;
            continue;
        }
        int length = (int)strcspn(text, " \n");
        if (!line_empty && column + 1 + length >= width) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
            line_empty = true;
        }
        column += fprintf(stream, "%s%.*s", line_empty ? "" : " ", length, text);
        line_empty = false;
        text += length;
        while (*text == ' ')
            text++;
    }
    fputc('\n', stream);
}

/* The next of a few buffers in turn. */
static char *next_buffer(void) {
    static char buffers[BUFFERS][BUFFER_SIZE];
    static int turn;
    turn = (turn + 1) % BUFFERS;
    return buffers[turn];
}

const char *terminal_count(int64_t count) {
    char digits[BUFFER_SIZE];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    char *result = next_buffer();
    char *end = result;
    for (int i = 0; i < length; i++) {
        if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
            *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return result;
}

const char *terminal_duration(double seconds) {
    char *result = next_buffer();
    if (!(seconds >= 0 && seconds < 1e9))
        seconds = 0;
    int64_t whole = (int64_t)(seconds + 0.5);
    int64_t hours = whole / 3600;
    int64_t minutes = whole / 60 % 60;
    if (hours > 0)
        snprintf(result, BUFFER_SIZE, "%" PRId64 ":%02" PRId64 ":%02" PRId64, hours, minutes,
                 whole % 60);
    else
        snprintf(result, BUFFER_SIZE, "%" PRId64 ":%02" PRId64, minutes, whole % 60);
    return result;
}

void terminal_bar(FILE *stream, double share, int width) {
    int filled = (int)(share * width + 0.5);
    if (share > 0 && filled == 0)
        filled = 1;
    if (filled > 0)
        fputc(' ', stream);
    for (int i = 0; i < filled && i < width; i++)
        fputc('#', stream);
    fputc('\n', stream);
}

void terminal_print_cut(FILE *stream, const char *text, int columns) {
    int used = 0;
    size_t bytes = 0;
    for (; text[bytes] != '\0'; bytes++) {
        bool begins_character = ((unsigned char)text[bytes] & 0xC0) != 0x80;
        if (begins_character && used++ == columns)
            break;
    }
    fwrite(text, 1, bytes, stream);
}
