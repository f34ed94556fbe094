/* Random numbers of the generator: one stream, the same on every machine (splitmix64). */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

typedef struct cli_dice {
    uint64_t state;
} cli_dice;

static inline uint64_t dice_next(cli_dice *dice) {
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Uniform in 0..bound-1, for bounds below 2^32. */
static inline int64_t dice_below(cli_dice *dice, int64_t bound) {
    return (int64_t)(((dice_next(dice) >> 32) * (uint64_t)bound) >> 32);
}

/* Uniform in [0, 1). */
static inline double dice_uniform(cli_dice *dice) {
    return (double)(dice_next(dice) >> 11) * 0x1.0p-53;
}

#endif
