/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting vcpus: INIT and SIPI through the local APIC, or VCPUOP_initialise with a 32-bit or a 64-bit context. */
#include "smp.h"
#include <errno.h>
#include <string.h>
#include "acpi.h"
#include "hypercall.h"
#include "kernel.h"
#include "trap.h"
#include <xen/hvm/hvm_vcpu.h>

#define APIC_BASE_MSR 0x1b
#define APIC_PAGE 0xfee00000ul
#define TRAMPOLINE 0x8000ul

extern char ap_trampoline[], ap_trampoline_end[], ap_entry32[], ap_entry64[], page_l4[];
extern uint32_t ap_stack;
void ap_start(void);

static ap_fn ap_main;

/* Where entry.S leads a vcpu that has reached long mode. */
void ap_start(void)
{
	traps_load();
	ap_main();
}

bool apic_x2(void)
{
	return (rdmsr(APIC_BASE_MSR) & 0xc00) == 0xc00;
}

void apic_enable_x2(void)
{
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | 0xc00);
}

uint32_t apic_read(unsigned int reg)
{
	return apic_x2() ? (uint32_t)rdmsr(0x800 + reg / 16) : *(volatile uint32_t *)(APIC_PAGE + reg);
}

void apic_write(unsigned int reg, uint32_t value)
{
	if (apic_x2())
		wrmsr(0x800 + reg / 16, value);
	else
		*(volatile uint32_t *)(APIC_PAGE + reg) = value;
}

void apic_ipi(uint32_t apic_id, uint32_t command)
{
	if (apic_x2()) {
		wrmsr(0x800 + APIC_ICR / 16, (uint64_t)apic_id << 32 | command);
		return;
	}
	apic_write(APIC_ICR + 0x10, apic_id << 24);
	apic_write(APIC_ICR, command);
}

int apic_id_of(unsigned int vcpu)
{
	const struct acpi_header *madt = acpi_find("APIC");
	const uint8_t *p, *end;
	unsigned int n = 0;

	if (!madt)
		return -1;
	end = (const uint8_t *)madt + madt->length;
	for (p = (const uint8_t *)madt + 44; p + 2 <= end && p[1]; p += p[1])
		if (p[0] == 0 && (p[4] & 1) && n++ == vcpu)
			return p[3];
	return -1;
}

static int start_sipi(unsigned int vcpu)
{
	int id = apic_id_of(vcpu);

	if (id < 0)
		return -ENODEV;
	memcpy((void *)TRAMPOLINE, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	apic_ipi((uint32_t)id, 0x4500);
	apic_ipi((uint32_t)id, 0x4600 | TRAMPOLINE >> 12);
	return 0;
}

static void fill_32(struct vcpu_hvm_x86_32 *c)
{
	c->eip = (uint32_t)(uintptr_t)ap_entry32;
	c->cr0 = 0x11;
	c->cs_limit = c->ds_limit = c->ss_limit = c->es_limit = ~0u;
	c->tr_limit = 0x67;
	c->cs_ar = 0xc9b;
	c->ds_ar = c->ss_ar = c->es_ar = 0xc93;
	c->tr_ar = 0x8b;
}

static void fill_64(struct vcpu_hvm_x86_64 *c)
{
	c->rip = (uintptr_t)ap_entry64;
	c->cr0 = 0x80000011;
	c->cr3 = (uintptr_t)page_l4;
	c->cr4 = 0x20;
	c->efer = 0x500;
}

static int start_hypercall(unsigned int vcpu, enum ap_mode mode)
{
	static struct vcpu_hvm_context ctx;
	int rc;

	memset(&ctx, 0, sizeof(ctx));
	if (mode == AP_LONG) {
		ctx.mode = VCPU_HVM_MODE_64B;
		fill_64(&ctx.cpu_regs.x86_64);
	} else {
		ctx.mode = VCPU_HVM_MODE_32B;
		fill_32(&ctx.cpu_regs.x86_32);
	}
	rc = hv_vcpu(VCPUOP_initialise, vcpu, &ctx);
	return rc ? rc : hv_vcpu(VCPUOP_up, vcpu, NULL);
}

int smp_start(unsigned int vcpu, enum ap_mode mode, ap_fn fn)
{
	uint8_t *stack = page_alloc();

	if (!stack)
		return -ENOMEM;
	ap_stack = (uint32_t)(uintptr_t)stack + PAGE_SIZE;
	ap_main = fn;
	return mode == AP_SIPI ? start_sipi(vcpu) : start_hypercall(vcpu, mode);
}
