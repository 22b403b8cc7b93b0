/* SPDX-License-Identifier: BSD-2-Clause */
/* No interrupt table, then an exception: the domain must end, and only it. */
#include "test.h"

const char test_title[] = "hostile-triple-fault";

void test_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	test_count(1);
	test_verdict();
	__asm__ volatile("lidt %0; ud2" ::"m"(none));
}
