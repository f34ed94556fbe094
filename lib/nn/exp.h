/* exp of a float in plain arithmetic, so that a loop over it vectorises. Level: nn. */
#ifndef AR_NN_EXP_H
#define AR_NN_EXP_H

#include <stdint.h>
#include <string.h>

/* Relative error below 3e-7 for x in [-87, 88]; smaller x gives about e^-87, larger about e^88. The
 * library's expf is a call per element and would be most of a softmax's time. */
static inline float ar_exp(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. */
    float shifted = x * 1.44269504f + 12582912.0f;
    int32_t exponent;
    memcpy(&exponent, &shifted, sizeof exponent);
    exponent -= 0x4B400000;
    float n = shifted - 12582912.0f;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits = ((uint32_t)exponent + 127u) << 23; /* unsigned: a NaN gives any exponent */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

#endif
