/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control registers that may not be. A host that sees the write gives #GP; one that leaves it to the processor lets that judge, at
 * once or when it next enters the guest. The guest may end in any way; the host and the neighbours go on. The verdict comes first.
 */
#include "try.h"

const char test_title[] = "hostile-bad-cr0";

void test_main(void)
{
	uint64_t cr0, cr4;

	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	test_count(1);
	test_verdict();
	TRY("movq %%rax, %%cr4", cr4 | 1ul << 45);
	TRY("movq %%rax, %%cr0", cr0 | 1ul << 40);
	TRY("movq %%rax, %%cr0", (cr0 & ~(1ul << 30)) | 1ul << 29);
	TRY("movq %%rax, %%cr4", cr4 & ~0x20ul);
	TRY("movq %%rax, %%cr0", cr0 & ~1ul);
}
