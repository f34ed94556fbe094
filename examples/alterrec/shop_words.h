/* The words of the synthetic shop and how they make titles. */
#ifndef SHOP_WORDS_H
#define SHOP_WORDS_H

#include "dice.h"

#include <stddef.h>
#include <stdint.h>

/* A title of few, common words, which several items may share: "Blue Cotton Apron". */
void words_plain_title(char *title, size_t size, int64_t category, cli_dice *dice);

/* A title that begins with the name of its series: "Amber Harbour Oak Shelf, Large". The names of
 * two series differ, but may have a word in common. */
void words_series_title(char *title, size_t size, int64_t series, int64_t category, cli_dice *dice);

#endif
