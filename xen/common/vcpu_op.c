/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VCPUOP_*: bringing vcpus up and down, timers, and the pages through which a vcpu and the hypervisor speak.
 *
 * The vcpu_info lies in the shared info page until the guest registers a place of its own, once. Deliveries reach it
 * under d->lock, so the move happens under it; the old place stays valid as long as the domain.
 *
 * pvclock: guest time is hypervisor time, and TSCs are the same everywhere, so the parameters are constant for the life
 * of the machine. They are written once where the guest registers a place, and marked stable: Linux then reads the
 * clock in user space without entering anybody.
 */
#include <hv/hypercall.h>

#include <string.h>

#include <hv/subsys.h>

#include "abi.h"

#include <xen/hvm/hvm_vcpu.h>
#include <xen/sched.h>

#define PERIOD_MIN_NS 1000000UL
#define PERIOD_MAX_NS 30000000000000UL

static_assert(sizeof(struct vcpu_info) == 64, "vcpu_info");
static_assert(MAX_VCPUS <= XEN_LEGACY_MAX_VCPUS, "each vcpu has a slot in the shared info page");

/* --- time --- */

static void fill_time(struct vcpu_time_info *t)
{
	uint32_t mul;
	int8_t shift;

	time_ns_to_tsc_mul(&mul, &shift);
	memset(t, 0, sizeof(*t));
	t->version = 2;
	t->tsc_timestamp = boot_tsc;
	t->system_time = 0;
	t->tsc_to_system_mul = mul;
	t->tsc_shift = shift;
	t->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
}

void vcpu_time_update(struct vcpu *v)
{
	struct vcpu_time_info new;
	struct vcpu_time_info *t = &v->info->time;

	fill_time(&new);
	/* Odd while it changes: the guest reads again. */
	new.version = __atomic_load_n(&t->version, __ATOMIC_RELAXED) | 1;
	__atomic_store_n(&t->version, new.version, __ATOMIC_SEQ_CST);
	*t = new;
	__atomic_store_n(&t->version, new.version + 1, __ATOMIC_RELEASE);
}

void wallclock_update(struct domain *d)
{
	struct shared_info *s = d->shared_info;
	uint64_t ns = time_utc_ns() - time_now_ns(); /* UTC at system time zero */
	uint32_t version = __atomic_load_n(&s->wc_version, __ATOMIC_RELAXED) | 1;

	__atomic_store_n(&s->wc_version, version, __ATOMIC_SEQ_CST);
	s->wc_sec = (uint32_t)(ns / 1000000000);
	s->wc_sec_hi = (uint32_t)(ns / 1000000000 >> 32);
	s->wc_nsec = (uint32_t)(ns % 1000000000);
	__atomic_store_n(&s->wc_version, version + 1, __ATOMIC_RELEASE);
}

/* --- timers --- */

static void singleshot_fired(struct timer *t)
{
	struct vcpu *v = (struct vcpu *)((char *)t - offsetof(struct vcpu, singleshot));

	evtchn_send_virq(v, VIRQ_TIMER);
}

/*
 * Any vcpu may set or stop the periodic timer of another, and it sets itself anew on the CPU where it fired: one at a time,
 * since a timer that two CPUs arm at once would be in both their lists. Not once the domain is being destroyed.
 */
static void set_periodic(struct vcpu *v, uint64_t period_ns)
{
	struct domain *d = v->domain;

	env_lock(&d->lock);
	v->periodic_ns = period_ns;
	if (period_ns && d->state != DOM_DYING)
		timer_set(&v->periodic, time_now_ns() + period_ns);
	else
		timer_cancel(&v->periodic);
	env_unlock(&d->lock);
}

static void periodic_fired(struct timer *t)
{
	struct vcpu *v = (struct vcpu *)((char *)t - offsetof(struct vcpu, periodic));

	evtchn_send_virq(v, VIRQ_TIMER);
	/* Missed periods are not made up for. */
	set_periodic(v, v->periodic_ns);
}

