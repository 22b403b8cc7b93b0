/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: every leaf of every block answers the same twice; what a guest must not see is hidden. */
#include "test.h"
#include <string.h>
#include <xen/arch-x86/cpuid.h>

const char test_title[] = "cpuid";

static void block(uint32_t base, uint32_t limit)
{
	uint32_t max = cpuid(base, 0).eax, leaf, sub;

	CHECK(max >= base && max < base + limit, "block %x: highest leaf %x", base, max);
	for (leaf = base; leaf <= max + 2 && leaf < base + limit; leaf++)
		for (sub = 0; sub < 4; sub++) {
			struct cpuid_regs a = cpuid(leaf, sub), b = cpuid(leaf, sub);

			/* The APIC id leaf and the OSXSAVE bit may differ between cpus, not between two reads. */
			CHECK(!memcmp(&a, &b, sizeof(a)), "leaf %x.%u", leaf, sub);
		}
}

static void hypervisor(uint32_t base)
{
	struct cpuid_regs r = cpuid(base + 1, 0);

	CHECK(r.eax >> 16 >= 4, "version %x", r.eax);
	r = cpuid(base + 2, 0);
	CHECK(r.eax == 1 && (r.ebx & 0xf0000000) == 0x40000000, "%u pages, msr %x", r.eax, r.ebx);
	r = cpuid(base + 4, 0);
	CHECK(r.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT ? r.ebx == 0 : true, "vcpu id %u", r.ebx);
}

static void features(void)
{
	struct cpuid_regs one = cpuid(1, 0), ext = cpuid(0x80000001, 0);

	CHECK(one.ecx >> 31, "the hypervisor bit is clear");
	CHECK(!(one.ecx >> 5 & 1), "VMX shows");
	CHECK(!(ext.ecx >> 2 & 1), "SVM shows");
	CHECK(one.edx >> 9 & 1, "no APIC");
	CHECK(one.edx >> 4 & 1, "no TSC");
	CHECK(ext.edx >> 29 & 1, "no long mode");
	CHECK(!(one.ecx >> 3 & 1), "MONITOR shows");
}

void test_main(void)
{
	uint32_t base = xen_cpuid_base();

	block(0, 0x100);
	block(0x80000000, 0x100);
	block(base, 0x100);
	hypervisor(base);
	features();
}
