/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCHEDOP_*: giving the CPU away, waiting, stopping the domain, and its watchdogs.
 */
#include <hv/hypercall.h>

#include <hv/subsys.h>

#include "abi.h"

#include <xen/sched.h>

#define POLL_PORTS_MAX 128
#define WATCHDOGS 2

/* A deadline after which the domain is stopped. `set`: under d->lock */
struct watchdog {
	struct timer timer;
	struct domain *domain;
	bool set;
};

struct domain_watchdog {
	struct watchdog dog[WATCHDOGS];
};

static int64_t op_yield(struct vcpu *v, gva_t at)
{
	vcpu_yield(v);
	return 0;
}

static int64_t op_block(struct vcpu *v, gva_t at)
{
	vcpu_block(v);
	return 0;
}

static int64_t op_poll(struct vcpu *v, gva_t at)
{
	struct sched_poll op;
	uint32_t ports[POLL_PORTS_MAX];

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (op.nr_ports && gva_read(v, ports, gva_of(op.ports.p), op.nr_ports * sizeof(ports[0])))
		return -EFAULT;
	return evtchn_poll(v, ports, op.nr_ports, op.timeout);
}

/* --- stopping --- */

static const enum domain_stop stops[] = {
	[SHUTDOWN_poweroff] = STOP_POWEROFF,
	[SHUTDOWN_reboot] = STOP_REBOOT,
	[SHUTDOWN_suspend] = STOP_SUSPEND,
	[SHUTDOWN_crash] = STOP_CRASH,
	[SHUTDOWN_watchdog] = STOP_WATCHDOG,
	[SHUTDOWN_soft_reset] = STOP_SOFT_RESET,
};

/* A reason that nobody knows is a crash. */
static enum domain_stop stop_of(uint32_t reason)
{
	return reason < ENV_ARRAY_SIZE(stops) ? stops[reason] : STOP_CRASH;
}

static int64_t op_shutdown(struct vcpu *v, gva_t at)
{
	struct domain *d = v->domain;
	struct sched_shutdown op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	domain_shutdown(d, d->shutdown_code ? (enum domain_stop)(d->shutdown_code - 1) : stop_of(op.reason));
	return 0;
}

/* The reason of the stop that will come, said beforehand. */
static int64_t op_shutdown_code(struct vcpu *v, gva_t at)
{
	struct sched_shutdown op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	v->domain->shutdown_code = (uint8_t)(stop_of(op.reason) + 1);
	return 0;
}

static int64_t op_remote_shutdown(struct vcpu *v, gva_t at)
{
	struct sched_remote_shutdown op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	int rc = abi_self(v, op.domain_id);
	return rc ? rc : -EPERM;
}

/* --- watchdogs --- */

static void watchdog_fired(struct timer *t)
{
	struct watchdog *w = (struct watchdog *)((char *)t - offsetof(struct watchdog, timer));

	log_warn("dom%u '%s': watchdog expired", w->domain->id, w->domain->name);
	domain_shutdown(w->domain, STOP_WATCHDOG);
}

static struct domain_watchdog *watchdog_of(struct domain *d)
{
	struct domain_watchdog *new = NULL;

	if (!d->watchdog) {
		new = env_alloc(sizeof(*new));
		if (!new)
			return NULL;
		for (unsigned i = 0; i < WATCHDOGS; i++) {
			timer_init(&new->dog[i].timer, watchdog_fired);
			new->dog[i].domain = d;
		}
	}
	env_lock(&d->lock);
	if (!d->watchdog) {
		d->watchdog = new;
		new = NULL;
	}
	env_unlock(&d->lock);
	env_free(new, sizeof(*new));
	return d->watchdog;
}

/* => d->lock: two vcpus must not arm one timer at once */
static void watchdog_arm(struct watchdog *w, uint32_t timeout_s)
{
	ASSERT(lock_is_held(&w->domain->lock));
	timer_set(&w->timer, time_now_ns() + timeout_s * 1000000000UL);
}

static int watchdog_start(struct domain *d, uint32_t timeout_s)
{
	struct watchdog *w = d->watchdog->dog;
	int id = 0;

	if (!timeout_s)
		return -EINVAL;
	env_lock(&d->lock);
	while (id < WATCHDOGS && w[id].set)
		id++;
	if (id < WATCHDOGS) {
		w[id].set = true;
		watchdog_arm(&w[id], timeout_s);
	}
	env_unlock(&d->lock);
	return id < WATCHDOGS ? id + 1 : -ENOSPC;
}

static int watchdog_change(struct domain *d, struct watchdog *w, uint32_t timeout_s)
{
	env_lock(&d->lock);
	bool was_set = w->set;
	w->set = was_set && timeout_s;
	if (w->set)
		watchdog_arm(w, timeout_s);
	else
		timer_cancel(&w->timer);
	env_unlock(&d->lock);
	return was_set ? 0 : -EINVAL;
}

static int64_t op_watchdog(struct vcpu *v, gva_t at)
{
	struct sched_watchdog op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.id > WATCHDOGS)
		return -EINVAL;
	struct domain_watchdog *w = watchdog_of(v->domain);
	if (!w)
		return -ENOMEM;
	return op.id ? watchdog_change(v->domain, &w->dog[op.id - 1], op.timeout) : watchdog_start(v->domain, op.timeout);
}

void watchdog_destroy(struct domain *d)
{
	struct domain_watchdog *w = d->watchdog;

	if (!w)
		return;
	for (unsigned i = 0; i < WATCHDOGS; i++)
		timer_end(&w->dog[i].timer);
	d->watchdog = NULL;
	env_free(w, sizeof(*w));
}

typedef int64_t (*sched_op_fn)(struct vcpu *v, gva_t at);

static int64_t op_pin_override(struct vcpu *v, gva_t at)
{
	return -EPERM;
}

static const sched_op_fn ops[] = {
	[SCHEDOP_yield] = op_yield,
	[SCHEDOP_block] = op_block,
	[SCHEDOP_shutdown] = op_shutdown,
	[SCHEDOP_poll] = op_poll,
	[SCHEDOP_remote_shutdown] = op_remote_shutdown,
	[SCHEDOP_shutdown_code] = op_shutdown_code,
	[SCHEDOP_watchdog] = op_watchdog,
	[SCHEDOP_pin_override] = op_pin_override,
};

int64_t do_sched_op(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];

	if (cmd >= ENV_ARRAY_SIZE(ops) || !ops[cmd])
		return -ENOSYS;
	return ops[cmd](v, gva(args->a[1]));
}
