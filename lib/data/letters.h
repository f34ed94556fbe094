/* Letters: which characters make words, and their lower case. Level: data. */
#ifndef AR_DATA_LETTERS_H
#define AR_DATA_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

/* ASCII letters and digits, and everything beyond ASCII save the punctuation and spaces of Latin-1,
 * General Punctuation, CJK and its full-width forms. */
bool ar_letter_in_word(uint32_t character);

/* The simple lower case of a character of ASCII, Latin-1, Latin Extended-A, Greek or Cyrillic; any
 * other comes back as it is. */
uint32_t ar_letter_lower(uint32_t character);

#endif
