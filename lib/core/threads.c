#define _POSIX_C_SOURCE 200809L

#include "core/threads.h"

#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <threads.h>
#include <time.h>

/* All signals but those that report what the thread itself has just done. */
static void block_signals(sigset_t *before) {
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t all;
    (void)sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        (void)sigdelset(&all, own[i]);
    (void)pthread_sigmask(SIG_BLOCK, &all, before);
}

static _Thread_local sigset_t caller_signals;

void ar_signals_block(void) {
    block_signals(&caller_signals);
}

void ar_signals_restore(void) {
    (void)pthread_sigmask(SIG_SETMASK, &caller_signals, NULL);
}

/* A worker's mask outside the library's calls, and how many of them it is inside of. */
static _Thread_local sigset_t worker_signals;
static _Thread_local int worker_depth;

static void enter_workers(void) {
#pragma omp parallel
    if (omp_get_thread_num() != 0 && worker_depth++ == 0)
        block_signals(&worker_signals);
}

static void leave_workers(void) {
#pragma omp parallel
    if (omp_get_thread_num() != 0 && --worker_depth == 0)
        (void)pthread_sigmask(SIG_SETMASK, &worker_signals, NULL);
}

/* A fork leaves the child one thread, but OpenMP's record of the others, for which a parallel loop
 * would wait for ever. So a process that was forked of one with workers never asks for any. */
static atomic_bool workers_are_gone;
static once_flag fork_is_watched = ONCE_FLAG_INIT;

static void after_fork(void) {
    atomic_store(&workers_are_gone, true);
}

/* Without memory for it the child is as OpenMP leaves it. */
static void watch_fork(void) {
    (void)pthread_atfork(NULL, NULL, after_fork);
}

int ar_threads_wanted(int64_t threads) {
    return atomic_load(&workers_are_gone) ? 1 : threads > 0 ? (int)threads : omp_get_max_threads();
}

int ar_threads_enter(int64_t threads) {
    int most = omp_get_max_threads(), limit = omp_get_thread_limit();
    int dynamic = omp_get_dynamic();
    int wanted = omp_in_parallel() ? 1 : ar_threads_wanted(threads);
    omp_set_dynamic(0);
    omp_set_num_threads(wanted < limit ? wanted : limit);
    if (omp_get_max_threads() > 1) {
        call_once(&fork_is_watched, watch_fork);
        enter_workers();
    }
    return dynamic ? -most : most;
}

void ar_threads_leave(int previous) {
    if (omp_get_max_threads() > 1)
        leave_workers();
    omp_set_num_threads(previous < 0 ? -previous : previous);
    omp_set_dynamic(previous < 0);
}

int ar_threads_count(void) {
    return omp_get_max_threads();
}

alterrec_status ar_check_threads(int64_t threads, const char *name, const char *function) {
    if (threads < 0 || threads > AR_THREADS_MOST)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: %s is %lld, outside 0..%d", function,
                       name, (long long)threads, AR_THREADS_MOST);
    return ALTERREC_OK;
}

double ar_clock_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
