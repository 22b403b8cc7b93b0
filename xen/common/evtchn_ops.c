/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event channel hypercall: a const table of operations, each with the size of its argument and whether it is
 * written back. Answers and error numbers are those of Xen for a hardware-virtualised guest without a device model.
 */
#include <hv/hypercall.h>

#include "evtchn_priv.h"

#define RESET_BATCH 256

union evtchn_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
};

static int64_t op_alloc_unbound(struct vcpu *v, union evtchn_arg *u)
{
	struct evtchn_alloc_unbound *op = &u->alloc_unbound;
	struct domain *d = v->domain;
	struct evtchn *c;

	int rc = abi_self(v, op->dom);
	if (rc)
		return rc;
	env_lock(&d->lock);
	int port = evtchn_take(d, &c);
	if (port >= 0) {
		evtchn_set_state(d, c, PORT_UNBOUND);
		c->vcpu = 0;
		c->remote_id = op->remote_dom == DOMID_SELF ? d->id : op->remote_dom;
		op->port = (evtchn_port_t)port;
	}
	env_unlock(&d->lock);
	return port < 0 ? port : 0;
}

/* => both locks */
static int bind_pair(struct domain *d, struct domain *r, struct evtchn_bind_interdomain *op)
{
	struct evtchn *c;
	int port = evtchn_take(d, &c);

	if (port < 0)
		return port;
	struct evtchn *p = evtchn_at(r, op->remote_port);
	if (!p || p->state != PORT_UNBOUND || p->remote_id != d->id)
		return -EINVAL;
	evtchn_set_state(d, c, PORT_INTERDOMAIN);
	c->vcpu = 0;
	c->remote = r;
	c->remote_port = (uint16_t)op->remote_port;
	p->state = PORT_INTERDOMAIN;
	p->remote = d;
	p->remote_port = (uint16_t)port;
	op->local_port = (evtchn_port_t)port;
	/* What the other side sent before it was bound is lost: a first event makes this side look. */
	evtchn_set_pending(d, c, (uint32_t)port);
	return 0;
}

static int64_t op_bind_interdomain(struct vcpu *v, union evtchn_arg *u)
{
	struct evtchn_bind_interdomain *op = &u->bind_interdomain;
	struct domain *d = v->domain;
	struct domain *r = domain_get(op->remote_dom == DOMID_SELF ? d->id : op->remote_dom);

	if (!r)
		return op->remote_dom == 0 ? -EINVAL : -ESRCH;
	evtchn_lock_pair(d, r);
	int rc = bind_pair(d, r, op);
	evtchn_unlock_pair(d, r);
	domain_put(r);
	return rc;
}

static int bind_virq(struct domain *d, struct vcpu *v, uint32_t virq)
{
	struct evtchn *c;

	if (v->virq_port[virq])
		return -EEXIST;
	int port = evtchn_take(d, &c);
	if (port < 0)
		return port;
	evtchn_set_state(d, c, PORT_VIRQ);
	c->vcpu = (uint16_t)v->id;
	c->virq = (uint8_t)virq;
	v->virq_port[virq] = (uint32_t)port;
	return port;
}

static int64_t op_bind_virq(struct vcpu *v, union evtchn_arg *u)
{
	struct evtchn_bind_virq *op = &u->bind_virq;
	struct domain *d = v->domain;

	if (op->virq >= NR_VIRQS || (virq_is_global(op->virq) && op->vcpu != 0))
		return -EINVAL;
	struct vcpu *target = abi_vcpu(d, op->vcpu);
	if (!target)
		return -ENOENT;
	env_lock(&d->lock);
	int port = bind_virq(d, target, op->virq);
	env_unlock(&d->lock);
	if (port < 0)
		return port;
	op->port = (evtchn_port_t)port;
	return 0;
}

static int64_t op_bind_ipi(struct vcpu *v, union evtchn_arg *u)
{
	struct evtchn_bind_ipi *op = &u->bind_ipi;
	struct domain *d = v->domain;
	struct evtchn *c;

	if (!abi_vcpu(d, op->vcpu))
		return -ENOENT;
	env_lock(&d->lock);
	int port = evtchn_take(d, &c);
	if (port >= 0) {
		evtchn_set_state(d, c, PORT_IPI);
		c->vcpu = (uint16_t)op->vcpu;
		op->port = (evtchn_port_t)port;
	}
	env_unlock(&d->lock);
	return port < 0 ? port : 0;
}

static int64_t op_no_pirq(struct vcpu *v, union evtchn_arg *u)
{
	return -EINVAL;
}

static int64_t op_close(struct vcpu *v, union evtchn_arg *u)
{
	return evtchn_close(v->domain, u->close.port);
}

static int64_t op_send(struct vcpu *v, union evtchn_arg *u)
{
	return evtchn_send(v->domain, u->send.port);
}

