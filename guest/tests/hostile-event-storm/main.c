/* SPDX-License-Identifier: BSD-2-Clause */
/* As many events as one vcpu can send for a second or so: to the store, to the console, to itself. */
#include "test.h"
#include "console.h"
#include "event.h"
#include "hypercall.h"
#include "store.h"

const char test_title[] = "hostile-event-storm";

void test_main(void)
{
	int self = event_bind_ipi(0);
	unsigned long n = 0, ms = cmdline_number("ms", 1500);
	uint64_t t0 = clock_ns(), t = t0;

	CHECK(self > 0, "%d", self);
	while (t - t0 < ms * MSEC) {
		hv_notify(store_port());
		hv_notify(console_port());
		hv_notify((evtchn_port_t)self);
		n += 3;
		if (n % 300 == 0)
			t = clock_ns();
	}
	test_bench("event_storm_per_s", n * 1000 / ((t - t0) / MSEC));
	CHECK(n > 100, "%lu", n);
}
