/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers and modes that may not be: refused with #GP, or the domain's own fault; privileged instructions that are the host's. */
#include "test.h"
#include "trap.h"

const char test_title[] = "hostile-cpu-state";

/* One instruction with VALUE in the accumulator, 5 in the counter. => its exception, or 0. */
#define TRY(text, value)                                                                                                          \
	({                                                                                                                         \
		uint64_t ok_ = 0, v_ = (value);                                                                                    \
		__asm__ volatile("1: " text "\n\tmovl %[no], %k[ok]\n\t2:\n\t" EX_ENTRY(1b, 2b)                                    \
				 : "+a"(v_), [ok] "+r"(ok_) : [no] "i"(CPU_NO_FAULT), "c"(5), "d"(0) : "memory");                          \
		test_count(1);                                                                                                     \
		ok_ ? 0 : (int)v_;                                                                                                 \
	})

static void refused(const char *what, int fault)
{
	printk("%s: exception %d\n", what, fault);
	CHECK(fault == TRAP_GP || fault == TRAP_INVALID_OP, "%s: exception %d", what, fault);
}

static void try_it(const char *what, int fault)
{
	printk("%s: exception %d\n", what, fault);
}

void test_main(void)
{
	uint64_t cr0, cr4;

	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	refused("CR0 paging without protection", TRY("movq %%rax, %%cr0", cr0 & ~1ul));
	refused("CR0 reserved", TRY("movq %%rax, %%cr0", cr0 | 1ul << 40));
	refused("CR4 without PAE", TRY("movq %%rax, %%cr4", cr4 & ~0x20ul));
	refused("CR4 reserved", TRY("movq %%rax, %%cr4", cr4 | 1ul << 45));
	refused("VMRUN", TRY("vmrun %%rax", 0));
	refused("VMLOAD", TRY("vmload %%rax", 0));
	refused("VMSAVE", TRY("vmsave %%rax", 0));
	refused("STGI", TRY("stgi", 0));
	refused("CLGI", TRY("clgi", 0));
	refused("SKINIT", TRY("skinit %%eax", 0));
	/* Allowed to a guest or ignored, harmless either way. */
	try_it("invd", TRY("invd", 0));
	try_it("wbinvd", TRY("wbinvd", 0));
	try_it("rdpmc", TRY("rdpmc", 0));
	try_it("monitor", TRY("monitor", 0));
	try_it("xsetbv", TRY("xsetbv", 0));
	try_it("movq %%rax, %%dr7", TRY("movq %%rax, %%dr7", 0x400));
	CHECK(clock_ns() > 0, "-");
}
