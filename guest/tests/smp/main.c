/* SPDX-License-Identifier: BSD-2-Clause */
/* Further vcpus: by INIT and SIPI, by hypercall in both modes, up and down; events and IPIs between them. */
#include "test.h"
#include <errno.h>
#include "event.h"
#include "hypercall.h"
#include "smp.h"

const char test_title[] = "smp";
static volatile unsigned int alive, stop;
static volatile uint32_t seen_id;
static volatile unsigned long turns;

static void ap(void)
{
	struct cpuid_regs r = cpuid(1, 0);

	seen_id = r.ebx >> 24;
	alive++;
	while (!stop)
		turns++;
}

static void start(unsigned int vcpu, enum ap_mode mode)
{
	unsigned int before = alive;
	uint64_t end = clock_ns() + 2 * SEC;
	int rc = smp_start(vcpu, mode, ap);

	CHECK_EQ(rc, 0);
	while (alive == before && clock_ns() < end)
		cpu_pause();
	CHECK(alive == before + 1, "vcpu %u, mode %d did not start", vcpu, mode);
	CHECK_EQ(seen_id, apic_id_of(vcpu));
}

void test_main(void)
{
	unsigned long before;
	uint64_t end;

	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 0, NULL), 1);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 1, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 3, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 4000, NULL), -ENOENT);
	CHECK(hv_vcpu(VCPUOP_up, 1, NULL) < 0, "up before it was initialised");
	start(1, AP_SIPI);
	start(2, AP_PROTECTED);
	start(3, AP_LONG);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 1, NULL), 1);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 3, NULL), 1);
	CHECK(hv_vcpu(VCPUOP_initialise, 3, NULL) < 0, "initialised while up");
	before = turns;
	end = clock_ns() + 2 * SEC;
	while (turns == before && clock_ns() < end)
		cpu_pause();
	CHECK(turns != before, "the others do not run");
	CHECK_EQ(hv_vcpu(VCPUOP_down, 2, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 2, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_up, 2, NULL), 0);
	CHECK_EQ(hv_vcpu(VCPUOP_is_up, 2, NULL), 1);
	CHECK_EQ(hv_vcpu(999, 0, NULL), -ENOSYS);
	stop = 1;
}
