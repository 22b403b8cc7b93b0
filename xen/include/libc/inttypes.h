/* SPDX-License-Identifier: BSD-2-Clause */
/* Format macros for the fixed-width types on x86-64. */
#ifndef LIBC_INTTYPES_H
#define LIBC_INTTYPES_H
#include <stdint.h>
#define PRIu8 "u"
#define PRIu16 "u"
#define PRIu32 "u"
#define PRIu64 "lu"
#define PRId32 "d"
#define PRId64 "ld"
#define PRIx8 "x"
#define PRIx16 "x"
#define PRIx32 "x"
#define PRIx64 "lx"
#endif
