/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load maker: UDP datagrams as fast as the ring takes them, or HTTP requests over connections kept open, to one target; the
 * rates once a second on the console.
 * Command line: ip=A.B.C.D/N gw=A.B.C.D to=A.B.C.D port=PORT [size=BYTES] [rate=PER_SECOND] [from=PORT] for UDP, or
 * [http=CONNECTIONS] for HTTP; [seconds=N], 0 for ever.
 */
#include <errno.h>
#include "ethif.h"
#include "kernel.h"
#include "load.h"
#include "lwip/ip4_addr.h"

static struct ethif eth;
static uint64_t next_report, end;
static struct load_counts last;

static bool report(void)
{
	struct load_counts now = load_counts();
	uint64_t t = clock_ns();

	if (t < next_report)
		return end && t >= end;
	printk("LOAD sent %lu answered %lu per second\n", now.sent - last.sent, now.answered - last.answered);
	last = now;
	next_report += SEC;
	return end && t >= end;
}

int guest_main(void)
{
	unsigned long seconds = cmdline_number("seconds", 0);
	struct load_target to = { .port = (uint16_t)cmdline_number("port", 0), .size = (uint16_t)cmdline_number("size", 64),
				  .from = (uint16_t)cmdline_number("from", 0), .rate = cmdline_number("rate", 0) };
	unsigned int conns = (unsigned int)cmdline_number("http", 0);
	char text[32];
	int rc = ethif_open(&eth, conns ? NULL : load_udp_hot);

	if (!rc && (!cmdline_get("to", text, sizeof(text)) || !ip4addr_aton(text, &to.addr) || !to.port))
		rc = -EINVAL;
	if (rc) {
		printk("load: error %d; command line '%s'\n", rc, cmdline);
		return rc;
	}
	next_report = clock_ns() + SEC;
	end = seconds ? clock_ns() + seconds * SEC : 0;
	if (conns) {
		load_http_start(&to, conns);
		ethif_run(&eth, report);
	} else {
		load_udp_run(&eth, &to, report);
	}
	return 0;
}
