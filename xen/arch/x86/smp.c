/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs: INIT, STARTUP, one CPU at a time through a page below 1 MiB (boot.S, trampoline), which is
 * identity-mapped only meanwhile.
 */
#include "smp.h"

#include <string.h>

#include <hv/boot.h>
#include <hv/log.h>
#include <hv/timer.h>

#include "acpi_tables.h"
#include "apic.h"
#include "paging.h"
#include "traps.h"
#include "x86.h"

#define TRAMPOLINE_PAGE 0x8000UL
#define START_TIMEOUT_NS 4000000000UL /* an emulated CPU on a busy host takes its time */

struct cpu cpus[MAX_CPUS];
uint32_t nr_cpus = 1;
static bool released;

extern uint8_t trampoline_start[], trampoline_end[];
extern uint8_t trampoline_cr3[], trampoline_stack[], trampoline_cpu[];

void smp_init_boot_cpu(void)
{
	cpus[0].self = &cpus[0];
	wrmsr(MSR_GS_BASE, (uint64_t)&cpus[0]);
}

static void set_field(const uint8_t *field, uint64_t v)
{
	memcpy((uint8_t *)phys_to_virt(TRAMPOLINE_PAGE) + (field - trampoline_start), &v, sizeof(v));
}

static bool wait_online(const struct cpu *c, uint64_t timeout_ns)
{
	uint64_t end = time_now_ns() + timeout_ns;

	while (!__atomic_load_n(&c->online, __ATOMIC_ACQUIRE)) {
		if (time_now_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static bool start_one(struct cpu *c)
{
	set_field(trampoline_stack, (uint64_t)c->stack_top);
	set_field(trampoline_cpu, c->id);
	apic_send_init(c->apic_id);
	time_delay_us(200);
	for (int tries = 0; tries < 2; tries++) {
		apic_send_startup(c->apic_id, TRAMPOLINE_PAGE >> PAGE_SHIFT);
		if (wait_online(c, START_TIMEOUT_NS / 2))
			return true;
	}
	return false;
}

void smp_start_others(uint32_t limit)
{
	uint32_t ids[MAX_CPUS * 4];
	uint32_t n = acpi_cpu_ids(boot_info.rsdp, ids, ENV_ARRAY_SIZE(ids));

	if (!n)
		log_warn("smp: no usable ACPI tables: only the boot CPU is used");
	memcpy(phys_to_virt(TRAMPOLINE_PAGE), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	set_field(trampoline_cr3, paging_root());
	if (paging_root() >= 0x100000000UL)
		panic("page tables above 4 GiB");
	paging_identity(TRAMPOLINE_PAGE, true);
	if (limit > MAX_CPUS)
		limit = MAX_CPUS;
	for (uint32_t i = 0; i < n && nr_cpus < limit; i++) {
		struct cpu *c = &cpus[nr_cpus];

		if (ids[i] == cpus[0].apic_id)
			continue;
		c->self = c;
		c->id = nr_cpus;
		c->apic_id = ids[i];
		c->stack_top = paging_map_stack(c->id, 0, STACK_SIZE);
		if (start_one(c))
			nr_cpus++;
		else
			log_warn("smp: the CPU with APIC id %u does not start", ids[i]);
	}
	paging_identity(TRAMPOLINE_PAGE, false);
	log_info("smp: %u of %u CPUs", nr_cpus, n ? n : 1);
}

void smp_release(void)
{
	__atomic_store_n(&released, true, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < nr_cpus; i++)
		apic_send(cpus[i].apic_id, VECTOR_KICK);
}

void ap_start(uint64_t cpu)
{
	struct cpu *c = &cpus[cpu];

	wrmsr(MSR_GS_BASE, (uint64_t)c);
	paging_init_cpu();
	cpu_init(c);
	__atomic_store_n(&c->online, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		__asm__ volatile("sti; hlt; cli" : : : "memory"); /* spinning would take the boot CPU's time away when emulated */
	cpu_loop();
}

void cpu_kick(uint32_t cpu)
{
	struct cpu *c = &cpus[cpu];

	if (c->id != this_cpu()->id && (atomic_load(&c->in_guest) || atomic_load(&c->idle)))
		apic_send(c->apic_id, VECTOR_KICK);
}
