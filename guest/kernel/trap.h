/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H
#include <stdint.h>

enum {
	TRAP_DEBUG = 1, TRAP_NMI = 2, TRAP_INVALID_OP = 6, TRAP_DOUBLE_FAULT = 8, TRAP_GP = 13, TRAP_PAGE_FAULT = 14,
	VECTOR_EVENT = 0x30,		/* the hypervisor's upcall */
	VECTOR_TEST = 0x40,		/* free for programs, up to 0xfe */
	VECTOR_SPURIOUS = 0xff,
};

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

typedef void (*trap_fn)(struct trap_frame *f);

void traps_init(void);
/* Load the tables on the cpu that calls; a secondary cpu does so too. */
void traps_load(void);
/* => the handler that was there. */
trap_fn trap_set(unsigned int vector, trap_fn fn);
#endif
