#include "shop.h"
#include "program.h"
#include "shop_words.h"

#include <math.h>
#include <stdlib.h>

/* What makes the mix: both towers should know something that the other does not. */
static const double POPULAR_SHARE = 0.2;    /* of the items come in bundles */
static const double BUNDLE_SESSIONS = 0.6;  /* of the sessions go through a bundle */
static const double PATTERN_SESSIONS = 0.2; /* go through a pattern, the rest through a series */
static const double BUNDLE_POWER = 0.6;
static const double NAME_POWER = 0.3;
static const double NEXT_IN_BUNDLE = 0.75;
static const double ANY_OF_BUNDLE = 0.1; /* the rest: any popular item */
static const double SAME_NAME = 0.85;    /* the rest: any popular item */
static const double SESSION_ENDS = 0.25; /* after each item from the second on */

enum { BUNDLE_LEAST = 4, BUNDLE_MOST = 7, NAME_LEAST = 6, NAME_MOST = 12 };

/* A stream of its own for everything that belongs to one thing of the shop. */
enum {
    STREAM_ORDER = 1,
    STREAM_GROUPS,
    STREAM_BUNDLE,
    STREAM_SERIES,
    STREAM_TITLE,
    STREAM_SESSIONS
};

static cli_dice stream(const cli_shop *shop, uint64_t kind, int64_t index) {
    cli_dice dice = {shop->seed * 0xD1342543DE82EF95u + kind};
    dice.state = dice_next(&dice) + (uint64_t)index * 0xDA942042E4DD58B5u;
    dice.state = dice_next(&dice);
    return dice;
}

/* A random order of 0..count-1, and its inverse. */
static void shuffle(int64_t *order, int64_t *inverse, int64_t count, cli_dice *dice) {
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = dice_below(dice, i + 1);
        int64_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (int64_t i = 0; i < count; i++)
        inverse[order[i]] = i;
}

/* Cuts 0..size-1 into groups of least..most; what is left at the end joins the last one. */
static void groups_open(shop_groups *groups, int64_t size, int32_t least, int32_t most,
                        double power, cli_dice *dice) {
    groups->groups = program_resize(NULL, size / least + 1, sizeof *groups->groups);
    groups->chances = program_resize(NULL, size / least + 1, sizeof *groups->chances);
    groups->count = 0;
    double sum = 0;
    for (int64_t first = 0; first < size;) {
        int64_t count = least + dice_below(dice, most - least + 1);
        if (size - first - count < least)
            count = size - first;
        sum += pow((double)(groups->count + 1), -power);
        groups->chances[groups->count] = sum;
        groups->groups[groups->count++] = (shop_group){first, (int32_t)count};
        first += count;
    }
    for (int64_t i = 0; i < groups->count; i++)
        groups->chances[i] /= sum;
}

static void groups_close(shop_groups *groups) {
    free(groups->groups);
    free(groups->chances);
}

