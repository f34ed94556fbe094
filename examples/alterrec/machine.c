#include "machine.h"
#include "program.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

enum {
    MOST_THREADS = 256,
    ROUNDS = 12,            /* of which the best counts: what disturbs only ever slows down */
    READ_BYTES = 256 << 20, /* a thread's share of the memory that is read */
    TURNS = 4 << 20,        /* of a loop of products in one round */
    CHAINS = 12             /* independent accumulators: enough to hide the latency */
};

double machine_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void machine_forget_peak(void) {
#ifdef __GLIBC__
    malloc_trim(0); /* what was freed is not to count */
#endif
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL)
        return;
    fputs("5", file); /* the peak of resident memory becomes what is resident */
    fclose(file);
}

/* The peak in bytes that Linux keeps and can be told to forget; 0 elsewhere. */
static int64_t peak_since_forgotten(void) {
    char line[256];
    long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kilobytes * 1024;
}

int64_t machine_peak_memory(void) {
    struct rusage usage;
    int64_t peak = peak_since_forgotten();
    if (peak > 0)
        return peak;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* ---- kernels: each returns something made of all it computed, so that none of it is left out ----
 */

/* With vectors of 64 bytes, which the compiler splits where the target has shorter ones. */
typedef uint64_t words __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) uint64_t read_with(const void *memory, int64_t bytes) {
    const words *from = memory;
    words a = {0}, b = {0}, c = {0}, d = {0};
    for (int64_t i = 0; i + 4 <= bytes / (int64_t)sizeof *from; i += 4) {
        for (int64_t line = 0; line < 4; line++)
            __builtin_prefetch((const char *)(from + i + line) + 4096);
        a ^= from[i];
        b ^= from[i + 1];
        c ^= from[i + 2];
        d ^= from[i + 3];
    }
    a ^= b ^ c ^ d;
    return a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7];
}

#if defined __x86_64__
__attribute__((target("avx512f"))) static uint64_t read_512(const void *memory, int64_t bytes) {
    return read_with(memory, bytes);
}
__attribute__((target("avx2"))) static uint64_t read_256(const void *memory, int64_t bytes) {
    return read_with(memory, bytes);
}
#endif

static uint64_t read_bytes(const void *memory, int64_t bytes) {
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return read_512(memory, bytes);
    if (__builtin_cpu_supports("avx2"))
        return read_256(memory, bytes);
#endif
    return read_with(memory, bytes);
}

/* A loop of products; *operations counts them. */
typedef uint64_t (*products)(double *operations);

#if defined __x86_64__

/* Hides from the compiler that the operands never change. */
#define OPAQUE(vector) __asm__ volatile("" : "+v"(vector))

__attribute__((target("avx512f"))) static uint64_t f32_products_512(double *operations) {
    __m512 sums[CHAINS], left = _mm512_set1_ps(1e-9f), right = _mm512_set1_ps(1e-9f);
    for (int c = 0; c < CHAINS; c++)
        sums[c] = _mm512_setzero_ps();
    for (int64_t i = 0; i < TURNS; i++) {
        OPAQUE(left);
        for (int c = 0; c < CHAINS; c++)
            sums[c] = _mm512_fmadd_ps(left, right, sums[c]);
    }
    for (int c = 1; c < CHAINS; c++)
        sums[0] = _mm512_add_ps(sums[0], sums[c]);
    *operations = 2.0 * 16 * CHAINS * TURNS;
    return (uint64_t)_mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) static uint64_t f32_products_256(double *operations) {
    __m256 sums[CHAINS], left = _mm256_set1_ps(1e-9f), right = _mm256_set1_ps(1e-9f);
    for (int c = 0; c < CHAINS; c++)
        sums[c] = _mm256_setzero_ps();
    for (int64_t i = 0; i < TURNS; i++) {
        OPAQUE(left);
        for (int c = 0; c < CHAINS; c++)
            sums[c] = _mm256_fmadd_ps(left, right, sums[c]);
    }
    for (int c = 1; c < CHAINS; c++)
        sums[0] = _mm256_add_ps(sums[0], sums[c]);
    *operations = 2.0 * 8 * CHAINS * TURNS;
    return (uint64_t)_mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f,avx512bf16"))) static uint64_t bf16_products(double *operations) {
    __m512 sums[CHAINS];
    __m512bh left = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-9f), _mm512_set1_ps(1e-9f));
    __m512bh right = left;
    for (int c = 0; c < CHAINS; c++)
        sums[c] = _mm512_setzero_ps();
    for (int64_t i = 0; i < TURNS; i++) {
        OPAQUE(left);
        for (int c = 0; c < CHAINS; c++)
            sums[c] = _mm512_dpbf16_ps(sums[c], left, right);
    }
    for (int c = 1; c < CHAINS; c++)
        sums[0] = _mm512_add_ps(sums[0], sums[c]);
    *operations = 2.0 * 32 * CHAINS * TURNS;
    return (uint64_t)_mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f,avx512vnni"))) static uint64_t int8_products(double *operations) {
    __m512i sums[CHAINS], left = _mm512_set1_epi8(1), right = _mm512_set1_epi8(1);
    for (int c = 0; c < CHAINS; c++)
        sums[c] = _mm512_setzero_si512();
    for (int64_t i = 0; i < TURNS; i++) {
        OPAQUE(left);
        for (int c = 0; c < CHAINS; c++)
            sums[c] = _mm512_dpbusd_epi32(sums[c], left, right);
    }
    for (int c = 1; c < CHAINS; c++)
        sums[0] = _mm512_add_epi32(sums[0], sums[c]);
    *operations = 2.0 * 64 * CHAINS * TURNS;
    return (uint64_t)_mm512_cvtsi512_si32(sums[0]);
}

