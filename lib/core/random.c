#include "core/random.h"

#include <math.h>

void ar_random_seed(ar_random *random, uint64_t seed) {
    for (uint64_t i = 0; i < 4; i++)
        random->state[i] = ar_mix(seed + i * 0x9E3779B97F4A7C15u);
}

double ar_random_normal(ar_random *random) {
    /* Box-Muller without the second value: initialisation only, speed does not matter. */
    double radius = sqrt(-2.0 * log(1.0 - ar_random_uniform(random)));
    return radius * cos(6.283185307179586 * ar_random_uniform(random));
}

void ar_random_shuffle(ar_random *random, int64_t *values, int64_t count) {
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)(ar_random_next(random) % (uint64_t)(i + 1));
        int64_t held = values[i];
        values[i] = values[j];
        values[j] = held;
    }
}
