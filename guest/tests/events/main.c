/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels: every operation, in order and out of order, over a channel to ourselves; every bad argument has its error. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "event.h"
#include "hypercall.h"

const char test_title[] = "events";
static volatile unsigned int got;

static void count(evtchn_port_t port, void *arg)
{
	(void)port;
	got += (unsigned int)(uintptr_t)arg;
}

static int status(evtchn_port_t port, struct evtchn_status *s)
{
	memset(s, 0, sizeof(*s));
	s->dom = DOMID_SELF;
	s->port = port;
	return hv_event(EVTCHNOP_status, s);
}

static void loopback(void)
{
	int a = event_alloc_unbound(DOMID_SELF), b;
	struct evtchn_status s;

	CHECK(a > 0, "%d", a);
	CHECK_EQ(status((evtchn_port_t)a, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_unbound);
	b = event_bind_interdomain(DOMID_SELF, (evtchn_port_t)a);
	CHECK(b > 0 && b != a, "%d", b);
	CHECK_EQ(status((evtchn_port_t)a, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
	CHECK_EQ(s.u.interdomain.port, b);
	CHECK_EQ(event_bind_interdomain(DOMID_SELF, (evtchn_port_t)a), -EINVAL);

	/* Masked events wait, pend once, and come with the unmasking. */
	got = 0;
	event_mask((evtchn_port_t)a);
	event_take((evtchn_port_t)a);
	CHECK_EQ(event_send((evtchn_port_t)b), 0);
	CHECK_EQ(event_send((evtchn_port_t)b), 0);
	CHECK(event_pending((evtchn_port_t)a), "-");
	CHECK_EQ(got, 0);
	event_bind((evtchn_port_t)a, count, (void *)1);
	CHECK(WAIT_UNTIL_TIMEOUT(got == 1, SEC), "%u", got);
	CHECK_EQ(event_send((evtchn_port_t)b), 0);
	CHECK(WAIT_UNTIL_TIMEOUT(got == 2, SEC), "%u", got);

	/* Closing one end leaves the other unbound; what is sent then goes nowhere. */
	CHECK_EQ(event_close((evtchn_port_t)b), 0);
	CHECK_EQ(status((evtchn_port_t)a, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_unbound);
	CHECK_EQ(event_send((evtchn_port_t)b), -EINVAL);
	CHECK_EQ(event_close((evtchn_port_t)a), 0);
	CHECK_EQ(event_close((evtchn_port_t)a), -EINVAL);
	CHECK_EQ(got, 2);
}

static void ipi_and_virq(void)
{
	struct evtchn_bind_vcpu bind;
	struct evtchn_status s;
	int a = event_bind_ipi(0), v, again;

	CHECK(a > 0, "%d", a);
	CHECK_EQ(status((evtchn_port_t)a, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_ipi);
	got = 0;
	event_bind((evtchn_port_t)a, count, (void *)5);
	CHECK_EQ(event_send((evtchn_port_t)a), 0);
	CHECK(WAIT_UNTIL_TIMEOUT(got == 5, SEC), "%u", got);
	bind = (struct evtchn_bind_vcpu){ .port = (evtchn_port_t)a, .vcpu = 0 };
	CHECK_EQ(hv_event(EVTCHNOP_bind_vcpu, &bind), -EINVAL);	/* an IPI stays with its vcpu */
	CHECK_EQ(event_close((evtchn_port_t)a), 0);

	v = event_bind_virq(VIRQ_DEBUG, 0);
	CHECK(v > 0, "%d", v);
	again = event_bind_virq(VIRQ_DEBUG, 0);
	CHECK_EQ(again, -EEXIST);
	CHECK_EQ(status((evtchn_port_t)v, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_virq);
	CHECK_EQ(s.u.virq, VIRQ_DEBUG);
	CHECK_EQ(event_close((evtchn_port_t)v), 0);
}

static void bad_arguments(void)
{
	struct evtchn_unmask u = { .port = 0x10000000 };
	struct evtchn_bind_vcpu bv = { .port = 0x7fffffff, .vcpu = 0 };
	struct evtchn_status s;
	int a;

	CHECK_EQ(event_bind_virq(NR_VIRQS, 0), -EINVAL);
	CHECK_EQ(event_bind_virq(~0u, 0), -EINVAL);
	CHECK_EQ(event_bind_virq(VIRQ_TIMER, 4000), -ENOENT);
	CHECK_EQ(event_bind_ipi(4000), -ENOENT);
	CHECK_EQ(event_send(0), -EINVAL);
	CHECK_EQ(event_send(4096), -EINVAL);
	CHECK_EQ(event_send(~0u), -EINVAL);
	CHECK_EQ(event_bind_interdomain(DOMID_SELF, 0), -EINVAL);
	CHECK_EQ(event_bind_interdomain(DOMID_SELF, ~0u), -EINVAL);
	CHECK_EQ(event_bind_interdomain(0x7000, 1), -ESRCH);
	CHECK(event_bind_interdomain(0, 1) < 0, "took a port of another domain");
	CHECK_EQ(hv_event(EVTCHNOP_unmask, &u), -EINVAL);
	CHECK(hv_event(EVTCHNOP_bind_vcpu, &bv) < 0, "-");
	CHECK_EQ(hv_event(EVTCHNOP_close, NOWHERE), -EFAULT);
	CHECK_EQ(hv_event(99, &u), -ENOSYS);
	s = (struct evtchn_status){ .dom = 0, .port = 1 };
	CHECK(hv_event(EVTCHNOP_status, &s) < 0, "told of another domain's port");

	a = event_alloc_unbound(DOMID_SELF);
	bv = (struct evtchn_bind_vcpu){ .port = (evtchn_port_t)a, .vcpu = 0 };
	CHECK_EQ(hv_event(EVTCHNOP_bind_vcpu, &bv), 0);
	bv.vcpu = 4000;
	CHECK_EQ(hv_event(EVTCHNOP_bind_vcpu, &bv), -ENOENT);
	CHECK_EQ(event_send((evtchn_port_t)a), 0);	/* nobody there: lost without harm */
	CHECK_EQ(event_close((evtchn_port_t)a), 0);
}

/* Waiting without interrupts: SCHEDOP_poll. */
static void poll_port(void)
{
	int a = event_bind_ipi(0);
	evtchn_port_t port = (evtchn_port_t)a, bad = 0x20000000;
	struct sched_poll p = { .nr_ports = 1, .timeout = clock_ns() + 20 * MSEC };
	uint64_t t0 = clock_ns();

	event_mask(port);
	set_xen_guest_handle(p.ports, &port);
	CHECK_EQ(hv_sched(SCHEDOP_poll, &p), 0);
	CHECK(clock_ns() - t0 >= 15 * MSEC, "%lu ns", clock_ns() - t0);
	CHECK_EQ(event_send(port), 0);
	t0 = clock_ns();
	p.timeout = t0 + 5 * SEC;
	CHECK_EQ(hv_sched(SCHEDOP_poll, &p), 0);
	CHECK(clock_ns() - t0 < SEC, "%lu ns", clock_ns() - t0);
	set_xen_guest_handle(p.ports, &bad);
	CHECK_EQ(hv_sched(SCHEDOP_poll, &p), -EINVAL);
	p.nr_ports = 1000;
	CHECK_EQ(hv_sched(SCHEDOP_poll, &p), -EINVAL);
	event_take(port);
	CHECK_EQ(event_close(port), 0);
}

void test_main(void)
{
	loopback();
	ipi_and_virq();
	bad_arguments();
	poll_port();
}
