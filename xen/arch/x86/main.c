/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's hand-over to the CPU loop. Each step needs the ones above it, and nothing below.
 */
#include <string.h>

#include <hv/boot.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/subsys.h>

#include <common/control_machine.h>
#include <common/frame.h>
#include <common/sched.h>
#include <drivers/drivers.h>
#include <net/net.h>

#include "apic.h"
#include "irq_init.h"
#include "multiboot.h"
#include "paging.h"
#include "smp.h"
#include "time.h"
#include "traps.h"
#include "uart.h"
#include "vcpu.h"
#include "x86.h"

#ifndef VFR_VERSION
#define VFR_VERSION "unknown"
#endif

extern char image_start[], image_end[];
extern uint64_t boot_magic, boot_info_pa;

_Noreturn void hv_start(void);

static uint32_t option_number(const char *name, uint32_t otherwise)
{
	char buf[16];
	uint32_t n = 0;

	if (!boot_option(name, buf, sizeof(buf)) || !buf[0])
		return otherwise;
	for (const char *p = buf; *p; p++) {
		if (*p < '0' || *p > '9' || n > 100000) {
			log_warn("boot: option %s=%s is not a number", name, buf);
			return otherwise;
		}
		n = n * 10 + (uint32_t)(*p - '0');
	}
	return n;
}

/* console=com1 (default) or none; loglevel=error, warn, info, debug. */
static void apply_log_options(void)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	char buf[16];

	if (boot_option("console", buf, sizeof(buf)))
		uart_enable(strcmp(buf, "none") != 0);
	if (!boot_option("loglevel", buf, sizeof(buf)))
		return;
	for (unsigned i = 0; i < ENV_ARRAY_SIZE(levels); i++)
		if (!strcmp(buf, levels[i])) {
			log_set_level((enum env_level)i);
			return;
		}
	log_warn("boot: loglevel=%s: it is one of error, warn, info, debug", buf);
}

void cpu_init(struct cpu *c)
{
	traps_init(c);
	xstate_init();
	apic_init_cpu();
	if (c->id)
		ASSERT(apic_id() == c->apic_id);
	if (hvm)
		hvm->cpu_enable(c);
	sched_init_cpu();
}

static void choose_vendor(void)
{
	static const struct hvm_vendor *const vendors[] = { &svm_vendor };

	for (unsigned i = 0; i < ENV_ARRAY_SIZE(vendors); i++) {
		const char *missing = vendors[i]->missing();
		if (!missing) {
			hvm = vendors[i];
			log_info("cpu: %s", hvm->name);
			return;
		}
		log_warn("cpu: %s", missing);
	}
	log_error("no guest can run: the CPU has no virtualisation extension that VFRv2 knows (under QEMU: -cpu max)");
}

/* On the boot CPU's own guarded stack. */
static _Noreturn void start_on_stack(void)
{
	char policy[32];

	cpus[0].online = true;
	smp_start_others(option_number("cpus", MAX_CPUS));
	sched_init(boot_option("sched", policy, sizeof(policy)) ? policy : "rr");
	log_info("memory: %lu MiB free of %lu MiB", mm_free_bytes() >> 20, mm_total_bytes() >> 20);
	guest_console_mirror(boot_option("guestlog", policy, sizeof(policy)));
	store_init();
	drivers_init();
	net_init();
	control_machine_init();
	smp_release();
	cpu_loop();
}

void hv_start(void)
{
	smp_init_boot_cpu();
	uart_init();
	multiboot_parse((uint32_t)boot_magic, boot_info_pa);
	apply_log_options();
	log_info("VFRv2 %s", VFR_VERSION);
	frame_init(virt_to_phys(image_start), virt_to_phys(image_end));
	paging_init();
	frame_init_finish();
	irq_init();
	apic_init_boot();
	cpus[0].apic_id = 0;
	choose_vendor();
	cpu_init(&cpus[0]);
	cpus[0].apic_id = apic_id();
	time_init();
	cpus[0].stack_top = paging_map_stack(0, 0, STACK_SIZE);
	__asm__ volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1" : : "r"(cpus[0].stack_top), "r"(start_on_stack) : "memory");
	__builtin_unreachable();
}
