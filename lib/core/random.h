/* Random numbers: streams with explicit state, the same on every machine. Level: core. */
#ifndef AR_CORE_RANDOM_H
#define AR_CORE_RANDOM_H

#include <stdint.h>

/* One stream (xoshiro256++). Plain data: it may be copied, saved and restored. */
typedef struct ar_random {
    uint64_t state[4];
} ar_random;

/* A well-mixed 64-bit value of its argument (the finalizer of splitmix64). */
static inline uint64_t ar_mix(uint64_t value) {
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* Derives the seed of a sub-stream: ar_random_key(ar_random_key(seed, epoch), step). */
static inline uint64_t ar_random_key(uint64_t seed, uint64_t index) {
    return ar_mix(seed ^ ar_mix(index + 0x632BE59BD9B4E019u));
}

void ar_random_seed(ar_random *random, uint64_t seed);

static inline uint64_t ar_random_next(ar_random *random) {
    uint64_t *s = random->state;
    uint64_t sum = s[0] + s[3];
    uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/* 32 random bits made uniform in 0..bound-1, by one multiplication; for bounds below 2^31 the bias
 * is below 2^-32. */
static inline uint32_t ar_random_scale(uint32_t bits, uint32_t bound) {
    return (uint32_t)(((uint64_t)bits * bound) >> 32);
}

/* Uniform in 0..bound-1. */
static inline uint32_t ar_random_below(ar_random *random, uint32_t bound) {
    return ar_random_scale((uint32_t)(ar_random_next(random) >> 32), bound);
}

/* Uniform in [0, 1). */
static inline double ar_random_uniform(ar_random *random) {
    return (double)(ar_random_next(random) >> 11) * 0x1.0p-53;
}

/* Standard normal. */
double ar_random_normal(ar_random *random);

/* Fisher-Yates. */
void ar_random_shuffle(ar_random *random, int64_t *values, int64_t count);

#endif
