#include "shop.h"
#include "program.h"
#include "shop_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What makes the mix. Both towers should carry information that the other lacks. */
static const double POPULAR_SHARE = 0.3;    /* of the items come in bundles */
static const double BUNDLE_SESSIONS = 0.55; /* of the sessions go through a bundle */
static const double BUNDLE_POWER = 0.6;
static const double SERIES_POWER = 0.5;
static const double NEXT_IN_BUNDLE = 0.75;
static const double ANY_OF_BUNDLE = 0.1; /* the rest: any popular item */
static const double WITHIN_SERIES = 0.85;
static const double SESSION_ENDS = 0.25; /* after each item beyond the second */

enum { BUNDLE_LEAST = 4, BUNDLE_MOST = 7, SERIES_LEAST = 8, SERIES_MOST = 14 };

/* A stream of its own for everything that belongs to one thing of the shop. */
static cli_dice stream(const cli_shop *shop, uint64_t kind, int64_t index) {
    cli_dice dice = {shop->seed * 0xD1342543DE82EF95u + kind};
    dice.state = dice_next(&dice) + (uint64_t)index * 0xDA942042E4DD58B5u;
    dice.state = dice_next(&dice);
    return dice;
}

enum {
    STREAM_ORDER = 1,
    STREAM_GROUPS,
    STREAM_BUNDLES,
    STREAM_SERIES,
    STREAM_TITLES,
    STREAM_SESSIONS,
};

/* Splits positions first..last-1 into groups of least..most items. */
static shop_group *split(int64_t *count, cli_dice *dice, int64_t first, int64_t last, int32_t least,
                         int32_t most) {
    shop_group *groups = program_resize(NULL, (last - first) / least + 1, sizeof *groups);
    *count = 0;
    while (first < last) {
        int64_t size = least + dice_below(dice, most - least + 1);
        if (last - first - size < least)
            size = last - first;
        groups[(*count)++] = (shop_group){first, (int32_t)size};
        first += size;
    }
    return groups;
}

static void chances_open(shop_chances *chances, int64_t count, double power) {
    chances->cumulative = program_resize(NULL, count, sizeof *chances->cumulative);
    chances->count = count;
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += pow((double)(i + 1), -power);
        chances->cumulative[i] = sum;
    }
    for (int64_t i = 0; i < count; i++)
        chances->cumulative[i] /= sum;
}

