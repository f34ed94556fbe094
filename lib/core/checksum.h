/* A 64-bit checksum against accidents, the same however the bytes are cut up. Level: core. */
#ifndef AR_CORE_CHECKSUM_H
#define AR_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* A zeroed ar_checksum has seen no bytes. One changed 8-byte word always changes the value. */
typedef struct ar_checksum {
    uint64_t hash;
    uint64_t size; /* bytes seen */
    uint64_t tail; /* the bytes behind the last whole word, little-endian */
} ar_checksum;

void ar_checksum_put(ar_checksum *checksum, const void *bytes, size_t size);

/* The checksum of all bytes so far; more may follow. */
uint64_t ar_checksum_value(const ar_checksum *checksum);

#endif
