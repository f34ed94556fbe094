/* What the machine can do at most, measured: the figures that a benchmark's own are held against.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Of all threads together. A multiply-add counts as two operations. */
typedef struct machine_rates {
    double bandwidth; /* bytes a second read, from memory that no cache holds */
    double f32;       /* operations a second on registers */
    double bf16;      /* 0: the processor has no such instruction */
    double int8;      /* 0: likewise */
} machine_rates;

/* Takes about a second for each number of threads. False, said on stderr, if memory or threads are
 * out. */
bool machine_measure(machine_rates *rates, int threads);

/* Seconds on a clock that never goes back. */
double machine_seconds(void);

/* The most memory that the process had resident, in bytes, ever or since it was forgotten; not
 * every system can forget it. */
int64_t machine_peak_memory(void);
void machine_forget_peak(void);

#endif
