/* The texts that an interaction table gives its items: counted, the commonest wins. Level: data. */
#ifndef AR_DATA_ITEM_TEXTS_H
#define AR_DATA_ITEM_TEXTS_H

#include "core/dictionary.h"

/* A zeroed ar_item_texts is an empty one. */
typedef struct ar_item_texts {
    ar_dictionary texts; /* the distinct texts */
    ar_dictionary pairs; /* the distinct (item, text), as the bytes of two int32_t */
    int64_t *counts;     /* [pairs.count] */
    int64_t counts_capacity;
    char *tidy;
    int64_t tidy_capacity;
} ar_item_texts;

/* Copies `length` bytes without outer white space, with every inner run of it as one space; returns
 * the length of what was written, at most `length`. */
size_t ar_item_texts_tidy(char *tidy, const char *text, size_t length);

/* Counts `text`, tidied, for `item`; an empty one does not count. */
alterrec_status ar_item_texts_add(ar_item_texts *texts, int32_t item, const char *text,
                                  size_t length);

/* chosen[i] = the commonest text of item i, of equally common ones the first seen; "" if it has
 * none. Borrowed from `texts`. */
alterrec_status ar_item_texts_choose(const char **chosen, const ar_item_texts *texts,
                                     int64_t items);

void ar_item_texts_free(ar_item_texts *texts);

#endif
