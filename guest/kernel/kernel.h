/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest kernel's services, for programs built on it: a program is one function, guest_main().
 * One vcpu, one stack, no threads: interrupt handlers only note that something happened; the program waits with WAIT_UNTIL().
 */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "cpu.h"

#define PAGE_SIZE 4096u
#define __page_aligned __attribute__((aligned(4096), section(".bss.page")))

/* The program. Its return value, 0 or not, becomes poweroff or crash. */
int guest_main(void);

/* boot.c: what the domain builder handed over, copied before its memory is used for something else. */
extern struct hvm_start_info start_info;
extern uint32_t start_info_paddr;	/* where the builder put it: memory of ours by now */
extern struct hvm_memmap_table_entry boot_memmap[16];
extern unsigned int boot_memmap_entries;
extern char cmdline[1024];
extern struct shared_info *shared_info;
/* Put the shared info over its page; a test that moved it away calls this again. */
void shared_info_map(void);
uint32_t xen_cpuid_base(void);
/* => the value of NAME= on the command line, copied to BUF; false when it is not there. */
bool cmdline_get(const char *name, char *buf, size_t size);
unsigned long cmdline_number(const char *name, unsigned long otherwise);
/* The decimal number at *S, which then points behind it; 0 without a digit. */
unsigned long parse_number(const char **s);
int hvm_param_get(unsigned int index, uint64_t *value);
int hvm_param_set(unsigned int index, uint64_t value);

/* console.c */
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vprintk(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
void console_write(const char *s, size_t n);
/* => one character, or -1 when none waits. */
int console_getc(void);
/* Wait, a second at most, until the console's reader has taken everything. */
void console_flush(void);

/* shutdown.c */
void shutdown(unsigned int reason) __attribute__((noreturn));
void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* page.c: pages of the RAM above the image. Physical and virtual addresses are the same. */
void *page_alloc(void);
/* One that was never used, as the host gave it; NULL when those are gone. */
void *page_alloc_fresh(void);
void page_free(void *page);
unsigned int page_free_count(void);
static inline uint64_t to_gfn(const volatile void *p) { return (uint64_t)p >> 12; }

/* clock.c */
uint64_t clock_ns(void);
uint64_t clock_wall_ns(void);
/* Wake the cpu from its sleep at DEADLINE (clock_ns() time). */
void timer_wake_at(uint64_t deadline_ns);

/* Sleep until COND holds; something that can make it true must raise an event. */
#define WAIT_UNTIL(cond)                                                                                                          \
	do {                                                                                                                       \
		for (;;) {                                                                                                         \
			cpu_cli();                                                                                                 \
			if (cond)                                                                                                  \
				break;                                                                                             \
			cpu_sti_hlt();                                                                                             \
		}                                                                                                                  \
		cpu_sti();                                                                                                         \
	} while (0)

/* The same with a limit; => whether COND came true. */
#define WAIT_UNTIL_TIMEOUT(cond, ns)                                                                                              \
	({                                                                                                                         \
		uint64_t wait_end_ = clock_ns() + (ns);                                                                            \
		bool wait_ok_;                                                                                                     \
		for (;;) {                                                                                                         \
			cpu_cli();                                                                                                 \
			wait_ok_ = (cond);                                                                                         \
			if (wait_ok_ || clock_ns() >= wait_end_)                                                                   \
				break;                                                                                             \
			timer_wake_at(wait_end_);                                                                                  \
			cpu_sti_hlt();                                                                                             \
		}                                                                                                                  \
		cpu_sti();                                                                                                         \
		wait_ok_;                                                                                                          \
	})

#define MSEC 1000000ul
#define SEC 1000000000ul

#define BUG_ON(x)                                                                                                                 \
	do {                                                                                                                       \
		if (x)                                                                                                             \
			panic("%s:%d: %s", __FILE__, __LINE__, #x);                                                                \
	} while (0)
#endif
