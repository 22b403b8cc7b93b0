/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that are the host's are refused; those that a guest may use or the host may ignore do no harm. */
#include "test.h"
#include "try.h"

const char test_title[] = "hostile-cpu-state";

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