static void fill_status(struct domain *d, const struct evtchn *c, struct evtchn_status *op)
{
	switch (c ? c->state : PORT_FREE) {
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = c->remote_id;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = c->remote->id;
		op->u.interdomain.port = c->remote_port;
		break;
	case PORT_HV:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = 0;
		op->u.interdomain.port = 0;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = c->virq;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	default:
		op->status = EVTCHNSTAT_closed;
	}
	op->vcpu = c ? c->vcpu : 0;
}

static int64_t op_status(struct vcpu *v, union evtchn_arg *u)
{
	struct evtchn_status *op = &u->status;
	struct domain *d = v->domain;

	int rc = abi_self(v, op->dom);
	if (rc)
		return rc;
	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, op->port);
	if (c || op->port == 0)
		fill_status(d, c, op);
	else
		rc = -EINVAL;
	env_unlock(&d->lock);
	return rc;
}

/* The port goes to another vcpu. What is pending stays with the old one, which has been told already. */
static int64_t op_bind_vcpu(struct vcpu *v, union evtchn_arg *u)
{
	const struct evtchn_bind_vcpu *op = &u->bind_vcpu;
	struct domain *d = v->domain;
	int rc = -EINVAL;

	if (!abi_vcpu(d, op->vcpu))
		return -ENOENT;
	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, op->port);
	switch (c ? c->state : PORT_FREE) {
	case PORT_VIRQ:
		if (!virq_is_global(c->virq))
			break;
		c->vcpu = (uint16_t)op->vcpu;
		rc = 0;
		break;
	case PORT_UNBOUND:
	case PORT_INTERDOMAIN:
	case PORT_HV:
		c->vcpu = (uint16_t)op->vcpu;
		rc = 0;
	}
	env_unlock(&d->lock);
	return rc;
}

static int64_t op_unmask(struct vcpu *v, union evtchn_arg *u)
{
	struct domain *d = v->domain;
	uint32_t port = u->unmask.port;

	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, port);
	if (c && c->state != PORT_FREE)
		evtchn_unmasked(d, c, port);
	env_unlock(&d->lock);
	return c ? 0 : -EINVAL;
}

/* Close all ports, some per pass: the cursor is the domain's, so vcpus that reset at once share the work. */
static int64_t op_reset(struct vcpu *v, union evtchn_arg *u)
{
	struct domain *d = v->domain;
	int rc = abi_self(v, u->reset.dom);

	if (rc)
		return rc;
	env_lock(&d->lock);
	uint32_t first = d->evtchn->reset_cursor;
	uint32_t last = first + RESET_BATCH;
	d->evtchn->reset_cursor = last < EVTCHN_PORTS ? last : 0;
	env_unlock(&d->lock);
	for (uint32_t port = first; port < last && port < EVTCHN_PORTS; port++)
		evtchn_close(d, port);
	return last < EVTCHN_PORTS ? HYPERCALL_AGAIN : 0;
}

struct op_entry {
	int64_t (*fn)(struct vcpu *v, union evtchn_arg *u);
	uint8_t size;
	bool write_back;
};

#define OP(field) sizeof(((union evtchn_arg *)0)->field)

static const struct op_entry ops[] = {
	[EVTCHNOP_bind_interdomain] = { op_bind_interdomain, OP(bind_interdomain), true },
	[EVTCHNOP_bind_virq] = { op_bind_virq, OP(bind_virq), true },
	[EVTCHNOP_bind_pirq] = { op_no_pirq, 0, false },
	[EVTCHNOP_close] = { op_close, OP(close), false },
	[EVTCHNOP_send] = { op_send, OP(send), false },
	[EVTCHNOP_status] = { op_status, OP(status), true },
	[EVTCHNOP_alloc_unbound] = { op_alloc_unbound, OP(alloc_unbound), true },
	[EVTCHNOP_bind_ipi] = { op_bind_ipi, OP(bind_ipi), true },
	[EVTCHNOP_bind_vcpu] = { op_bind_vcpu, OP(bind_vcpu), false },
	[EVTCHNOP_unmask] = { op_unmask, OP(unmask), false },
	[EVTCHNOP_reset] = { op_reset, OP(reset), false },
};

int64_t do_event_channel_op(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];
	union evtchn_arg u;

	if (cmd >= ENV_ARRAY_SIZE(ops) || !ops[cmd].fn)
		return -ENOSYS;
	const struct op_entry *op = &ops[cmd];
	if (gva_read(v, &u, gva(args->a[1]), op->size))
		return -EFAULT;
	int64_t rc = op->fn(v, &u);
	if (rc == 0 && op->write_back && gva_write(v, gva(args->a[1]), &u, op->size))
		return -EFAULT;
	return rc;
}
