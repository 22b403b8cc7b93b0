/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vcpu that looks for work and falls asleep when there is none, woken at every instant of that by another: an event between
 * STI and HLT wakes it too.
 */
#include "test.h"
#include "event.h"
#include "hypercall.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "smp-halt";
#define ROUNDS 10000
#define LIMIT  (15 * SEC) /* two vcpus on one CPU have a round a time slice */
static volatile unsigned int work, done, up;
static int to_second;
static trap_fn kernel_upcall;
static uint8_t second_id;

/* The kernel's own handler knows vcpu 0 alone. */
static void upcall(struct trap_frame *f)
{
	struct vcpu_info *v = &shared_info->vcpu_info[1];

	if ((cpuid(1, 0).ebx >> 24) != second_id) {
		kernel_upcall(f);
		return;
	}
	WRITE_ONCE(v->evtchn_upcall_pending, 0);
	__atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	event_take((evtchn_port_t)to_second);
}

/*
 * Look, take a while, fall asleep. An emulator sees interrupts between blocks of code: one that came during this one is seen
 * between STI and HLT.
 */
static void second(void)
{
	up = 1;
	for (;;) {
		cpu_cli();
		if (work == done)
			__asm__ volatile(".rept 400\n rdtsc\n .endr\n sti\n hlt" : : : "rax", "rdx", "memory");
		cpu_sti();
		done = work;
	}
}

static bool spin_until(const volatile unsigned int *p, unsigned int want)
{
	uint64_t end = clock_ns() + 10 * SEC;

	while (*p != want && clock_ns() < end)
		cpu_pause();
	return *p == want;
}

void test_main(void)
{
	uint64_t seed = 7;
	int id = apic_id_of(1);
	uint64_t end = clock_ns() + LIMIT;
	unsigned int i;

	CHECK(id > 0, "%d", id);
	second_id = (uint8_t)id;
	kernel_upcall = trap_set(VECTOR_EVENT, upcall);
	to_second = event_bind_ipi(1);
	CHECK(to_second > 0, "%d", to_second);
	CHECK_EQ(smp_start(1, AP_SIPI, second), 0);
	CHECK(spin_until(&up, 1), "the second vcpu does not run");
	event_unmask((evtchn_port_t)to_second);
	for (i = 1; i <= ROUNDS && clock_ns() < end; i++) {
		for (unsigned int wait = (unsigned int)(test_random(&seed) % 64); wait; wait--)
			cpu_pause();
		work = i;
		hv_notify((evtchn_port_t)to_second);
		if (!spin_until(&done, i))
			break;
	}
	CHECK(done == work, "round %u: the second vcpu sleeps on its work", i);
	CHECK(i > 10, "%u", i);
}
