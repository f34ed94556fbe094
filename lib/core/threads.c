#define _POSIX_C_SOURCE 200809L

#include "core/threads.h"

#include <omp.h>
#include <time.h>

int ar_threads_enter(int64_t threads) {
    int previous = omp_get_max_threads();
    if (threads > 0)
        omp_set_num_threads((int)threads);
    return previous;
}

void ar_threads_leave(int previous) {
    if (previous != omp_get_max_threads())
        omp_set_num_threads(previous);
}

int ar_threads_count(void) {
    return omp_get_max_threads();
}

double ar_clock_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