static void poll_expired(struct timer *t)
{
	vcpu_wake((struct vcpu *)((char *)t - offsetof(struct vcpu, poll_timer)));
}

static int64_t op_set_periodic(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_set_periodic_timer op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.period_ns < PERIOD_MIN_NS || op.period_ns > PERIOD_MAX_NS)
		return -EINVAL;
	set_periodic(target, op.period_ns);
	return 0;
}

static int64_t op_stop_periodic(struct vcpu *v, struct vcpu *target, gva_t at)
{
	set_periodic(target, 0);
	return 0;
}

static int64_t op_set_singleshot(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_set_singleshot_timer op;

	if (target != v)
		return -EINVAL;
	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < time_now_ns())
		return -ETIME;
	timer_set(&v->singleshot, op.timeout_abs_ns);
	return 0;
}

static int64_t op_stop_singleshot(struct vcpu *v, struct vcpu *target, gva_t at)
{
	if (target != v)
		return -EINVAL;
	timer_cancel(&v->singleshot);
	return 0;
}

/* The older way to set the one-shot timer: the deadline itself, 0 to stop. */
int64_t do_set_timer_op(struct vcpu *v, struct hypercall_args *args)
{
	uint64_t deadline = args->a[0];

	if (deadline == 0)
		timer_cancel(&v->singleshot);
	else
		timer_set(&v->singleshot, deadline);
	return 0;
}

/* --- runstate --- */

static void runstate_snapshot(const struct vcpu *v, struct vcpu_runstate_info *out, uint64_t now_ns)
{
	*out = v->runstate;
	if (now_ns > out->state_entry_time)
		out->time[out->state] += now_ns - out->state_entry_time;
	out->state_entry_time = now_ns;
}

void vcpu_runstate_change(struct vcpu *v, int new_state, uint64_t now_ns)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (now_ns > r->state_entry_time)
		r->time[r->state] += now_ns - r->state_entry_time;
	r->state_entry_time = now_ns;
	r->state = new_state;
	/* A place the guest has unmapped since is its own loss. */
	if (new_state == RUNSTATE_running && v->runstate_gva)
		gva_write(v, gva(v->runstate_gva), r, sizeof(*r));
}

static int64_t op_get_runstate(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_runstate_info r;

	runstate_snapshot(target, &r, time_now_ns());
	return gva_write(v, at, &r, sizeof(r)) ? -EFAULT : 0;
}

static int64_t op_register_runstate(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_register_runstate_memory_area op;
	struct vcpu_runstate_info r;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (!op.addr.p) {
		target->runstate_gva = 0;
		return 0;
	}
	runstate_snapshot(target, &r, time_now_ns());
	if (gva_write(v, gva(op.addr.p), &r, sizeof(r)))
		return -EFAULT;
	target->runstate_gva = op.addr.p;
	return 0;
}

static int64_t op_register_time(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_register_time_memory_area op;
	struct vcpu_time_info t;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	fill_time(&t);
	if (op.addr.p && gva_write(v, gva(op.addr.p), &t, sizeof(t)))
		return -EFAULT;
	return 0;
}

/* --- vcpu_info --- */

void vcpu_info_init(struct vcpu *v)
{
	v->info = &v->domain->shared_info->vcpu_info[v->id];
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = time_now_ns();
	timer_init(&v->singleshot, singleshot_fired);
	timer_init(&v->periodic, periodic_fired);
	timer_init(&v->poll_timer, poll_expired);
	vcpu_time_update(v);
}

void vcpu_info_destroy(struct vcpu *v)
{
	struct domain *d = v->domain;

	timer_cancel(&v->singleshot);
	timer_cancel(&v->periodic);
	timer_cancel(&v->poll_timer);
	env_lock(&d->lock);
	v->info = d->shared_info ? &d->shared_info->vcpu_info[v->id] : NULL;
	env_unlock(&d->lock);
	if (v->info_page)
		put_page(v->info_page);
	v->info_page = NULL;
}

