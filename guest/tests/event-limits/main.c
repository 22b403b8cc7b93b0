/* SPDX-License-Identifier: BSD-2-Clause */
/* All ports there are, then the reset. The table ends at 4096, or earlier where the builder said so; nothing else breaks. */
#include "test.h"
#include <errno.h>
#include "event.h"
#include "hypercall.h"

const char test_title[] = "event-limits";
static uint16_t ports[4096];

void test_main(void)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	unsigned int n = 0, i;
	int port;

	while (n < ARRAY_LEN(ports) && (port = event_alloc_unbound(DOMID_SELF)) > 0)
		ports[n++] = (uint16_t)port;
	printk("%u ports\n", n);
	CHECK(n >= 64 && n < 4096, "%u ports", n);
	CHECK_EQ(event_alloc_unbound(DOMID_SELF), -ENOSPC);
	CHECK_EQ(event_bind_ipi(0), -ENOSPC);
	for (i = 0; i < n; i++)
		CHECK(ports[i] < 4096, "port %u", ports[i]);
	for (i = 0; i < n; i++)
		CHECK_EQ(event_close(ports[i]), 0);
	for (i = 0; i < n; i++)
		CHECK(event_alloc_unbound(DOMID_SELF) > 0, "%u", i);
	for (i = 0; i < n; i++)
		CHECK_EQ(event_close(ports[i]), 0);
	reset.dom = 0;
	CHECK(hv_event(EVTCHNOP_reset, &reset) < 0, "reset another domain");
}
