/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: its life, its vcpus, and what each subsystem hangs on it.
 *
 * Life: BUILDING -> RUNNING (<-> PAUSED) -> SHUTDOWN (the guest stopped, with a reason) -> DYING (torn down piece by piece
 * in SOFTIRQ_RECLAIM) -> freed when the last reference goes. A reboot is a new domain with the same spec and name.
 *
 * Locks: d->lock guards event channels and vcpu up/down; d->grant_lock the grant table; p2m.lock the guest's map. Order:
 * d->grant_lock, then p2m.lock; d->lock is taken alone (two domains' event locks: lower domid first).
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/vcpu.h>

#include <env.h>
#include <sched/cpu/cpusched.h>

#include <hv/cpu.h>
#include <hv/guest_mem.h>
#include <hv/p2m.h>
#include <hv/timer.h>

#define MAX_DOMAINS 512
#define MAX_VCPUS 16
#define DOMAIN_NAME_MAX 64
#define HVM_NR_PARAMS_KEPT 48

struct vcpu_arch; /* arch/x86: VMCB, registers, local APIC */
struct evtchn_table;
struct grant_table;
struct domain_console;
struct domain_store;
struct domain_watchdog;

enum domain_state { DOM_BUILDING, DOM_RUNNING, DOM_PAUSED, DOM_SHUTDOWN, DOM_DYING };
enum domain_stop { STOP_POWEROFF, STOP_REBOOT, STOP_SUSPEND, STOP_CRASH, STOP_WATCHDOG, STOP_SOFT_RESET, STOP_DESTROYED };

struct vcpu {
	uint32_t id;
	struct domain *domain;
	struct sched_item sched;
	_Atomic bool up;            /* started (boot vcpu, or INIT/SIPI, or VCPUOP_up) */
	_Atomic bool parked;        /* taken off the scheduler because it may not run: down, or its domain is paused */
	bool initialised;           /* VCPUOP_initialise was done: VCPUOP_up may follow */
	_Atomic bool blocked;       /* in HLT, SCHEDOP_block or poll */
	_Atomic int32_t running_on; /* cpu id while loaded, -1 otherwise */
	_Atomic uint32_t work;      /* VCPU_WORK_KICK set by others, looked at before each entry */

	/* shared with the guest: always reached through these direct-map pointers, whose frames are referenced */
	struct vcpu_info *info;     /* in the shared info page, or where VCPUOP_register_vcpu_info put it */
	void *info_page;            /* frame referenced for a registered vcpu_info, or NULL */
	uint64_t runstate_gva;      /* VCPUOP_register_runstate_memory_area; 0: none */
	struct vcpu_runstate_info runstate;
	uint8_t upcall_vector;      /* HVMOP_set_evtchn_upcall_vector; 0: use the domain's callback */

	struct timer singleshot;    /* VCPUOP_set_singleshot_timer */
	struct timer periodic;
	uint64_t periodic_ns;
	struct timer poll_timer;    /* SCHEDOP_poll's timeout */
	uint32_t virq_port[NR_VIRQS]; /* 0: unbound; written under d->lock */
	uint32_t poll_port;         /* SCHEDOP_poll: the port waited for, 0: none, ~0: several */

	struct vcpu_arch *arch;
};

#define VCPU_WORK_KICK (1u << 0) /* look again at events and interrupts */

struct domain {
	uint16_t id;
	char name[DOMAIN_NAME_MAX];
	uint8_t uuid[16];
	_Atomic uint32_t refs;
	_Atomic enum domain_state state;
	enum domain_stop stop_reason;
	bool control;               /* may issue control hypercalls */
	uint32_t nr_vcpus;
	struct vcpu *vcpus[MAX_VCPUS];

	uint64_t mem_bytes;         /* RAM promised at creation */
	_Atomic uint64_t pages;     /* RAM frames in its map now */
	struct p2m p2m;

	struct env_lock lock;
	struct evtchn_table *evtchn;
	struct shared_info *shared_info;
	uint64_t hvm_params[HVM_NR_PARAMS_KEPT];

	struct env_lock grant_lock;
	struct grant_table *grant;

	struct domain_console *console;
	struct domain_store *store;
	struct domain_watchdog *watchdog; /* SCHEDOP_watchdog, allocated at first use */
	uint8_t shutdown_code;      /* SCHEDOP_shutdown_code: enum domain_stop + 1, 0: none */

	uint64_t created_ns;
	uint64_t first_run_ns;
	_Atomic uint64_t cpu_ns;
	_Atomic bool stop_reported;
	uint64_t teardown_cursor;   /* how far its map has been emptied */
	struct domain *next_dying;
};

extern struct domain *domains[MAX_DOMAINS]; /* by id; entries change under domains_lock */
extern struct env_lock domains_lock;

/* A reference keeps the struct (not the guest's RAM in its map) alive. domain_get() of a dying domain gives NULL. */
struct domain *domain_get(uint16_t id);
struct domain *domain_find(const char *name);
void domain_put(struct domain *d);
static inline struct domain *domain_ref(struct domain *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
	return d;
}

/* An empty domain in state BUILDING with its map, vcpus (down), event and grant tables. -ENOMEM, -EEXIST (id or name), -EINVAL. */
int domain_create(uint16_t id, const char *name, uint64_t mem_bytes, uint32_t nr_vcpus, struct domain **out);
void domain_unpause(struct domain *d);
void domain_pause(struct domain *d);
/* The guest is done (or was made to stop): no vcpu of it runs again. Safe from a hypercall of its own. */
void domain_shutdown(struct domain *d, enum domain_stop reason);
/* Take it down: it is out of the table and off every CPU on return, its frames come back in the background. */
void domain_destroy(struct domain *d);
/* Bring back the frames of destroyed domains now, as far as nobody else holds them. */
void domain_reclaim_all(void);
/* The next domain that stopped by itself and was not yet returned here, or NULL. With a reference. */
struct domain *domain_next_stopped(void);
const char *domain_stop_name(enum domain_stop reason);

/* The vcpu has something to do: make it runnable if blocked, kick its CPU if it runs. */
void vcpu_wake(struct vcpu *v);
/* Stop running this vcpu until vcpu_wake(); called on its own CPU, outside of the guest. */
void vcpu_block(struct vcpu *v);

/* Every vcpu of it waits for an event: what it was given it has used. */
static inline bool domain_is_idle(const struct domain *d)
{
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		const struct vcpu *v = d->vcpus[i];

		if (atomic_load_explicit(&v->up, memory_order_relaxed) && !atomic_load_explicit(&v->blocked, memory_order_relaxed))
			return false;
	}
	return true;
}
/* The rest of its time slice goes to others; called on its own CPU. */
void vcpu_yield(struct vcpu *v);
/* Bring a secondary vcpu up or down (INIT/SIPI, VCPUOP_up/down). */
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
static inline struct vcpu *current_vcpu(void)
{
	return this_cpu()->current;
}

#endif
