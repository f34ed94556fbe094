/* What the machine can do at most: reading memory, and the multiplying instruction of each kind. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include <stdint.h>

typedef enum limit_kind { LIMIT_F32, LIMIT_BF16, LIMIT_INT8 } limit_kind;

/* Reads all of it once. */
void limit_read(const void *bytes, int64_t count, int threads);

/* Runs independent chains of the instruction in registers, some tens of microseconds of them;
 * returns the operations of all threads together, a multiplication and an addition counting as two.
 * 0 without AVX-512. */
double limit_run(limit_kind kind, int threads);

#endif
