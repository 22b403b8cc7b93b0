/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypercall page: found by CPUID, written by MSR, anywhere in RAM; what a call changes and what it must leave alone. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "hypercall.h"
#include "trap.h"
#include <xen/features.h>

const char test_title[] = "hypercall-page";
static char second_page[4096] __page_aligned;

static void numbers(void)
{
	unsigned int nr, known = 0;

	for (nr = 64; nr < 128; nr++) {
		/* A page has no entries there: ask by register, as newer kernels do. */
		long ret;

		__asm__ volatile("vmmcall" : "=a"(ret) : "a"(nr) : "memory", "rdi", "rsi", "rdx", "r10", "r8");
		CHECK(ret == -ENOSYS, "hypercall %u: %ld", nr, ret);
	}
	for (nr = 0; nr < 64; nr++)
		known += nr != __HYPERVISOR_iret && nr != __HYPERVISOR_sched_op_compat && nr != __HYPERVISOR_sched_op &&
			 hypercall(nr, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul) != -ENOSYS;
	CHECK(known >= 3, "%u", known);
}

static void versions(void)
{
	xen_feature_info_t f = { .submap_idx = 0 };
	xen_extraversion_t extra;
	int v = hv_version(XENVER_version, NULL);

	CHECK(v >> 16 >= 4, "%x", (unsigned int)v);
	memset(extra, 0x55, sizeof(extra));
	CHECK_EQ(hv_version(XENVER_extraversion, extra), 0);
	CHECK(memchr(extra, 0, sizeof(extra)), "not terminated");
	CHECK_EQ(hv_version(XENVER_get_features, &f), 0);
	CHECK(f.submap >> XENFEAT_auto_translated_physmap & 1, "features %x", f.submap);
	CHECK(f.submap >> XENFEAT_hvm_callback_vector & 1, "features %x", f.submap);
	CHECK(!(f.submap >> XENFEAT_dom0 & 1), "features %x", f.submap);
	CHECK_EQ(hv_version(XENVER_get_features, NOWHERE), -EFAULT);
	CHECK_EQ(hv_version(XENVER_pagesize, NULL), 4096);
	CHECK_EQ(hv_version(0x7777, NULL), -ENOSYS);
}

static void move(void)
{
	uint32_t msr = cpuid(xen_cpuid_base() + 2, 0).ebx;
	long ret = -1;

	wrmsr(msr, (uint64_t)second_page);
	__asm__ volatile("call *%1" : "=a"(ret) : "r"(second_page + 32 * __HYPERVISOR_xen_version), "D"(0L), "S"(0L)
			 : "memory", "rdx", "r10", "r8");
	CHECK(ret >> 16 >= 4, "%lx", ret);
	/* An address without RAM: refused or ignored, never fatal. */
	CHECK(wrmsr_safe(msr, 0xfffff00000ul) <= TRAP_GP, "-");
	CHECK(wrmsr_safe(msr, ~0ul) <= TRAP_GP, "-");
	CHECK(hv_version(XENVER_version, NULL) >> 16 >= 4, "-");
}

static void registers(void)
{
	register uint64_t r12 __asm__("r12") = 0x1212121212121212, r15 __asm__("r15") = 0x1515151515151515;
	uint64_t rbx = 0xb0b0b0b0b0b0b0b0;
	long ret;

	__asm__ volatile("call *%[f]" : "=a"(ret), "+b"(rbx), "+r"(r12), "+r"(r15)
			 : [f] "c"(hypercall_page + 32 * __HYPERVISOR_xen_version), "D"(0L), "S"(0L) : "memory", "rdx", "r10", "r8");
	CHECK(rbx == 0xb0b0b0b0b0b0b0b0 && r12 == 0x1212121212121212 && r15 == 0x1515151515151515, "registers lost");
}

void test_main(void)
{
	numbers();
	versions();
	move();
	registers();
}
