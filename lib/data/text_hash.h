/* Text features without a language model: n-grams hashed into buckets. Level: data. */
#ifndef AR_DATA_TEXT_HASH_H
#define AR_DATA_TEXT_HASH_H

#include "core/status.h"

/* How texts become rows:
 *
 *  1. A word is a run of word characters (data/letters.h) of the lowercased text.
 *  2. n-grams of words (1 .. word_ngrams), and of characters (char_min .. char_max) within each
 *     word with a boundary mark at either end; a marked word shorter than char_min is one n-gram.
 *  3. An n-gram that stands tf times in the text and in df of the N texts weighs
 *     (1 + log tf) * (log((1 + N) / (1 + df)) + 1); without tfidf, 1 + log tf.
 *  4. The weights of a text's word n-grams are scaled to length 1, those of its character n-grams
 *     too, so that neither kind outweighs the other by mere number.
 *  5. Each weight goes to one of dim buckets with one of two signs, both taken from the n-gram's
 *     hash, and the row is scaled to length 1. A text without words gives zeros. */
typedef struct ar_text_hash_options {
    int64_t dim;
    int64_t word_ngrams; /* 0: none */
    int64_t char_min;
    int64_t char_max; /* 0: none */
    bool tfidf;
} ar_text_hash_options;

/* Fills `rows`, zeroed [count, dim], from `count` UTF-8 texts; text i begins at texts + starts[i]
 * and ends with a 0. */
alterrec_status ar_text_hash(float *rows, const char *texts, const int64_t *starts, int64_t count,
                             const ar_text_hash_options *options);

/* Whether the options go together; the text of the error begins with `place`. */
alterrec_status ar_text_hash_check(const ar_text_hash_options *options, const char *place);

/* Fills `rows`, zeroed [more_count, dim], from further texts (a NULL entry: ""), weighed by the df
 * and the N of the `count` texts above alone: one that stands among those gets its row there to the
 * bit. */
alterrec_status ar_text_hash_more(float *rows, const char *const *more, int64_t more_count,
                                  const char *texts, const int64_t *starts, int64_t count,
                                  const ar_text_hash_options *options);

#endif
