/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers of a guest. Each index gives a defined value or #GP; none reaches the machine's own. The ones
 * that the CPU switches with the guest (FS, GS, STAR …) are not intercepted and not here.
 */
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <hv/timer.h>

#include "vcpu.h"
#include "x86.h"

#define MSR_TSC           0x10
#define MSR_PLATFORM_ID   0x17
#define MSR_BIOS_SIGN     0x8b
#define MSR_MTRR_CAP      0xfe
#define MSR_MCG_CAP       0x179
#define MSR_MISC_ENABLE   0x1a0
#define MSR_MTRR_FIRST    0x200
#define MSR_MTRR_LAST     0x20f
#define MSR_MTRR_DEF      0x2ff
#define MSR_X2APIC_FIRST  0x800
#define MSR_X2APIC_LAST   0x8ff
#define MSR_HYPERCALL     0x40000000
#define MSR_K8_SYSCFG     0xc0010010
#define MSR_K8_HWCR       0xc0010015
#define MSR_K8_INT_PENDING 0xc0010055
#define MSR_AMD_DE_CFG    0xc0011029

#define HYPERCALL_PAGES 1

static bool valid_pat(uint64_t val)
{
	for (int i = 0; i < 8; i++, val >>= 8) {
		uint8_t t = (uint8_t)val;
		if (t > 7 || t == 2 || t == 3)
			return false;
	}
	return true;
}

bool guest_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct guest_paging p;

	*val = 0;
	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return vlapic_x2_read(&v->arch->lapic, msr, val);
	if (msr >= MSR_MTRR_FIRST && msr <= MSR_MTRR_LAST)
		return true;
	switch (msr) {
	case MSR_TSC:
		*val = rdtsc();
		return true;
	case MSR_APIC_BASE:
		*val = v->arch->lapic.base_msr;
		return true;
	case MSR_EFER:
		hvm->paging(v, &p);
		*val = p.efer;
		return true;
	case MSR_PAT:
		*val = *hvm->pat(v);
		return true;
	case MSR_TSC_AUX:
		*val = v->arch->tsc_aux;
		return true;
	case MSR_MISC_ENABLE:
		*val = 1;
		return true;
	case MSR_MTRR_DEF:
		*val = 6; /* write-back, MTRRs off */
		return true;
	case MSR_AMD_DE_CFG:
		*val = 2; /* LFENCE is serialising */
		return true;
	case MSR_PLATFORM_ID: case MSR_BIOS_SIGN: case MSR_MTRR_CAP: case MSR_MCG_CAP:
	case MSR_K8_SYSCFG: case MSR_K8_HWCR: case MSR_K8_INT_PENDING:
		return true;
	}
	log_debug("dom%u: rdmsr %#x refused", v->domain->id, msr);
	return false;
}

/* Write the hypercall page where the guest asks for it. */
static bool hypercall_page(struct vcpu *v, uint64_t val)
{
	void *page;

	if ((val & (PAGE_SIZE - 1)) >= HYPERCALL_PAGES)
		return false;
	page = p2m_get_page(v->domain, val >> PAGE_SHIFT, true);
	if (!page)
		return false;
	arch_hypercall_page(page);
	put_page(page);
	return true;
}

bool guest_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	if (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)
		return vlapic_x2_write(&v->arch->lapic, msr, val);
	switch (msr) {
	case MSR_APIC_BASE:
		return vlapic_set_base(&v->arch->lapic, val);
	case MSR_EFER:
		return hvm->set_efer(v, val);
	case MSR_PAT:
		if (!valid_pat(val))
			return false;
		*hvm->pat(v) = val;
		return true;
	case MSR_TSC_AUX:
		if (val >> 32)
			return false;
		v->arch->tsc_aux = val;
		wrmsr(MSR_TSC_AUX, val);
		return true;
	case MSR_HYPERCALL:
		return hypercall_page(v, val);
	case MSR_BIOS_SIGN: case MSR_MISC_ENABLE: case MSR_TSC: case MSR_K8_SYSCFG: case MSR_K8_HWCR:
		return true; /* taken, without effect */
	}
	log_debug("dom%u: wrmsr %#x = %#lx refused", v->domain->id, msr, val);
	return false;
}

/* Entry n: mov $n, %eax; vmmcall; ret. Entry of iret (23) faults: there is no such call for HVM guests. */
void arch_hypercall_page(void *page)
{
	static const uint8_t tail[] = { 0x0f, 0x01, 0xd9, 0xc3 };
	uint8_t *p = page;

	for (uint32_t i = 0; i < PAGE_SIZE / 32; i++, p += 32) {
		for (unsigned k = 0; k < 32; k++)
			p[k] = 0xcc;
		p[0] = 0xb8;
		__builtin_memcpy(p + 1, &i, 4);
		__builtin_memcpy(p + 5, tail, sizeof(tail));
	}
}
