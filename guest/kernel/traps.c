/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt table. An exception with an entry in the exception table resumes there, with a handler goes there; else it is fatal. */
#include "trap.h"
#include "kernel.h"

struct gate {
	uint16_t offset_lo, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_hi, zero;
};

struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct table_ptr {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct ex_entry {
	uint64_t from, to;
};

extern const char vector_stubs[];
extern uint64_t gdt[];
extern const struct ex_entry __ex_start[], __ex_end[];
void trap_dispatch(struct trap_frame *f);

static struct gate idt[256];
static struct task_state tss;
static uint8_t fault_stack[4096] __attribute__((aligned(16)));
static trap_fn handlers[256];

static void print_frame(const struct trap_frame *f)
{
	uint64_t cr2;

	__asm__ volatile("movq %%cr2, %0" : "=r"(cr2));
	printk("CRASH exception %lu error %lx at %lx cr2 %lx\n", f->vector, f->error, f->rip, cr2);
	printk("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	printk("  rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
}

static bool fix_up(struct trap_frame *f)
{
	const struct ex_entry *e;

	for (e = __ex_start; e < __ex_end; e++)
		if (e->from == f->rip) {
			f->rip = e->to;
			f->rax = f->vector;
			return true;
		}
	return false;
}

void trap_dispatch(struct trap_frame *f)
{
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (f->vector < 32 && fix_up(f))
		return;
	print_frame(f);
	shutdown(SHUTDOWN_crash);
}

trap_fn trap_set(unsigned int vector, trap_fn fn)
{
	trap_fn old = handlers[vector];

	handlers[vector] = fn;
	return old;
}

static void ignore(struct trap_frame *f)
{
	(void)f;
}

void traps_load(void)
{
	struct table_ptr p = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(p));
}

void traps_init(void)
{
	uint64_t base = (uint64_t)&tss;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		uint64_t stub = (uint64_t)vector_stubs + i * 16;

		idt[i] = (struct gate){ .offset_lo = (uint16_t)stub, .selector = 8, .type = 0x8e,
					.offset_mid = (uint16_t)(stub >> 16), .offset_hi = (uint32_t)(stub >> 32) };
	}
	idt[TRAP_DOUBLE_FAULT].ist = 1;
	handlers[VECTOR_SPURIOUS] = ignore;
	tss.ist[0] = (uint64_t)fault_stack + sizeof(fault_stack);
	tss.io_map = sizeof(tss);
	gdt[4] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[5] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(0x20));
	traps_load();
}
