/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vcpus that wake each other from sleep: by event channel and by APIC; and an event moved from one vcpu to the other. */
#include "test.h"
#include "event.h"
#include "hypercall.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "smp-ipi";
#define ROUNDS 300
static volatile unsigned int second_events, second_ipis, first_events, up;
static int to_second, to_first;
static trap_fn kernel_upcall;
static uint8_t second_id;

static bool on_second(void)
{
	return (cpuid(1, 0).ebx >> 24) == second_id;
}

/* The kernel's own handler knows vcpu 0 alone. */
static void upcall(struct trap_frame *f)
{
	struct vcpu_info *v = &shared_info->vcpu_info[1];

	if (!on_second()) {
		kernel_upcall(f);
		return;
	}
	WRITE_ONCE(v->evtchn_upcall_pending, 0);
	__atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	if (event_take((evtchn_port_t)to_second)) {
		second_events++;
		hv_notify((evtchn_port_t)to_first);
	}
}

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	second_ipis += on_second();
	apic_write(APIC_EOI, 0);
}

static void on_answer(evtchn_port_t port, void *arg)
{
	(void)port;
	(void)arg;
	first_events++;
}

static void second(void)
{
	apic_write(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	up = 1;
	for (;;)
		cpu_sti_hlt();
}

/* Wait without sleeping: not every answer raises an event here. */
static bool spin_until(const volatile unsigned int *p, unsigned int want)
{
	uint64_t end = clock_ns() + 3 * SEC;

	while (*p < want && clock_ns() < end)
		cpu_pause();
	return *p >= want;
}

static void ping_pong(void)
{
	uint64_t t0 = clock_ns();
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		hv_notify((evtchn_port_t)to_second);
		if (!WAIT_UNTIL_TIMEOUT(first_events >= i, 3 * SEC))
			break;
	}
	CHECK(i > ROUNDS, "round %u did not come back: the second vcpu saw %u events", i, second_events);
	test_bench("event_ping_pong_ns", (clock_ns() - t0) / ROUNDS);
}

static void moved(void)
{
	struct evtchn_bind_vcpu bind = { .vcpu = 1 };
	int port = event_alloc_unbound(DOMID_SELF), other;
	struct evtchn_status s = { .dom = DOMID_SELF };

	other = event_bind_interdomain(DOMID_SELF, (evtchn_port_t)port);
	bind.port = s.port = (evtchn_port_t)other;
	CHECK_EQ(hv_event(EVTCHNOP_bind_vcpu, &bind), 0);
	CHECK_EQ(hv_event(EVTCHNOP_status, &s), 0);
	CHECK_EQ(s.vcpu, 1);
	/* Its events now raise the second vcpu's selector, not ours. */
	event_mask((evtchn_port_t)other);
	event_take((evtchn_port_t)other);
	event_unmask((evtchn_port_t)other);
	CHECK_EQ(event_send((evtchn_port_t)port), 0);
	CHECK(event_pending((evtchn_port_t)other), "-");
	event_close((evtchn_port_t)other);
	event_close((evtchn_port_t)port);
}

void test_main(void)
{
	unsigned int i;
	int id = apic_id_of(1);

	CHECK(id > 0, "%d", id);
	second_id = (uint8_t)id;
	kernel_upcall = trap_set(VECTOR_EVENT, upcall);
	trap_set(VECTOR_TEST, on_ipi);
	to_second = event_bind_ipi(1);
	to_first = event_bind_ipi(0);
	CHECK(to_second > 0 && to_first > 0, "%d %d", to_second, to_first);
	event_bind((evtchn_port_t)to_first, on_answer, NULL);
	CHECK_EQ(smp_start(1, AP_SIPI, second), 0);
	CHECK(spin_until(&up, 1), "the second vcpu does not run");
	event_unmask((evtchn_port_t)to_second);
	ping_pong();
	for (i = 1; i <= 20; i++) {
		apic_ipi((uint32_t)id, 0x4000 | VECTOR_TEST);
		CHECK(spin_until(&second_ipis, i), "interrupt %u did not come", i);
	}
	moved();
}
