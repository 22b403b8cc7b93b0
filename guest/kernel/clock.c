/* SPDX-License-Identifier: BSD-2-Clause */
/* Time from the page that the hypervisor keeps: a base and a scale for the time-stamp counter; no hypercall, no exit. */
#include "event.h"
#include "hypercall.h"
#include "kernel.h"

static int timer_port;

uint64_t clock_ns(void)
{
	const struct vcpu_time_info *t = &shared_info->vcpu_info[0].time;
	uint32_t version;
	uint64_t ns;

	do {
		uint64_t delta;

		version = READ_ONCE(t->version);
		rmb();
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
		rmb();
	} while ((version & 1) || version != READ_ONCE(t->version));
	return ns;
}

uint64_t clock_wall_ns(void)
{
	uint64_t sec, nsec;
	uint32_t version;

	do {
		version = READ_ONCE(shared_info->wc_version);
		rmb();
		sec = (uint64_t)shared_info->wc_sec_hi << 32 | shared_info->wc_sec;
		nsec = shared_info->wc_nsec;
		rmb();
	} while ((version & 1) || version != READ_ONCE(shared_info->wc_version));
	return sec * SEC + nsec + clock_ns();
}

void timer_wake_at(uint64_t deadline_ns)
{
	struct vcpu_set_singleshot_timer set = { .timeout_abs_ns = deadline_ns };

	if (!timer_port) {
		timer_port = event_bind_virq(VIRQ_TIMER, 0);
		if (timer_port < 0)
			panic("no timer event: %d", timer_port);
		hv_vcpu(VCPUOP_stop_periodic_timer, 0, NULL);
		event_bind((evtchn_port_t)timer_port, NULL, NULL);
	}
	hv_vcpu(VCPUOP_set_singleshot_timer, 0, &set);
}
