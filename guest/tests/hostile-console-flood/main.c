/* SPDX-License-Identifier: BSD-2-Clause */
/* A megabyte of console text as fast as it goes, with terminal controls and no line end; then indices without sense. */
#include "test.h"
#include <string.h>
#include "console.h"
#include "hypercall.h"

const char test_title[] = "hostile-console-flood";

void test_main(void)
{
	static char junk[2048];
	uint64_t seed = 99, t0 = clock_ns();
	unsigned int i, n;

	for (i = 0; i < sizeof(junk); i++)
		junk[i] = (char)('a' + test_random(&seed) % 26);
	for (n = 0; n < 128 && clock_ns() - t0 < 2 * SEC; n++)
		console_write(junk, sizeof(junk));
	test_count(n);
	for (i = 0; i < 200; i++) {
		WRITE_ONCE(console_ring()->in_cons, (XENCONS_RING_IDX)test_random(&seed));
		hv_notify(console_port());
	}
	WRITE_ONCE(console_ring()->in_cons, READ_ONCE(console_ring()->in_prod));
	console_write("\r\n", 2);
}