static int64_t chances_draw(const shop_chances *chances, cli_dice *dice) {
    double at = dice_uniform(dice);
    int64_t low = 0;
    int64_t high = chances->count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (chances->cumulative[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Item numbers say nothing about groups and popularity: they are dealt out at random. */
static void shuffle_numbers(cli_shop *shop) {
    cli_dice dice = stream(shop, STREAM_ORDER, 0);
    for (int64_t i = 0; i < shop->items; i++)
        shop->numbers[i] = i;
    for (int64_t i = shop->items - 1; i > 0; i--) {
        int64_t j = dice_below(&dice, i + 1);
        int64_t number = shop->numbers[i];
        shop->numbers[i] = shop->numbers[j];
        shop->numbers[j] = number;
    }
    for (int64_t i = 0; i < shop->items; i++)
        shop->positions[shop->numbers[i]] = i;
}

void shop_open(cli_shop *shop, int64_t items, int64_t categories, uint64_t seed) {
    *shop = (cli_shop){.items = items, .categories = categories, .seed = seed};
    shop->numbers = program_resize(NULL, items, sizeof *shop->numbers);
    shop->positions = program_resize(NULL, items, sizeof *shop->positions);
    shuffle_numbers(shop);

    cli_dice dice = stream(shop, STREAM_GROUPS, 0);
    int64_t popular = (int64_t)(POPULAR_SHARE * (double)items);
    int64_t bundles;
    int64_t series;
    shop->bundles = split(&bundles, &dice, 0, popular, BUNDLE_LEAST, BUNDLE_MOST);
    shop->series = split(&series, &dice, popular, items, SERIES_LEAST, SERIES_MOST);
    chances_open(&shop->bundle_chances, bundles, BUNDLE_POWER);
    chances_open(&shop->series_chances, series, SERIES_POWER);
    shop->dice = stream(shop, STREAM_SESSIONS, 0);
}

void shop_close(cli_shop *shop) {
    free(shop->numbers);
    free(shop->positions);
    free(shop->bundles);
    free(shop->series);
    free(shop->bundle_chances.cumulative);
    free(shop->series_chances.cumulative);
    *shop = (cli_shop){0};
}

/* The group that holds this position, by bisection. */
static int64_t group_of(const shop_group *groups, int64_t count, int64_t position) {
    int64_t low = 0;
    int64_t high = count - 1;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (groups[middle].first <= position)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The items of a bundle go through the categories in a step of its own, so that a category says
 * nothing about the one that follows. */
static int64_t category_in_bundle(const cli_shop *shop, int64_t position) {
    int64_t bundle = group_of(shop->bundles, shop->bundle_chances.count, position);
    cli_dice of_bundle = stream(shop, STREAM_BUNDLES, bundle);
    int64_t start = dice_below(&of_bundle, shop->categories);
    int64_t step = shop->categories > 1 ? 1 + dice_below(&of_bundle, shop->categories - 1) : 0;
    return (start + (position - shop->bundles[bundle].first) * step) % shop->categories;
}

void shop_title(char *title, size_t size, const cli_shop *shop, int64_t number) {
    int64_t position = shop->positions[number];
    cli_dice of_item = stream(shop, STREAM_TITLES, position);
    if (position < shop->series[0].first) {
        words_plain_title(title, size, category_in_bundle(shop, position), &of_item);
        return;
    }
    int64_t series = group_of(shop->series, shop->series_chances.count, position);
    cli_dice of_series = stream(shop, STREAM_SERIES, series);
    int64_t home = dice_below(&of_series, shop->categories);
    int64_t category = (home + dice_below(&of_item, 3)) % shop->categories;
    words_series_title(title, size, series, category, &of_item);
}

static int64_t any_popular(cli_shop *shop) {
    shop_group bundle = shop->bundles[chances_draw(&shop->bundle_chances, &shop->dice)];
    return bundle.first + dice_below(&shop->dice, bundle.count);
}

static void walk_bundle(int64_t *positions, int64_t length, cli_shop *shop) {
    shop_group bundle = shop->bundles[chances_draw(&shop->bundle_chances, &shop->dice)];
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

/* Each item of the series once, in any order; then, and now and then before, a popular item. */
static void walk_series(int64_t *positions, int64_t length, cli_shop *shop) {
    shop_group series = shop->series[chances_draw(&shop->series_chances, &shop->dice)];
    int32_t order[2 * SERIES_MOST];
    for (int32_t i = 0; i < series.count; i++)
        order[i] = i;
    int32_t left = series.count;
    for (int64_t i = 0; i < length; i++) {
        if (left == 0 || (i > 0 && dice_uniform(&shop->dice) >= WITHIN_SERIES)) {
            positions[i] = any_popular(shop);
            continue;
        }
        int64_t drawn = dice_below(&shop->dice, left);
        positions[i] = series.first + order[drawn];
        order[drawn] = order[--left];
    }
}

int64_t shop_session(int64_t numbers[SHOP_SESSION_MOST], cli_shop *shop) {
    int64_t length = 2;
    while (length < SHOP_SESSION_MOST && dice_uniform(&shop->dice) >= SESSION_ENDS)
        length++;
    if (dice_uniform(&shop->dice) < BUNDLE_SESSIONS)
        walk_bundle(numbers, length, shop);
    else
        walk_series(numbers, length, shop);
    for (int64_t i = 0; i < length; i++)
        numbers[i] = shop->numbers[numbers[i]];
    return length;
}
