/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the table, birth and death (their life is in hv/domain.h's head).
 *
 * Death has two halves. domain_destroy() takes the domain off the CPUs and out of the table, and cuts every tie that has
 * its number (vif, store, console, event channels), so that the number can be used again at once. Its RAM follows in
 * SOFTIRQ_RECLAIM, a bounded piece each time; a frame that a card or a neighbour still uses is freed by its last user.
 */
#include "domain.h"

#include <errno.h>
#include <string.h>

#include <hv/arch.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include <net/net.h>

#include "frame.h"
#include "sched.h"

#define RECLAIM_FRAMES 1024

struct domain *domains[MAX_DOMAINS];
struct env_lock domains_lock;
static struct domain *dying;
static uint64_t next_uuid = 1;

const char *domain_stop_name(enum domain_stop reason)
{
	static const char *const names[] = {
		[STOP_POWEROFF] = "poweroff", [STOP_REBOOT] = "reboot", [STOP_SUSPEND] = "suspend", [STOP_CRASH] = "crash",
		[STOP_WATCHDOG] = "watchdog", [STOP_SOFT_RESET] = "soft reset", [STOP_DESTROYED] = "destroyed",
	};

	return reason < ENV_ARRAY_SIZE(names) ? names[reason] : "unknown";
}

struct domain *domain_get(uint16_t id)
{
	struct domain *d = NULL;

	env_lock(&domains_lock);
	if (id < MAX_DOMAINS && domains[id])
		d = domain_ref(domains[id]);
	env_unlock(&domains_lock);
	return d;
}

struct domain *domain_find(const char *name)
{
	struct domain *d = NULL;

	env_lock(&domains_lock);
	for (uint32_t i = 0; i < MAX_DOMAINS && !d; i++)
		if (domains[i] && !strcmp(domains[i]->name, name))
			d = domain_ref(domains[i]);
	env_unlock(&domains_lock);
	return d;
}

static void vcpu_free(struct vcpu *v)
{
	if (!v)
		return;
	timer_end(&v->singleshot);
	timer_end(&v->periodic);
	timer_end(&v->poll_timer);
	vcpu_info_destroy(v);
	vcpu_arch_destroy(v);
	env_free(v, sizeof(*v));
}

static void domain_free(struct domain *d)
{
	for (uint32_t i = 0; i < d->nr_vcpus; i++)
		vcpu_free(d->vcpus[i]);
	if (d->grant)
		grant_destroy(d);
	if (d->evtchn)
		evtchn_destroy(d);
	if (d->shared_info)
		put_page(d->shared_info);
	p2m_destroy(&d->p2m);
	env_free(d, sizeof(*d));
}

void domain_put(struct domain *d)
{
	if (d && atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) == 1)
		domain_free(d);
}

static int vcpu_create(struct domain *d, uint32_t id)
{
	struct vcpu *v = env_alloc(sizeof(*v));

	if (!v)
		return -ENOMEM;
	d->vcpus[id] = v;
	d->nr_vcpus = id + 1;
	v->id = id;
	v->domain = d;
	v->running_on = -1;
	v->blocked = id != 0;
	v->parked = id == 0;
	v->up = id == 0;
	v->sched.affinity = CPUSCHED_ANY_CPU;
	v->sched.weight = CPUSCHED_WEIGHT_DEFAULT;
	vcpu_info_init(v);
	return vcpu_arch_init(v);
}

static int domain_fill(struct domain *d, uint32_t nr_vcpus)
{
	int ret = p2m_init(&d->p2m);
	paddr_t shared = ret ? INVALID_PADDR : frame_alloc_zeroed();

	if (shared == INVALID_PADDR)
		return -ENOMEM;
	d->shared_info = phys_to_virt(shared);
	/* Twice what its RAM needs if every piece of it is split, and some for rings and foreign frames anywhere. */
	d->p2m.table_max = 64 + 2 * (d->mem_bytes >> SUPER_SHIFT);
	ret = evtchn_init(d);
	if (!ret)
		ret = grant_init(d);
	for (uint32_t i = 0; i < nr_vcpus && !ret; i++, arch_irq_window())
		ret = vcpu_create(d, i);
	for (uint32_t i = 0; i < nr_vcpus && !ret; i++)
		ret = cpusched_item_add(the_cpusched, &d->vcpus[i]->sched);
	return ret;
}

static void leave_scheduler(struct domain *d)
{
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		struct vcpu *v = d->vcpus[i];

		if (!v || !v->sched.all.next)
			continue;
		/* Its CPU may still have it as current until its next pick. */
		while (cpusched_item_remove(the_cpusched, &v->sched) == -EBUSY) {
			if (v->sched.cpu == (int16_t)this_cpu()->id) {
				schedule();
				continue;
			}
			atomic_store(&cpus[v->sched.cpu].need_resched, true);
			cpu_kick((uint32_t)v->sched.cpu);
			__builtin_ia32_pause();
		}
	}
}

