/* SPDX-License-Identifier: BSD-2-Clause */
/* The console, abused: lengths that make no sense, ring indices that make no sense; then it still prints the verdict. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "console.h"
#include "hypercall.h"

const char test_title[] = "console";

static void lengths(void)
{
	static const unsigned int lens[] = { 0, 1, 127, 128, 129, 4096, 1u << 31, ~0u - 1, ~0u };
	static char text[4096];
	unsigned int i;
	int rc;

	memset(text, ' ', sizeof(text));
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		/* A length beyond memory: cut short or refused; the hypervisor must not run on with it. */
		char *p = lens[i] <= sizeof(text) ? text : (char *)NOWHERE;

		rc = hv_console(CONSOLEIO_write, lens[i], p);
		CHECK(rc <= (int)sizeof(text), "%u: %d", lens[i], rc);
	}
	rc = hv_console(CONSOLEIO_read, ~0u, text);
	CHECK(rc <= 0, "%d", rc);
	rc = hv_console(99, 1, text);
	CHECK(rc < 0, "%d", rc);
}

static void ring_abuse(void)
{
	struct xencons_interface *r = console_ring();
	XENCONS_RING_IDX prod, in;

	console_flush();
	prod = r->out_prod;
	in = r->in_cons;
	/* More than the ring holds, then backwards. */
	WRITE_ONCE(r->out_prod, prod + 100000);
	hv_notify(console_port());
	WRITE_ONCE(r->in_cons, in + 5000);
	hv_notify(console_port());
	WAIT_UNTIL_TIMEOUT(false, 50 * MSEC);
	WRITE_ONCE(r->in_cons, in);
	WRITE_ONCE(r->out_prod, READ_ONCE(r->out_cons));
	hv_notify(console_port());
	CHECK(r->out_prod - READ_ONCE(r->out_cons) <= sizeof(r->out), "-");
}

static void volume(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++)
		printk("%3u 0123456789012345678901234567890123456789012345678901234567890123456789\n", i);
	console_flush();
	CHECK_EQ(console_ring()->out_prod, READ_ONCE(console_ring()->out_cons));
}

void test_main(void)
{
	CHECK(console_ring() != NULL, "-");
	lengths();
	volume();
	ring_abuse();
}