static shop_group groups_draw(const shop_groups *groups, cli_dice *dice) {
    double at = dice_uniform(dice);
    int64_t low = 0;
    int64_t high = groups->count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (groups->chances[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return groups->groups[low];
}

/* The number of the group that holds `place`. */
static int64_t groups_find(const shop_groups *groups, int64_t place) {
    int64_t low = 0;
    int64_t high = groups->count - 1;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (groups->groups[middle].first <= place)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void shop_open(cli_shop *shop, int64_t items, int64_t categories, uint64_t seed) {
    int64_t popular = (int64_t)(POPULAR_SHARE * (double)items);
    int64_t rare = items - popular;
    *shop = (cli_shop){.items = items, .popular = popular, .categories = categories, .seed = seed};
    shop->numbers = program_resize(NULL, items, sizeof *shop->numbers);
    shop->positions = program_resize(NULL, items, sizeof *shop->positions);
    shop->pattern_order = program_resize(NULL, rare, sizeof *shop->pattern_order);
    shop->pattern_places = program_resize(NULL, rare, sizeof *shop->pattern_places);

    /* An item's number says nothing about its groups and its popularity. */
    cli_dice dice = stream(shop, STREAM_ORDER, 0);
    shuffle(shop->numbers, shop->positions, items, &dice);
    shuffle(shop->pattern_order, shop->pattern_places, rare, &dice);

    dice = stream(shop, STREAM_GROUPS, 0);
    groups_open(&shop->bundles, popular, BUNDLE_LEAST, BUNDLE_MOST, BUNDLE_POWER, &dice);
    groups_open(&shop->series, rare, NAME_LEAST, NAME_MOST, NAME_POWER, &dice);
    groups_open(&shop->patterns, rare, NAME_LEAST, NAME_MOST, NAME_POWER, &dice);
    shop->dice = stream(shop, STREAM_SESSIONS, 0);
}

void shop_close(cli_shop *shop) {
    free(shop->numbers);
    free(shop->positions);
    free(shop->pattern_order);
    free(shop->pattern_places);
    groups_close(&shop->bundles);
    groups_close(&shop->series);
    groups_close(&shop->patterns);
    *shop = (cli_shop){0};
}

/* The items of a bundle go through the categories in a step of its own, so that a category says
 * nothing about the one that follows. */
static int64_t category_in_bundle(const cli_shop *shop, int64_t position) {
    int64_t bundle = groups_find(&shop->bundles, position);
    cli_dice dice = stream(shop, STREAM_BUNDLE, bundle);
    int64_t start = dice_below(&dice, shop->categories);
    int64_t step = shop->categories > 1 ? 1 + dice_below(&dice, shop->categories - 1) : 0;
    return (start + (position - shop->bundles.groups[bundle].first) * step) % shop->categories;
}

void shop_title(char *title, size_t size, const cli_shop *shop, int64_t number) {
    int64_t position = shop->positions[number];
    cli_dice dice = stream(shop, STREAM_TITLE, position);
    if (position < shop->popular) {
        words_plain_title(title, size, category_in_bundle(shop, position), &dice);
        return;
    }
    int64_t rare = position - shop->popular;
    int64_t series = groups_find(&shop->series, rare);
    int64_t pattern = groups_find(&shop->patterns, shop->pattern_places[rare]);
    words_named_title(title, size, series, pattern, dice_below(&dice, shop->categories), &dice);
}

static int64_t any_popular(cli_shop *shop) {
    shop_group bundle = groups_draw(&shop->bundles, &shop->dice);
    return bundle.first + dice_below(&shop->dice, bundle.count);
}

static void walk_bundle(int64_t *positions, int64_t length, cli_shop *shop) {
    shop_group bundle = groups_draw(&shop->bundles, &shop->dice);
    int64_t place = dice_below(&shop->dice, bundle.count);
    for (int64_t i = 0; i < length; i++) {
        double choice = dice_uniform(&shop->dice);
        if (choice >= NEXT_IN_BUNDLE + ANY_OF_BUNDLE && i > 0) {
            positions[i] = any_popular(shop);
            continue;
        }
        if (choice >= NEXT_IN_BUNDLE)
            place = dice_below(&shop->dice, bundle.count);
        else
            place = (place + 1) % bundle.count;
        positions[i] = bundle.first + place;
    }
}

/* Each item of the name once, in any order; then, and now and then before, a popular item. */
static void walk_name(int64_t *positions, int64_t length, cli_shop *shop, bool pattern) {
    shop_group name = groups_draw(pattern ? &shop->patterns : &shop->series, &shop->dice);
    int64_t places[NAME_LEAST + NAME_MOST];
    for (int32_t i = 0; i < name.count; i++)
        places[i] = pattern ? shop->pattern_order[name.first + i] : name.first + i;
    int64_t left = name.count;
    for (int64_t i = 0; i < length; i++) {
        if (left == 0 || (i > 0 && dice_uniform(&shop->dice) >= SAME_NAME)) {
            positions[i] = any_popular(shop);
            continue;
        }
        int64_t drawn = dice_below(&shop->dice, left);
        positions[i] = shop->popular + places[drawn];
        places[drawn] = places[--left];
    }
}

int64_t shop_session(int64_t numbers[SHOP_SESSION_MOST], cli_shop *shop) {
    int64_t length = 2;
    while (length < SHOP_SESSION_MOST && dice_uniform(&shop->dice) >= SESSION_ENDS)
        length++;
    double kind = dice_uniform(&shop->dice);
    if (kind < BUNDLE_SESSIONS)
        walk_bundle(numbers, length, shop);
    else
        walk_name(numbers, length, shop, kind < BUNDLE_SESSIONS + PATTERN_SESSIONS);
    for (int64_t i = 0; i < length; i++)
        numbers[i] = shop->numbers[numbers[i]];
    return length;
}
