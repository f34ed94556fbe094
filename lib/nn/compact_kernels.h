/* The products of compact.h, one function for each instruction set. Level: nn. */
#ifndef AR_NN_COMPACT_KERNELS_H
#define AR_NN_COMPACT_KERNELS_H

#include "nn/compact.h"

void ar_compact_portable(const ar_compact_job *job);
void ar_compact_dots_portable(const ar_compact_dots_job *job);

#if defined(__x86_64__)
void ar_compact_avx2(const ar_compact_job *job);
void ar_compact_avx512_int8(const ar_compact_job *job);
void ar_compact_avx512_bf16(const ar_compact_job *job);
void ar_compact_dots_avx2(const ar_compact_dots_job *job);
void ar_compact_dots_avx512_int8(const ar_compact_dots_job *job);
void ar_compact_dots_avx512_bf16(const ar_compact_dots_job *job);
#endif

#endif
