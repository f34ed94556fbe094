/* A dictionary: distinct byte strings, numbered 0, 1, 2, ... in the order of insertion. Level:
 * core. */
#ifndef AR_CORE_DICTIONARY_H
#define AR_CORE_DICTIONARY_H

#include "core/status.h"

typedef struct ar_dictionary {
    char *text; /* all keys, each with a 0 behind it */
    int64_t text_used;
    int64_t text_capacity;
    int64_t *starts; /* [count]: where key i begins in `text` */
    int64_t starts_capacity;
    int32_t *slots; /* [slot_count], open addressing: key number + 1, 0 is free */
    int64_t slot_count;
    int64_t count;
    bool borrowed; /* the arrays are someone else's and must not change */
} ar_dictionary;

/* A zeroed ar_dictionary is an empty one. */
void ar_dictionary_free(ar_dictionary *dictionary);

/* Makes a dictionary of arrays that another one had, which must outlive it: nothing is hashed again
 * and nothing can be inserted. The caller sets text, text_used, starts, slots, slot_count and
 * count, from a file for instance; PARSE unless all that find and key will use lies within the
 * arrays. The keys' bytes are not looked at. */
alterrec_status ar_dictionary_borrow(ar_dictionary *dictionary, const ar_dictionary *arrays);

/* PARSE unless starts [count] begin at 0 and rise within a text of `size` bytes whose last one is a
 * 0: then every string ends within the text. */
alterrec_status ar_dictionary_check_starts(const int64_t *starts, int64_t count, const char *text,
                                           int64_t size);

/* The number of the key, or -1. */
int64_t ar_dictionary_find(const ar_dictionary *dictionary, const char *key, size_t length);

/* Fetches ahead where ar_dictionary_find will look first. */
void ar_dictionary_prefetch(const ar_dictionary *dictionary, const char *key, size_t length);

/* The number of the key, inserting it if it is new: then *number is the old count. */
alterrec_status ar_dictionary_insert(ar_dictionary *dictionary, int64_t *number, const char *key,
                                     size_t length);

/* Makes a dictionary of some keys of another one: of keys numbers[0], numbers[1], ..., which are
 * `count` different ones. */
alterrec_status ar_dictionary_choose(ar_dictionary *chosen, const ar_dictionary *from,
                                     const int32_t *numbers, int64_t count);

/* Key `number` as a string. Moves when a key is inserted. */
const char *ar_dictionary_key(const ar_dictionary *dictionary, int64_t number);

/* Key `number`'s length in bytes. */
size_t ar_dictionary_key_length(const ar_dictionary *dictionary, int64_t number);

#endif
