#include "core/checksum.h"

#include "core/random.h"

#include <string.h>

static uint64_t read_word(const unsigned char *bytes) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--)
        word = word << 8 | bytes[i];
    return word;
}

static const unsigned char *put_byte(ar_checksum *checksum, const unsigned char *next) {
    checksum->tail |= (uint64_t)*next << (8 * (checksum->size % 8));
    if (++checksum->size % 8 == 0) {
        checksum->hash = ar_mix(checksum->hash ^ checksum->tail);
        checksum->tail = 0;
    }
    return next + 1;
}

void ar_checksum_put(ar_checksum *checksum, const void *bytes, size_t size) {
    const unsigned char *next = bytes;
    for (; size > 0 && checksum->size % 8 != 0; size--)
        next = put_byte(checksum, next);
    uint64_t hash = checksum->hash;
    for (; size >= 8; size -= 8, next += 8, checksum->size += 8)
        hash = ar_mix(hash ^ read_word(next));
    checksum->hash = hash;
    for (; size > 0; size--)
        next = put_byte(checksum, next);
}

uint64_t ar_checksum_value(const ar_checksum *checksum) {
    uint64_t hash = checksum->hash;
    if (checksum->size % 8 != 0)
        hash = ar_mix(hash ^ checksum->tail);
    return ar_mix(hash ^ checksum->size);
}
