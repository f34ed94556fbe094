/* What is asked of the machine, and of the compiler's flags. Level: core. */
#ifndef AR_CORE_MACHINE_H
#define AR_CORE_MACHINE_H

/* Models, checkpoints, recommenders and .npy files are used where they are mapped, and a bitmap of
 * bytes is read in words. */
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "libalterrec needs a little-endian machine: files hold numbers as they stand in memory"
#endif

/* Files are mapped as a whole, and arrays are larger than 4 GiB. */
#if !defined(__SIZEOF_POINTER__) || __SIZEOF_POINTER__ < 8
#error "libalterrec needs a 64-bit machine: it maps files and fills arrays beyond 4 GiB"
#endif

#if __FLT_MANT_DIG__ != 24 || __DBL_MANT_DIG__ != 53
#error "libalterrec needs IEEE float and double"
#endif

/* -ffast-math, or a part of it: a NaN would go unseen. */
#if __FINITE_MATH_ONLY__
#error "libalterrec can't be compiled with -ffinite-math-only: it looks for NaN and infinities"
#endif

#endif
