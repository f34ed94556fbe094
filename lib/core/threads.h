/* Threads: how many the calling thread may use, and loops that a CPU-specific build speeds up.
 * Level: core. */
#ifndef AR_CORE_THREADS_H
#define AR_CORE_THREADS_H

#include "core/status.h"

/* oneDNN and our own loops take their thread count from OpenMP's setting of the calling thread.
 * ar_threads_enter sets it to `threads` (0: as it is) and returns what to give to ar_threads_leave
 * when the call ends. What it sets is what OpenMP will deliver: a oneDNN primitive is planned for a
 * number of threads, and leaves work undone, without an error, if it gets fewer. So the number
 * stays within OpenMP's thread limit, it is 1 inside a parallel region of the host, and OpenMP may
 * not adjust it (omp_set_dynamic) meanwhile. And it is 1 in a process that was forked when there
 * were workers. */
int ar_threads_enter(int64_t threads);
void ar_threads_leave(int previous);

/* The number that `threads` (0: OpenMP's) stands for in this process: 1 where workers are gone. */
int ar_threads_wanted(int64_t threads);

/* What a host may ask for, as compute.threads: OpenMP ends the process when the system gives it no
 * thread. INVALID_ARGUMENT for what is outside 0..AR_THREADS_MOST. */
enum { AR_THREADS_MOST = 1024 };
alterrec_status ar_check_threads(int64_t threads, const char *name, const char *function);

/* Around what must not be interrupted: oneDNN's kernels for products use the stack pointer as a
 * common register, so a signal that arrives inside one would have its frame written into the heap
 * (docs/internals/signals.md). The calling thread's signals wait from block to restore; those of
 * the other threads of its team wait from ar_threads_enter to ar_threads_leave. */
void ar_signals_block(void);
void ar_signals_restore(void);

/* The number of threads that a parallel loop of this thread would use now. */
int ar_threads_count(void);

/* A loop over fewer elements than this is not worth waking a second thread for: the barrier costs
 * more than the work, and far more on a busy machine. `#pragma omp parallel for if (n > ...)`. */
enum { AR_PARALLEL_LEAST = 1 << 15 };

/* Monotonic time in seconds. */
double ar_clock_seconds(void);

/* Compiles a hot function once for the baseline and once for each wider vector unit; the loader
 * picks. The sanitizers can't instrument the picking, and clang 14 gives it a name that other files
 * do not find: these get the baseline. */
#if !defined(__x86_64__) || defined(__clang__) || defined(AR_NO_CLONES)
#define AR_CLONES
#elif defined(AR_NO_AVX512)
#define AR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif

/* Whether the machine has `set`, a string constant that names a part of AVX-512, and it may be
 * used: AR_NO_AVX512 builds for, or tests as on, machines without it. x86-64 alone. */
#if defined(AR_NO_AVX512)
#define AR_HAS_AVX512(set) 0
#else
#define AR_HAS_AVX512(set) (__builtin_cpu_supports(set) != 0)
#endif

/* Before a loop of `count` turns that must be gone before registers are given out. clang would take
 * GCC's pragma for advice to a pass that comes too late. */
#if defined(__clang__)
#define AR_UNROLL(count) _Pragma("clang loop unroll(full)")
#else
#define AR_UNROLL(count) AR_PRAGMA(GCC unroll count)
#define AR_PRAGMA(text)  _Pragma(#text)
#endif

#endif
