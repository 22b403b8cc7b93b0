/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that C has no word for. The _safe forms return 0, or the number of the exception that the instruction raised. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H
#include <stdbool.h>
#include <stdint.h>

#define barrier() __asm__ volatile("" ::: "memory")
#define mb() __asm__ volatile("mfence" ::: "memory")
/* x86 keeps stores in order and loads in order; only the compiler needs telling. */
#define rmb() barrier()
#define wmb() barrier()
/* The names that the ring macros use. */
#define xen_mb() mb()
#define xen_rmb() rmb()
#define xen_wmb() wmb()
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* An instruction at FROM that faults goes on at TO with the exception's number in %eax. */
#define EX_ENTRY(from, to) ".pushsection .ex_table, \"a\"\n\t.quad " #from ", " #to "\n\t.popsection\n\t"

static inline void cpu_sti(void) { __asm__ volatile("sti" ::: "memory"); }
static inline void cpu_cli(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void cpu_pause(void) { __asm__ volatile("pause" ::: "memory"); }
/* Open interrupts and sleep; the shadow of sti leaves no gap between the two. */
static inline void cpu_sti_hlt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }

static inline bool cpu_save_cli(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags & 0x200;
}

static inline void cpu_restore(bool on)
{
	if (on)
		cpu_sti();
}

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "0"(leaf), "2"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

#define CPU_NO_FAULT 0x100u

/* => 0 and *v, or the exception. */
static inline int rdmsr_safe(uint32_t msr, uint64_t *v)
{
	uint32_t lo = 0, hi = 0, ok = 0;

	__asm__ volatile("1: rdmsr\n\tmovl %[no], %[ok]\n\t2:\n\t" EX_ENTRY(1b, 2b)
			 : "+a"(lo), "+d"(hi), [ok] "+r"(ok) : "c"(msr), [no] "i"(CPU_NO_FAULT) : "memory");
	*v = (uint64_t)hi << 32 | lo;
	return ok ? 0 : (int)lo;
}

static inline int wrmsr_safe(uint32_t msr, uint64_t v)
{
	uint32_t lo = (uint32_t)v, ok = 0;

	__asm__ volatile("1: wrmsr\n\tmovl %[no], %[ok]\n\t2:\n\t" EX_ENTRY(1b, 2b)
			 : "+a"(lo), [ok] "+r"(ok) : "c"(msr), "d"((uint32_t)(v >> 32)), [no] "i"(CPU_NO_FAULT) : "memory");
	return ok ? 0 : (int)lo;
}

/* Read a byte of memory that may not be there. */
static inline int peek_safe(const volatile uint32_t *p, uint32_t *v)
{
	uint32_t val = 0, ok = 0;

	__asm__ volatile("1: movl (%[p]), %%eax\n\tmovl %[no], %[ok]\n\t2:\n\t" EX_ENTRY(1b, 2b)
			 : "=&a"(val), [ok] "+r"(ok) : [p] "r"(p), [no] "i"(CPU_NO_FAULT) : "memory");
	*v = val;
	return ok ? 0 : (int)val;
}

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port)); }

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}

/* Bit operations on words that the hypervisor changes at the same time. */
static inline bool bit_test_and_clear(unsigned long *p, unsigned int n)
{
	bool was;

	__asm__ volatile("lock btrq %2, %1" : "=@ccc"(was), "+m"(*p) : "r"((unsigned long)n) : "memory");
	return was;
}

static inline void bit_set(unsigned long *p, unsigned int n) { __atomic_fetch_or(p, 1UL << n, __ATOMIC_SEQ_CST); }
static inline void bit_clear(unsigned long *p, unsigned int n) { __atomic_fetch_and(p, ~(1UL << n), __ATOMIC_SEQ_CST); }
#endif
