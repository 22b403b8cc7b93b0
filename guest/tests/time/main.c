/* SPDX-License-Identifier: BSD-2-Clause */
/* Time: the shared clock never goes back and keeps pace with the TSC; timers fire at their time, past ones at once. */
#include "test.h"
#include <errno.h>
#include "event.h"
#include "hypercall.h"

const char test_title[] = "time";
static volatile unsigned int fired;

static void on_timer(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	fired++;
}

static void clock(void)
{
	uint64_t last = clock_ns(), now, t0 = last, wall;
	unsigned int i;

	for (i = 0; i < 20000; i++, last = now) {
		now = clock_ns();
		CHECK(now >= last, "back by %lu ns", last - now);
	}
	CHECK(last > t0, "stands still");
	wall = clock_wall_ns() / SEC;
	CHECK(wall > 1700000000ul && wall < 4000000000ul, "wall clock %lu", wall);
	CHECK(shared_info->vcpu_info[0].time.tsc_to_system_mul, "-");
}

static int set(uint64_t when, uint32_t flags)
{
	struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = when, .flags = flags };

	return hv_vcpu(VCPUOP_set_singleshot_timer, 0, &t);
}

/* Awake, so that a lost timer is a failure and no endless sleep. */
static bool await_timer(void)
{
	uint64_t end = clock_ns() + 5 * SEC;

	while (!fired && clock_ns() < end)
		cpu_pause();
	return fired;
}

/* Asleep until the timer comes: what an idle system does. */
static void sleeping(void)
{
	uint64_t t0 = clock_ns();

	CHECK(!WAIT_UNTIL_TIMEOUT(false, 30 * MSEC), "-");
	CHECK(clock_ns() - t0 >= 30 * MSEC, "woke %lu ns early", t0 + 30 * MSEC - clock_ns());
}

static void singleshot(void)
{
	static const uint64_t waits[] = { 1, 1000, 100000, 1 * MSEC, 10 * MSEC, 100 * MSEC };
	unsigned int i;
	uint64_t t0;
	int port = event_bind_virq(VIRQ_TIMER, 0);

	CHECK(port > 0, "%d", port);
	event_bind((evtchn_port_t)port, on_timer, NULL);
	hv_vcpu(VCPUOP_stop_periodic_timer, 0, NULL);
	for (i = 0; i < ARRAY_LEN(waits); i++) {
		fired = 0;
		t0 = clock_ns();
		CHECK_EQ(set(t0 + waits[i], 0), 0);
		CHECK(await_timer(), "the timer of %lu ns did not fire", waits[i]);
		CHECK(clock_ns() - t0 >= waits[i], "%lu ns early", t0 + waits[i] - clock_ns());
		CHECK(clock_ns() - t0 < waits[i] + SEC, "%lu ns late", clock_ns() - t0 - waits[i]);
		CHECK_EQ(fired, 1);
	}
	fired = 0;
	CHECK_EQ(set(1, 0), 0);
	CHECK(await_timer(), "a time that is past did not fire");
	/* Asked to refuse the past, a host may do so (ETIME) or fire at once. */
	CHECK(set(1, VCPU_SSHOTTMR_future) == 0 || set(1, VCPU_SSHOTTMR_future) == -62, "-");
	/* A new time replaces the old; stopping stops. */
	fired = 0;
	set(clock_ns() + 20 * MSEC, 0);
	CHECK_EQ(hv_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	t0 = clock_ns();
	while (clock_ns() - t0 < 60 * MSEC)
		cpu_pause();
	CHECK_EQ(fired, 0);
	CHECK_EQ(set(~0ul, 0), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_set_singleshot_timer, 0, NOWHERE), -EFAULT);
	CHECK(hv_vcpu(VCPUOP_set_singleshot_timer, 4000, NULL) < 0, "-");
	CHECK_EQ(event_close((evtchn_port_t)port), 0);
}

void test_main(void)
{
	clock();
	singleshot();
	sleeping();
}
