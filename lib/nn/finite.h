/* Whether numbers are finite. Level: nn. */
#ifndef AR_NN_FINITE_H
#define AR_NN_FINITE_H

#include <stdbool.h>
#include <stdint.h>

bool ar_all_finite(const float *values, int64_t count);

#endif
