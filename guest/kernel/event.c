/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event delivery: the hypervisor raises VECTOR_EVENT as a bare interrupt (no APIC, nothing to acknowledge); the handler scans
 * the selector word, then the ports. A port's pending bit is cleared before its handler runs, so an event that comes during it
 * is not lost.
 */
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "trap.h"

static struct {
	event_fn fn;
	void *arg;
} handlers[EVENT_PORTS];
static unsigned long upcalls;

static void scan_word(unsigned int word)
{
	unsigned long bits;

	while ((bits = READ_ONCE(shared_info->evtchn_pending[word]) & ~READ_ONCE(shared_info->evtchn_mask[word]))) {
		unsigned int port = word * 64 + (unsigned int)__builtin_ctzl(bits);

		bit_clear(&shared_info->evtchn_pending[word], port % 64);
		if (port < EVENT_PORTS && handlers[port].fn)
			handlers[port].fn(port, handlers[port].arg);
	}
}

static void upcall(struct trap_frame *f)
{
	struct vcpu_info *v = &shared_info->vcpu_info[0];
	unsigned long sel;

	(void)f;
	upcalls++;
	while (READ_ONCE(v->evtchn_upcall_pending)) {
		WRITE_ONCE(v->evtchn_upcall_pending, 0);
		sel = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		for (; sel; sel &= sel - 1)
			scan_word((unsigned int)__builtin_ctzl(sel));
	}
}

void events_init(void)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		WRITE_ONCE(shared_info->evtchn_mask[i], ~0ul);
	trap_set(VECTOR_EVENT, upcall);
	if (hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR_EVENT))
		panic("no event upcall vector");
}

void event_bind(evtchn_port_t port, event_fn fn, void *arg)
{
	BUG_ON(port >= EVENT_PORTS);
	handlers[port].arg = arg;
	handlers[port].fn = fn;
	event_unmask(port);
}

void event_unbind(evtchn_port_t port)
{
	event_mask(port);
	if (port < EVENT_PORTS)
		handlers[port].fn = NULL;
}

void event_mask(evtchn_port_t port)
{
	bit_set(&shared_info->evtchn_mask[port / 64], port % 64);
}

/* The hypercall re-raises an event that came while the port was masked. */
void event_unmask(evtchn_port_t port)
{
	struct evtchn_unmask u = { .port = port };

	hv_event(EVTCHNOP_unmask, &u);
}

bool event_pending(evtchn_port_t port)
{
	return READ_ONCE(shared_info->evtchn_pending[port / 64]) >> port % 64 & 1;
}

bool event_take(evtchn_port_t port)
{
	return bit_test_and_clear(&shared_info->evtchn_pending[port / 64], port % 64);
}

unsigned long event_upcalls(void)
{
	return READ_ONCE(upcalls);
}

int event_alloc_unbound(domid_t remote)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
	int rc = hv_event(EVTCHNOP_alloc_unbound, &op);

	return rc ? rc : (int)op.port;
}

int event_bind_interdomain(domid_t remote, evtchn_port_t port)
{
	struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = port };
	int rc = hv_event(EVTCHNOP_bind_interdomain, &op);

	return rc ? rc : (int)op.local_port;
}

int event_bind_virq(unsigned int virq, unsigned int vcpu)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
	int rc = hv_event(EVTCHNOP_bind_virq, &op);

	return rc ? rc : (int)op.port;
}

int event_bind_ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };
	int rc = hv_event(EVTCHNOP_bind_ipi, &op);

	return rc ? rc : (int)op.port;
}

int event_close(evtchn_port_t port)
{
	struct evtchn_close op = { .port = port };

	event_unbind(port);
	return hv_event(EVTCHNOP_close, &op);
}

int event_send(evtchn_port_t port)
{
	struct evtchn_send op = { .port = port };

	return hv_event(EVTCHNOP_send, &op);
}
