/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small guest: a web page and a UDP echo in 4 MiB.
 * Command line: ip=A.B.C.D/N gw=A.B.C.D http=PORT echo=PORT [name=TEXT] [nooffload=1] [rxbufs=N].
 * A port of 0 or none turns that service off.
 */
#include <errno.h>
#include "echo.h"
#include "ethif.h"
#include "http.h"
#include "kernel.h"

static struct ethif eth;

int guest_main(void)
{
	uint16_t http = (uint16_t)cmdline_number("http", 0), echo = (uint16_t)cmdline_number("echo", 0);
	int rc = ethif_open(&eth, echo ? echo_hot : NULL);

	if (!rc && http)
		rc = http_start(http);
	if (!rc && echo)
		rc = echo_start(&eth, echo);
	if (rc) {
		printk("small: no network: error %d; command line '%s'\n", rc, cmdline);
		return rc;
	}
	printk("small: up after %lu ms, http %u, echo %u, %u KiB free\n", clock_ns() / MSEC, http, echo, page_free_count() * 4);
	ethif_run(&eth, NULL);
	return 0;
}
