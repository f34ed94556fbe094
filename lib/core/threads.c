#define _POSIX_C_SOURCE 200809L

#include "core/threads.h"

#include <omp.h>
#include <time.h>

int ar_threads_enter(int64_t threads) {
    int most = omp_get_max_threads(), limit = omp_get_thread_limit();
    int dynamic = omp_get_dynamic();
    int wanted = omp_in_parallel() ? 1 : threads > 0 ? (int)threads : most;
    omp_set_dynamic(0);
    omp_set_num_threads(wanted < limit ? wanted : limit);
    return dynamic ? -most : most;
}

void ar_threads_leave(int previous) {
    omp_set_num_threads(previous < 0 ? -previous : previous);
    omp_set_dynamic(previous < 0);
}

int ar_threads_count(void) {
    return omp_get_max_threads();
}

double ar_clock_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
