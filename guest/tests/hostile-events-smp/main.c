/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vcpus bind, close, send and ask about the same few ports at random, all the time: no call may hang, no port may be lost. */
#include "random.h"
#include "event.h"
#include "hypercall.h"
#include "smp.h"

const char test_title[] = "hostile-events-smp";
static volatile bool stop, second_done;
static volatile unsigned long second_calls;
static int before[8];

static void random_op(uint64_t *state)
{
	evtchn_port_t port = (evtchn_port_t)(test_random(state) % 24) + 8;
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };
	struct evtchn_bind_vcpu bind = { .port = port, .vcpu = (uint32_t)test_random(state) & 1 };
	struct evtchn_unmask unmask = { .port = port };
	struct evtchn_close close = { .port = port };

	switch (test_random(state) >> 61) {
	case 0:
		event_alloc_unbound(DOMID_SELF);
		break;
	case 1:
		event_bind_interdomain(DOMID_SELF, port);
		break;
	case 2:
		event_bind_ipi((unsigned int)test_random(state) & 1);
		break;
	case 3:
		hv_event(EVTCHNOP_close, &close);
		break;
	case 4:
		hv_event(EVTCHNOP_bind_vcpu, &bind);
		break;
	case 5:
		hv_event(EVTCHNOP_status, &status);
		break;
	case 6:
		hv_event(EVTCHNOP_unmask, &unmask);
		break;
	default:
		hv_notify(port);
	}
}

static void second(void)
{
	uint64_t state = 222;

	while (!stop) {
		random_op(&state);
		second_calls++;
	}
	second_done = true;
}

void test_main(void)
{
	uint64_t state = 111, end, t, longest = 0;
	unsigned int i;

	/* The console, the store and the timer keep the ports below 8. */
	for (i = 0; i < 8; i++)
		before[i] = event_alloc_unbound(DOMID_SELF);
	CHECK(before[7] > 0, "%d", before[7]);
	CHECK_EQ(smp_start(1, AP_LONG, second), 0);
	end = clock_ns() + 2 * SEC;
	while ((t = clock_ns()) < end) {
		random_op(&state);
		test_count(1);
		t = clock_ns() - t;
		if (t > longest)
			longest = t;
	}
	stop = true;
	end = clock_ns() + 2 * SEC;
	while (!second_done && clock_ns() < end)
		cpu_pause();
	CHECK(second_done && second_calls > 10, "the second vcpu made %lu calls", second_calls);
	printk("%lu calls of the other vcpu; the longest of ours took %lu us\n", second_calls, longest / 1000);
	for (i = 8; i < 64; i++)
		event_close(i);
	for (i = 0; i < 8; i++)
		CHECK(event_alloc_unbound(DOMID_SELF) > 0, "-");
}
