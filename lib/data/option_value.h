/* The text of one option's value: checked, brought into one form, read. Level: data. */
#ifndef AR_DATA_OPTION_VALUE_H
#define AR_DATA_OPTION_VALUE_H

#include "data/option_table.h"

/* The most numbers of a list, the most ranges of a set of ranges. */
enum { AR_OPTION_LIST_MOST = 16 };

/* Checks a value and gives it in its one form ("+0300" is "300", "1, 3" is "1,3"), to be freed with
 * ar_free. INVALID_ARGUMENT names key, value and range. */
alterrec_status ar_option_canonical(char **canonical, const ar_option *option, const char *text,
                                    size_t length);

/* A choice's position in the option's range, counted from 0; -1 if it is none of them. */
int ar_option_choice(const ar_option *option, const char *text, size_t length);

/* Read canonical text: fill at most `most` members, return how many there are. */
int64_t ar_option_list(int64_t *values, int64_t most, const char *text);
int64_t ar_option_ranges(int64_t *low, int64_t *high, int64_t most, const char *text);

/* At most `size` - 1 bytes (size >= 8) of a key or value in quotes, fit for an error's text: cut at
 * a character, "..." where it is cut, control characters as '?'. Returns `buffer`. */
const char *ar_option_quote(char *buffer, size_t size, const char *text, size_t length);

#endif
