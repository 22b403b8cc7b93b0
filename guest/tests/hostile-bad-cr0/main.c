/* SPDX-License-Identifier: BSD-2-Clause */
/* A CR0 that the processor's own check of a guest's state refuses (NW without CD): #GP for the guest or its end, nothing more. */
#include "test.h"
#include "trap.h"

const char test_title[] = "hostile-bad-cr0";

void test_main(void)
{
	uint64_t cr0;

	test_count(1);
	test_verdict();
	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %0, %%cr0" ::"r"((cr0 & ~(1ul << 30)) | 1ul << 29));
}