int domain_create(uint16_t id, const char *name, uint64_t mem_bytes, uint32_t nr_vcpus, struct domain **out)
{
	struct domain *d;
	bool taken = false;
	int ret;

	if (!id || id >= MAX_DOMAINS || !nr_vcpus || nr_vcpus > MAX_VCPUS || strlen(name) >= DOMAIN_NAME_MAX)
		return -EINVAL;
	d = env_alloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->id = id;
	d->refs = 1;
	d->state = DOM_BUILDING;
	d->mem_bytes = mem_bytes;
	d->created_ns = time_now_ns();
	memcpy(d->name, name, strlen(name));
	env_lock(&domains_lock);
	memcpy(d->uuid, "VFRv2\0\0\0", 8);
	memcpy(d->uuid + 8, &next_uuid, 8);
	next_uuid++;
	for (uint32_t i = 0; i < MAX_DOMAINS; i++)
		taken |= domains[i] && (i == id || !strcmp(domains[i]->name, name));
	env_unlock(&domains_lock);
	ret = taken ? -EEXIST : domain_fill(d, nr_vcpus);
	if (ret) {
		leave_scheduler(d);
		domain_put(d);
		return ret;
	}
	env_lock(&domains_lock);
	domains[id] = d;
	env_unlock(&domains_lock);
	*out = d;
	return 0;
}

void domain_shutdown(struct domain *d, enum domain_stop reason)
{
	enum domain_state was = atomic_load(&d->state);

	do {
		if (was != DOM_RUNNING && was != DOM_PAUSED)
			return;
	} while (!atomic_compare_exchange_weak(&d->state, &was, DOM_SHUTDOWN));
	d->stop_reason = reason;
	log_info("dom%u '%s' stopped: %s", d->id, d->name, domain_stop_name(reason));
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		int32_t cpu = atomic_load(&d->vcpus[i]->running_on);
		if (cpu < 0)
			continue;
		atomic_store(&cpus[cpu].need_resched, true);
		cpu_kick((uint32_t)cpu);
	}
	softirq_raise_on(0, SOFTIRQ_CONTROL);
}

struct domain *domain_next_stopped(void)
{
	struct domain *d = NULL;

	env_lock(&domains_lock);
	for (uint32_t i = 0; i < MAX_DOMAINS && !d; i++)
		if (domains[i] && atomic_load(&domains[i]->state) == DOM_SHUTDOWN && !atomic_exchange(&domains[i]->stop_reported, true))
			d = domain_ref(domains[i]);
	env_unlock(&domains_lock);
	return d;
}

void domain_destroy(struct domain *d)
{
	env_lock(&domains_lock);
	bool first = domains[d->id] == d;
	if (first)
		domains[d->id] = NULL;
	env_unlock(&domains_lock);
	if (!first)
		return;
	atomic_store(&d->state, DOM_DYING);
	leave_scheduler(d);
	env_lock(&d->lock); /* a periodic timer that fires just now does not set itself again */
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		timer_cancel(&d->vcpus[i]->singleshot);
		timer_cancel(&d->vcpus[i]->periodic);
		timer_cancel(&d->vcpus[i]->poll_timer);
	}
	env_unlock(&d->lock);
	net_vif_destroy(d);
	store_domain_destroy(d);
	console_destroy(d);
	evtchn_destroy(d);
	grant_destroy(d);
	watchdog_destroy(d);
	env_lock(&domains_lock);
	d->next_dying = dying;
	dying = d;
	env_unlock(&domains_lock);
	softirq_raise(SOFTIRQ_RECLAIM);
}

/* One bounded piece of work on the first dying domain; false when there is none. */
static bool reclaim_some(unsigned frames)
{
	env_lock(&domains_lock);
	struct domain *d = dying;
	if (d)
		dying = d->next_dying;
	env_unlock(&domains_lock);
	if (!d)
		return false;
	if (p2m_teardown(d, &d->teardown_cursor, frames)) {
		log_debug("dom%u '%s' is gone, %lu MiB free", d->id, d->name, mm_free_bytes() >> 20);
		domain_put(d);
		return true;
	}
	env_lock(&domains_lock);
	d->next_dying = dying;
	dying = d;
	env_unlock(&domains_lock);
	return true;
}

void domain_reclaim_softirq(void)
{
	if (reclaim_some(RECLAIM_FRAMES))
		softirq_raise(SOFTIRQ_RECLAIM);
}

void domain_reclaim_all(void)
{
	while (reclaim_some(RECLAIM_FRAMES))
		arch_irq_window();
}
