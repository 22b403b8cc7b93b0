/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall by a 32-bit caller: code of a 32-bit segment under a 64-bit kernel. It is answered ENOSYS and touches nothing. */
#include "test.h"
#include <errno.h>
#include "hypercall.h"

const char test_title[] = "calls32";

#define CODE32 "0x10" /* in the table of entry.S, beside 0x08 for 64-bit code */

/* The image is below 4 GiB, its stack too: only the code segment changes. */
static uint32_t call32(uint32_t nr, uint32_t a0, uint32_t a1, uint32_t a2)
{
	uint64_t rax = nr;

	__asm__ volatile("pushq $" CODE32 "; pushq $1f; lretq\n"
			 ".code32\n"
			 "1: vmmcall\n"
			 "ljmpl $0x08, $2f\n"
			 ".code64\n"
			 "2:"
			 : "+a"(rax), "+b"(a0), "+c"(a1), "+d"(a2) : : "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return (uint32_t)rax;
}

void test_main(void)
{
	static char text[16] = "untouched";
	uint32_t at = (uint32_t)(uintptr_t)text, nr;

	for (nr = 0; nr < 64; nr++)
		CHECK_EQ((int32_t)call32(nr, 0, at, 1), -ENOSYS);
	CHECK_EQ((int32_t)call32(__HYPERVISOR_xen_version, XENVER_extraversion, at, 0), -ENOSYS);
	CHECK(text[0] == 'u', "written: %.16s", text);
	CHECK_EQ((int32_t)call32(0x80000000u | __HYPERVISOR_xen_version, 0, 0, 0), -ENOSYS);
	/* And the 64-bit caller is served as before. */
	CHECK(hv_version(XENVER_version, NULL) >> 16 >= 4, "-");
}
