/* SPDX-License-Identifier: BSD-2-Clause */
/* Never gives the cpu back, interrupts off: the host must take it, and must be able to end the domain. */
#include "test.h"

const char test_title[] = "hostile-spin";

void test_main(void)
{
	test_count(1);
	test_verdict();
	cpu_cli();
	for (;;)
		;
}
