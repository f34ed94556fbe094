/*
 * A synthetic shop, built so that item IDs and item texts each know something the other does not.
 *
 * A share of the items is popular and comes in bundles: a few items of different categories that
 * are bought one after the other. Their titles say nothing about it (many even share one title), so
 * only the IDs can learn bundles. The other items are rare and come in series: all items of a
 * series have its name in their titles ("Amber Harbour"), and visitors of a series look through it.
 * Most of them occur too rarely for an ID to be learned, so the title is what leads to them.
 */
#ifndef SHOP_H
#define SHOP_H

#include "dice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHOP_ITEMS_LEAST = 60,
    SHOP_CATEGORIES_MOST = 16,
    SHOP_SESSION_MOST = 40, /* items of the longest session */
};

/* Items [first, first + count) of the shop's order by group: a bundle or a series. */
typedef struct shop_group {
    int64_t first;
    int32_t count;
} shop_group;

/* Draws group r with a probability that falls as a power of r + 1 (Zipf). */
typedef struct shop_chances {
    double *cumulative; /* [count], the last is 1 */
    int64_t count;
} shop_chances;

typedef struct cli_shop {
    int64_t items;
    int64_t categories;
    int64_t *numbers;   /* [items]: position in the order by group -> number of the item */
    int64_t *positions; /* [items]: the inverse */
    shop_group *bundles;
    shop_group *series;
    shop_chances bundle_chances;
    shop_chances series_chances;
    uint64_t seed;
    cli_dice dice; /* of the sessions */
} cli_shop;

void shop_open(cli_shop *shop, int64_t items, int64_t categories, uint64_t seed);
void shop_close(cli_shop *shop);

/* Writes the title of item `number` into `title`. */
void shop_title(char *title, size_t size, const cli_shop *shop, int64_t number);

/* Draws the next session: fills `numbers` and returns how many items it has. */
int64_t shop_session(int64_t numbers[SHOP_SESSION_MOST], cli_shop *shop);

#endif
