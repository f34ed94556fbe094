/* The words of the synthetic shop and how they make titles. */
#ifndef SHOP_WORDS_H
#define SHOP_WORDS_H

#include "dice.h"

#include <stddef.h>
#include <stdint.h>

/* A title of common words, which many items share: "Blue Apron". */
void words_plain_title(char *title, size_t size, int64_t category, cli_dice *dice);

/* A title with the name of a series and that of a pattern: "Amber Harbour Stool in Copper Stripe".
 * The names of two series differ, but may have a word in common; so do those of two patterns. */
void words_named_title(char *title, size_t size, int64_t series, int64_t pattern, int64_t category,
                       cli_dice *dice);

#endif
