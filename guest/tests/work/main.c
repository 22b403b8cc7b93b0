/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a guest gets done in a while that always wants the processor: for comparison, beside this and beside that. */
#include "test.h"

const char test_title[] = "work";

void test_main(void)
{
	uint64_t end = clock_ns() + cmdline_number("ms", 200) * MSEC;
	unsigned long done = 0, i;

	for (; clock_ns() < end; done++)
		for (i = 0; i < 1000; i++)
			__asm__ volatile("" ::: "memory");
	test_bench("work_done", done);
}
