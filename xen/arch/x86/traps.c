/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables and what happens on a trap. The hypervisor itself never faults on purpose: an exception here is a
 * defect and stops the machine with registers and a named backtrace. Interrupts come only in the window that the CPU
 * loop opens (arch/x86/loop.c).
 */
#include "traps.h"

#include <assert.h>

#include <hv/log.h>
#include <hv/mm.h>

#include "apic.h"
#include "paging.h"
#include "uart.h"
#include "x86.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap;
} __attribute__((packed));

struct gate {
	uint16_t offset_lo, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_hi, reserved;
};

struct table_ptr {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct percpu_tables {
	uint64_t gdt[8];
	struct tss tss;
};

static struct gate idt[256];
static struct percpu_tables tables[MAX_CPUS];
extern const uint8_t trap_stubs[256][16];

/* Exceptions that must not trust the interrupted stack. */
enum { IST_DF = 1, IST_NMI, IST_MC, IST_COUNT };
static_assert(IST_COUNT <= STACKS_A_CPU, "a stack for each");

static void idt_fill(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t entry = (uint64_t)trap_stubs[i];
		uint8_t ist = i == 8 ? IST_DF : i == 2 ? IST_NMI : i == 18 ? IST_MC : 0;

		idt[i] = (struct gate){ (uint16_t)entry, SEL_CODE, ist, 0x8e, (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0 };
	}
}

void traps_init(struct cpu *c)
{
	struct percpu_tables *t = &tables[c->id];
	uint64_t tss = (uint64_t)&t->tss;

	if (c->id == 0)
		idt_fill();
	t->gdt[1] = 0x00af9a000000ffff;
	t->gdt[2] = 0x00cf92000000ffff;
	t->gdt[4] = (sizeof(t->tss) - 1) | (tss & 0xffffff) << 16 | 0x89UL << 40 | (tss >> 24 & 0xff) << 56;
	t->gdt[5] = tss >> 32;
	t->tss.iomap = sizeof(t->tss);
	for (unsigned i = 1; i < IST_COUNT; i++)
		t->tss.ist[i - 1] = (uint64_t)paging_map_stack(c->id, i, 2 * PAGE_SIZE);
	c->tss = &t->tss;

	struct table_ptr gdtr = { sizeof(t->gdt) - 1, (uint64_t)t->gdt };
	struct table_ptr idtr = { sizeof(idt) - 1, (uint64_t)idt };
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	__asm__ volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:" : : "i"(SEL_CODE) : "rax", "memory");
	__asm__ volatile("mov %0, %%ss; ltr %1" : : "r"((uint32_t)SEL_DATA), "r"((uint16_t)SEL_TSS));
	wrmsr(MSR_GS_BASE, (uint64_t)c);
}

static const char *const exception_names[32] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "device not available",
	"double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack fault", "general protection",
	"page fault", NULL, "x87 error", "alignment check", "machine check", "SIMD error", NULL, "control protection",
	[29] = "VMM communication", [30] = "security",
};

static void exception(struct trap_frame *f)
{
	const char *name = exception_names[f->vector];

	if (f->vector == 2 && panic_stopping()) {
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	if (f->vector == 14)
		panic_frame(f, "page fault at %#lx, error code %#lx", read_cr2(), f->error);
	panic_frame(f, "%s, error code %#lx", name ? name : "unexpected exception", f->error);
}

void trap_dispatch(struct trap_frame *f)
{
	if (f->vector < 32) {
		exception(f);
		return;
	}
	this_cpu()->irqs++;
	if (f->vector == VECTOR_TIMER)
		softirq_raise(SOFTIRQ_TIMER);
	else if (f->vector >= VECTOR_MSI_FIRST && f->vector <= VECTOR_MSI_LAST)
		irq_dispatch((uint32_t)f->vector);
	/* VECTOR_KICK needs nothing more than having ended the guest's run or the HLT */
	if (f->vector >= VECTOR_MSI_FIRST && f->vector != VECTOR_SPURIOUS)
		apic_eoi();
}
