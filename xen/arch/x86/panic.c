/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: print what is known, stop every CPU. The backtrace follows frame pointers and names addresses from the table
 * that the second link adds (mk/symbols.sh).
 */
#include <stdatomic.h>
#include <stdio.h>

#include <hv/arch.h>
#include <hv/log.h>
#include <hv/mm.h>

#include "apic.h"
#include "traps.h"
#include "uart.h"
#include "x86.h"

struct symbol {
	uint32_t offset; /* from image_start */
	uint32_t name;   /* offset into symbol_names */
};

extern const char image_start[], text_end[];
extern const struct symbol symbol_table[] __attribute__((weak));
extern const uint32_t symbol_count __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));

static atomic_flag stopping = ATOMIC_FLAG_INIT;
static volatile bool stopped;

bool panic_stopping(void)
{
	return stopped;
}

const char *symbol_lookup(uint64_t addr, uint64_t *offset)
{
	uint64_t at = addr - (uint64_t)image_start;

	if (!&symbol_count || addr < (uint64_t)image_start || addr >= (uint64_t)text_end)
		return NULL;
	uint32_t lo = 0, hi = symbol_count;
	while (hi - lo > 1) {
		uint32_t mid = (lo + hi) / 2;
		if (symbol_table[mid].offset <= at)
			lo = mid;
		else
			hi = mid;
	}
	*offset = at - symbol_table[lo].offset;
	return symbol_names + symbol_table[lo].name;
}

static void show_address(uint64_t addr)
{
	uint64_t offset = 0;
	const char *name = symbol_lookup(addr, &offset);

	serial_printf("  [%016lx] %s+%#lx\n", addr, name ? name : "?", offset);
}

void backtrace(uint64_t rip, uint64_t rbp)
{
	serial_printf("backtrace:\n");
	show_address(rip);
	for (int depth = 0; depth < 24 && rbp >= DIRECTMAP_BASE && !(rbp & 7); depth++) {
		const uint64_t *frame = (const uint64_t *)rbp;
		if (frame[1] < (uint64_t)image_start || frame[1] >= (uint64_t)text_end || frame[0] <= rbp)
			break;
		show_address(frame[1]);
		rbp = frame[0];
	}
}

static void show_registers(const struct trap_frame *f)
{
	serial_printf("cpu %u  rip %016lx  rsp %016lx  rflags %016lx\n", this_cpu()->id, f->rip, f->rsp, f->rflags);
	serial_printf("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	serial_printf("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
	serial_printf("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
	serial_printf("r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
	serial_printf("cr0 %016lx  cr2 %016lx  cr3 %016lx  cr4 %016lx\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
}

static _Noreturn void stop(const struct trap_frame *f, uint64_t rip, uint64_t rbp, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];

	irq_disable();
	if (atomic_flag_test_and_set(&stopping)) {
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	stopped = true;
	apic_stop_others();
	vsnprintf(text, sizeof(text), fmt, ap);
	serial_printf("\nPANIC: %s\n", text);
	if (f)
		show_registers(f);
	backtrace(rip, rbp);
	serial_printf("The machine is stopped.\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}

void panic_frame(const struct trap_frame *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	stop(f, f->rip, f->rbp, fmt, ap);
}

void panic(const char *fmt, ...)
{
	struct trap_frame f = { 0 };
	va_list ap;

	__asm__ volatile("mov %%rbx, %0; mov %%r12, %1; mov %%r13, %2; mov %%r14, %3; mov %%r15, %4; mov %%rsp, %5"
			 : "=m"(f.rbx), "=m"(f.r12), "=m"(f.r13), "=m"(f.r14), "=m"(f.r15), "=m"(f.rsp));
	f.rip = (uint64_t)__builtin_return_address(0);
	f.rbp = (uint64_t)__builtin_frame_address(0);
	va_start(ap, fmt);
	stop(&f, f.rip, f.rbp, fmt, ap);
}

void env_bug(const char *file, int line, const char *what)
{
	panic("%s:%d: %s does not hold", file, line, what);
}
