#include "data/text_file.h"

#include "core/text.h"
#include "core/threads.h"

#include <string.h>

alterrec_status ar_text_file_open(ar_text_file *file, const char *path) {
    *file = (ar_text_file){.path = path};
    AR_TRY(ar_map_open(&file->map, path));
    file->begin = file->map.bytes;
    file->end = file->begin + file->map.size;
    if (file->map.size >= 3 && memcmp(file->begin, "\xEF\xBB\xBF", 3) == 0)
        file->begin += 3;
    file->next = file->begin;
    if (file->begin == file->end) {
        ar_text_file_close(file);
        return ar_fail(ALTERREC_ERROR_PARSE, "%s:1:1: the file is empty", path);
    }
    return ALTERREC_OK;
}

void ar_text_file_close(ar_text_file *file) {
    ar_map_close(&file->map);
    *file = (ar_text_file){0};
}

/* Whether eight bytes are all in 0x01..0x7F. */
static inline bool are_ascii(const char *bytes) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, bytes, 8);
    return ((word | (word - ones)) & (ones << 7)) == 0;
}

alterrec_status ar_text_file_check(const ar_text_file *file, const char *from, const char *to) {
    /* Most text is ASCII, which goes eight bytes at a time; the last eight may overlap. */
    if (to - from >= 8) {
        while (to - from >= 8 && are_ascii(from))
            from += 8;
        if (to - from < 8 && are_ascii(to - 8))
            return ALTERREC_OK;
    }
    size_t bad;
    if (ar_text_is_utf8(from, (size_t)(to - from), &bad))
        return ALTERREC_OK;
    unsigned byte = (unsigned char)from[bad];
    return ar_text_file_at(
        file, from + bad,
        byte == 0 ? ar_fail(ALTERREC_ERROR_PARSE, "a 0 byte")
                  : ar_fail(ALTERREC_ERROR_PARSE, "byte 0x%02X is not part of valid UTF-8", byte));
}

/* Counts the words that begin behind the first of `count` bytes, and the line ends among those;
 * returns whether all of them are ASCII, and no 0. */
AR_CLONES static bool count_words(int64_t *words, int64_t *lines, const unsigned char *bytes,
                                  int64_t count) {
    enum { BLOCK = 128 };
    uint8_t odd = 0;
    for (int64_t begin = 1; begin < count; begin += BLOCK) {
        /* In bytes, for which a vector has most places. */
        uint8_t begins = 0, ends = 0;
        int64_t end = begin + BLOCK < count ? begin + BLOCK : count;
        for (int64_t i = begin; i < end; i++) {
            begins = (uint8_t)(begins + ((bytes[i - 1] <= ' ') & (bytes[i] > ' ')));
            ends = (uint8_t)(ends + (bytes[i] == '\n'));
            odd |= (uint8_t)((uint8_t)(bytes[i] - 1) >= 0x7F);
        }
        *words += begins;
        *lines += ends;
    }
    return odd == 0 && (uint8_t)(bytes[0] - 1) < 0x7F;
}

const char *ar_text_file_piece(const ar_text_file *file, const char *from, const char *to) {
    enum { PIECE = 1 << 15 };
    if (to - from <= PIECE)
        return to;
    const char *end = ar_text_file_line_end(file, from + PIECE);
    return end < to ? end + 1 : to;
}

alterrec_status ar_text_file_survey(int64_t *words, int64_t *lines, const ar_text_file *file,
                                    const char *from, const char *to) {
    for (const char *next; from < to; from = next) {
        next = ar_text_file_piece(file, from, to);
        const unsigned char *bytes = (const unsigned char *)from;
        *words += *bytes > ' ';
        *lines += *bytes == '\n';
        if (!count_words(words, lines, bytes, next - from))
            AR_TRY(ar_text_file_check(file, from, next));
    }
    return ALTERREC_OK;
}

const char *ar_text_file_line_end(const ar_text_file *file, const char *from) {
    const char *newline = memchr(from, '\n', (size_t)(file->end - from));
    return newline != NULL ? newline : file->end;
}

alterrec_status ar_text_file_at(const ar_text_file *file, const char *place,
                                alterrec_status status) {
    /* Lines are counted only here, so that reading need not. */
    long long line = 1, column = 1;
    const char *start = file->begin;
    for (const char *end; (end = ar_text_file_line_end(file, start)) < place; start = end + 1)
        line++;
    for (; start < place; start++)
        column += ((unsigned char)*start & 0xC0) != 0x80;
    return ar_fail_at(status, "%s:%lld:%lld: ", file->path, line, column);
}

static bool has_suffix(const char *path, const char *suffix) {
    size_t length = strlen(path), tail = strlen(suffix);
    if (length < tail)
        return false;
    for (size_t i = 0; i < tail; i++) {
        char c = path[length - tail + i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != suffix[i])
            return false;
    }
    return true;
}

ar_format ar_format_of_path(const char *path) {
    if (has_suffix(path, ".csv"))
        return AR_FORMAT_CSV;
    if (has_suffix(path, ".tsv"))
        return AR_FORMAT_TSV;
    if (has_suffix(path, ".inter") || has_suffix(path, ".item"))
        return AR_FORMAT_RECBOLE;
    return AR_FORMAT_AUTO;
}
