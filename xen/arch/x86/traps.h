/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame that trap_entry.S builds, descriptor tables, and the vectors in use. */
#ifndef ARCH_X86_TRAPS_H
#define ARCH_X86_TRAPS_H

#include <stdint.h>

#include <hv/cpu.h>

struct trap_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* 0x20-0x2f: the masked legacy PIC; 0x30-0xdf: devices. */
#define VECTOR_MSI_FIRST 0x30
#define VECTOR_MSI_LAST  0xdf
#define VECTOR_KICK      0xf0
#define VECTOR_TIMER     0xf1
#define VECTOR_SPURIOUS  0xff

/* Descriptor tables, TSS with stacks for #DF, NMI and #MC, %gs: once on each CPU. */
void traps_init(struct cpu *c);
void trap_dispatch(struct trap_frame *f);

/* What the symbol table says about an address: name and offset, or NULL. */
const char *symbol_lookup(uint64_t addr, uint64_t *offset);
void backtrace(uint64_t rip, uint64_t rbp);

/* Stop here for good, with the registers of f (may be NULL). */
_Noreturn void panic_frame(const struct trap_frame *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* MSI dispatch table (arch/x86/irq.c). */
void irq_dispatch(uint32_t vector);

#endif
