/* SPDX-License-Identifier: BSD-2-Clause */
/* What a null hypercall, an event to ourselves and a halt cost, in time-stamp ticks: instructions, when virtual time counts them. */
#include "test.h"
#include "event.h"
#include "hypercall.h"

const char test_title[] = "bench";
#define ROUNDS 1000

static volatile unsigned int got;

static void on_event(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	got++;
}

/* The least of many: what interrupts add is noise. */
static uint64_t least(void (*fn)(evtchn_port_t), evtchn_port_t port)
{
	uint64_t best = ~0ul, t;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		t = rdtsc();
		fn(port);
		t = rdtsc() - t;
		if (t < best)
			best = t;
	}
	return best;
}

static void nothing(evtchn_port_t port)
{
	(void)port;
}

static void null_hypercall(evtchn_port_t port)
{
	(void)port;
	hv_version(XENVER_version, NULL);
}

static void send_only(evtchn_port_t port)
{
	hv_notify(port);
}

static void send_and_receive(evtchn_port_t port)
{
	unsigned int before = got;

	hv_notify(port);
	while (got == before)
		;
}

static void cpuid_exit(evtchn_port_t port)
{
	(void)port;
	cpuid(0x40000000, 0);
}

void test_main(void)
{
	int port = event_bind_ipi(0);
	uint64_t base, t;

	CHECK(port > 0, "%d", port);
	event_mask((evtchn_port_t)port);
	base = least(nothing, 0);
	test_bench("null_hypercall_ticks", least(null_hypercall, 0) - base);
	test_bench("cpuid_ticks", least(cpuid_exit, 0) - base);
	test_bench("event_send_masked_ticks", least(send_only, (evtchn_port_t)port) - base);
	event_bind((evtchn_port_t)port, on_event, NULL);
	test_bench("event_send_receive_ticks", least(send_and_receive, (evtchn_port_t)port) - base);
	t = clock_ns();
	for (unsigned int i = 0; i < 10000; i++)
		hv_version(XENVER_version, NULL);
	test_bench("null_hypercall_ns", (clock_ns() - t) / 10000);
}
