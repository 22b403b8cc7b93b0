/* SPDX-License-Identifier: BSD-2-Clause */
/* Single instructions that may fault. */
#ifndef GUEST_TRY_H
#define GUEST_TRY_H
#include "test.h"
#include "trap.h"

/* One instruction with VALUE in the accumulator, 5 in the counter. => its exception, or 0. */
#define TRY(text, value)                                                                                                          \
	({                                                                                                                         \
		uint64_t ok_ = 0, v_ = (value), c_ = 5;                                                                            \
		__asm__ volatile("1: " text "\n\tmovl %[no], %k[ok]\n\t2:\n\t" EX_ENTRY(1b, 2b)                                    \
				 : "+a"(v_), "+c"(c_), [ok] "+r"(ok_) : [no] "i"(CPU_NO_FAULT) : "memory", "rdx", "rsi", "rdi");         \
		test_count(1);                                                                                                     \
		ok_ ? 0 : (int)v_;                                                                                                 \
	})
#endif
