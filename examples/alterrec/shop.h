/*
 * A synthetic shop, built so that item IDs and item texts each know something the other does not.
 *
 * A share of the items is popular and comes in bundles: a few items of different categories that
 * are bought one after the other. Their titles say nothing about it (many share one title), so only
 * the IDs can learn bundles. The other items are rare. Each has two names in its title, that of its
 * series and that of its pattern ("Amber Harbour Stool in Copper Stripe"), and a visitor looks
 * through the items of one series or of one pattern. Most of them occur too rarely for an ID to be
 * learned, above all which of the two a visitor is after, so the title is what leads to them.
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

/* Items [first, first + count) of an order of the items: a bundle, a series or a pattern. */
typedef struct shop_group {
    int64_t first;
    int32_t count;
} shop_group;

/* Groups that cover an order of items, and the chance of each: it falls as a power of the group's
 * number (Zipf). */
typedef struct shop_groups {
    shop_group *groups;
    double *chances; /* [count], added up: the last is 1 */
    int64_t count;
} shop_groups;

typedef struct cli_shop {
    int64_t items;
    int64_t popular; /* items in bundles: those at positions 0 .. popular - 1 */
    int64_t categories;
    int64_t *numbers;        /* [items]: position -> number of the item */
    int64_t *positions;      /* [items]: the inverse */
    int64_t *pattern_order;  /* [items - popular]: the rare items' second order */
    int64_t *pattern_places; /* [items - popular]: the inverse */
    shop_groups bundles;     /* of positions */
    shop_groups series;      /* of positions behind the popular ones, counted from 0 there */
    shop_groups patterns;    /* of places in pattern_order */
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