/* Move what was pending along, and make everything look pending: nothing that came meanwhile is lost. => d->lock */
static int move_info(struct vcpu *target, struct vcpu_info *new, void *page)
{
	ASSERT(lock_is_held(&target->domain->lock));
	if (target->info_page)
		return -EINVAL;
	*new = *target->info;
	target->info_page = page;
	__atomic_store_n(&target->info, new, __ATOMIC_RELEASE);
	evtchn_raise_all(target);
	return 0;
}

static int64_t op_register_info(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_register_vcpu_info op;
	struct domain *d = v->domain;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.offset > PAGE_SIZE - sizeof(struct vcpu_info) || op.offset % _Alignof(struct vcpu_info))
		return -EINVAL;
	if (target != v && target->up)
		return -EINVAL;
	uint8_t *page = gfn_get_page(d, op.mfn);
	if (!page)
		return -EINVAL;
	env_lock(&d->lock);
	int rc = move_info(target, (struct vcpu_info *)(page + op.offset), page);
	env_unlock(&d->lock);
	if (rc)
		put_page(page);
	else
		vcpu_time_update(target);
	return rc;
}

/* --- up and down --- */

static int64_t op_initialise(struct vcpu *v, struct vcpu *target, gva_t at)
{
	struct vcpu_hvm_context ctx;

	if (gva_read(v, &ctx, at, sizeof(ctx)))
		return -EFAULT;
	if (target->initialised || target->up)
		return -EEXIST;
	int rc = vcpu_arch_set_context(target, &ctx);
	if (!rc)
		target->initialised = true;
	return rc;
}

static int64_t op_up(struct vcpu *v, struct vcpu *target, gva_t at)
{
	if (target->up)
		return 0;
	if (!target->initialised)
		return -EINVAL;
	vcpu_up(target);
	return 0;
}

static int64_t op_down(struct vcpu *v, struct vcpu *target, gva_t at)
{
	if (!target->up)
		return 0;
	/* It stops where it stands, so it can come up again from there. */
	target->initialised = true;
	vcpu_down(target);
	int32_t cpu = atomic_load(&target->running_on);
	if (cpu >= 0) {
		atomic_store(&cpus[cpu].need_resched, true);
		cpu_kick((uint32_t)cpu);
	}
	return 0;
}

static int64_t op_is_up(struct vcpu *v, struct vcpu *target, gva_t at)
{
	return target->up;
}

static int64_t op_send_nmi(struct vcpu *v, struct vcpu *target, gva_t at)
{
	vcpu_arch_nmi(target);
	return 0;
}

static int64_t op_not_pinned(struct vcpu *v, struct vcpu *target, gva_t at)
{
	return -EINVAL;
}

typedef int64_t (*vcpu_op_fn)(struct vcpu *v, struct vcpu *target, gva_t at);

static const vcpu_op_fn ops[] = {
	[VCPUOP_initialise] = op_initialise,
	[VCPUOP_up] = op_up,
	[VCPUOP_down] = op_down,
	[VCPUOP_is_up] = op_is_up,
	[VCPUOP_get_runstate_info] = op_get_runstate,
	[VCPUOP_register_runstate_memory_area] = op_register_runstate,
	[VCPUOP_set_periodic_timer] = op_set_periodic,
	[VCPUOP_stop_periodic_timer] = op_stop_periodic,
	[VCPUOP_set_singleshot_timer] = op_set_singleshot,
	[VCPUOP_stop_singleshot_timer] = op_stop_singleshot,
	[VCPUOP_register_vcpu_info] = op_register_info,
	[VCPUOP_send_nmi] = op_send_nmi,
	[VCPUOP_get_physid] = op_not_pinned,
	[VCPUOP_register_vcpu_time_memory_area] = op_register_time,
};

int64_t do_vcpu_op(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];
	struct vcpu *target = abi_vcpu(v->domain, (uint32_t)args->a[1]);

	if (!target)
		return -ENOENT;
	if (cmd >= ENV_ARRAY_SIZE(ops) || !ops[cmd])
		return -ENOSYS;
	return ops[cmd](v, target, gva(args->a[2]));
}
