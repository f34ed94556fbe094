/* The products of panels.h, one function for each instruction set. Level: nn. */
#ifndef AR_NN_PANELS_KERNELS_H
#define AR_NN_PANELS_KERNELS_H

#include "core/threads.h"
#include "nn/panels.h"

typedef struct ar_panels_job {
    float *dst;
    int64_t dst_stride;
    const float *src;
    int64_t src_stride;
    int64_t count;
    const ar_panels *matrix;
    const float *bias; /* or NULL */
    bool relu;
} ar_panels_job;

void ar_panels_portable(const ar_panels_job *job);

#if defined(__x86_64__)
void ar_panels_avx2(const ar_panels_job *job);
void ar_panels_avx512(const ar_panels_job *job);
#endif

#endif