static products f32_of_machine(void) {
    return __builtin_cpu_supports("avx512f")                                 ? f32_products_512
           : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? f32_products_256
                                                                             : NULL;
}

static products bf16_of_machine(void) {
    return __builtin_cpu_supports("avx512bf16") ? bf16_products : NULL;
}

static products int8_of_machine(void) {
    return __builtin_cpu_supports("avx512vnni") ? int8_products : NULL;
}

#else

static products bf16_of_machine(void) {
    return NULL;
}

static products int8_of_machine(void) {
    return NULL;
}

static products f32_of_machine(void) {
    return NULL;
}

#endif

/* Where there is no instruction to measure: what the compiler makes of plain vectors. */
static uint64_t f32_products_plain(double *operations) {
    typedef float lanes __attribute__((vector_size(16)));
    lanes sums[CHAINS] = {0}, left = {1e-9f, 1e-9f, 1e-9f, 1e-9f}, right = left;
    for (int64_t i = 0; i < TURNS; i++) {
        __asm__ volatile("" : "+m"(left));
        for (int c = 0; c < CHAINS; c++)
            sums[c] += left * right;
    }
    for (int c = 1; c < CHAINS; c++)
        sums[0] += sums[c];
    *operations = 2.0 * 4 * CHAINS * TURNS;
    return (uint64_t)sums[0][0];
}

/* ---- one measurement on several threads ---- */

typedef struct round_times {
    double begun, ended, amount; /* amount: operations, or bytes */
} round_times;

typedef struct thread_work {
    products products; /* NULL: read memory */
    const char *memory;
    int64_t bytes;
    int threads;
    atomic_int *arrived; /* threads at the start of a round, all rounds counted */
    round_times rounds[ROUNDS];
    uint64_t result;
} thread_work;

/* Threads that wait are awake, and stay so from round to round: one that is woken may be put beside
 * the one that woke it, on one core, for as long as a measurement takes. */
static void wait_for_round(const thread_work *work, int round) {
    atomic_fetch_add(work->arrived, 1);
    while (atomic_load(work->arrived) < work->threads * (round + 1))
        sched_yield();
}

static void *run_rounds(void *argument) {
    thread_work *work = argument;
    for (int round = 0; round < ROUNDS; round++) {
        round_times *times = &work->rounds[round];
        wait_for_round(work, round);
        times->begun = machine_seconds();
        if (work->products != NULL) {
            work->result += work->products(&times->amount);
        } else {
            work->result += read_bytes(work->memory, work->bytes);
            times->amount = (double)work->bytes;
        }
        times->ended = machine_seconds();
    }
    return NULL;
}

/* From the first thread's begin to the last one's end. */
static double rate_of_round(const thread_work *works, int threads, int round) {
    double begun = works[0].rounds[round].begun, ended = works[0].rounds[round].ended, amount = 0.0;
    for (int t = 0; t < threads; t++) {
        const round_times *times = &works[t].rounds[round];
        begun = times->begun < begun ? times->begun : begun;
        ended = times->ended > ended ? times->ended : ended;
        amount += times->amount;
    }
    return amount / (ended - begun);
}

static bool measure_rate(double *rate, products loop, const char *memory, int64_t bytes,
                         int threads) {
    thread_work *works = calloc((size_t)threads, sizeof *works);
    pthread_t handles[MOST_THREADS];
    atomic_int arrived = 0;
    *rate = 0.0;
    if (works == NULL) {
        program_error("no memory for %d threads", threads);
        return false;
    }
    for (int t = 0; t < threads; t++) {
        works[t] = (thread_work){.products = loop,
                                 .memory = memory != NULL ? memory + t * bytes : NULL,
                                 .bytes = bytes,
                                 .threads = threads,
                                 .arrived = &arrived};
        if (t > 0 && pthread_create(&handles[t], NULL, run_rounds, &works[t]) != 0) {
            program_error("no thread could be started");
            exit(PROGRAM_ERROR); /* those that wait for it would wait for ever */
        }
    }
    run_rounds(&works[0]);
    for (int t = 1; t < threads; t++)
        pthread_join(handles[t], NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double reached = rate_of_round(works, threads, round);
        *rate = reached > *rate ? reached : *rate;
    }
    free(works);
    return true;
}

/* Memory that has been written, so that it is there. */
static char *touched_memory(int64_t bytes) {
    char *memory =
        aligned_alloc(2 << 20, (size_t)((bytes + (2 << 20) - 1) / (2 << 20) * (2 << 20)));
    if (memory == NULL)
        program_error("no memory for %lld bytes", (long long)bytes);
    else
        memset(memory, 1, (size_t)bytes);
    return memory;
}

bool machine_measure(machine_rates *rates, int threads) {
    *rates = (machine_rates){0};
    if (threads < 1 || threads > MOST_THREADS) {
        program_error("threads %d are outside 1..%d", threads, MOST_THREADS);
        return false;
    }
    char *memory = touched_memory((int64_t)READ_BYTES * threads);
    bool good =
        memory != NULL && measure_rate(&rates->bandwidth, NULL, memory, READ_BYTES, threads);
    free(memory);
    products f32 = f32_of_machine(), bf16 = bf16_of_machine(), int8 = int8_of_machine();
    good =
        good && measure_rate(&rates->f32, f32 != NULL ? f32 : f32_products_plain, NULL, 0, threads);
    if (bf16 != NULL)
        good = good && measure_rate(&rates->bf16, bf16, NULL, 0, threads);
    if (int8 != NULL)
        good = good && measure_rate(&rates->int8, int8, NULL, 0, threads);
    return good;
}
