/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest sees of the CPU. A const table names the leaves that pass, each with the bits that do; everything else
 * reads as zero. Leaves 0x40000000 on are the Xen ABI's (<xen/arch-x86/cpuid.h>).
 *
 * Not told: XEN_HVM_CPUID_UPCALL_VECTOR. With it Linux takes event upcalls through the local APIC and has to end each with
 * an EOI, which is an exit; without it the upcall comes by HVM_PARAM_CALLBACK_IRQ as a plain vector.
 */
#include <stdio.h>

#include <xen/arch-x86/cpuid.h>

#include <hv/arch.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include "vcpu.h"
#include "x86.h"

#define ALL ~0u

struct leaf_policy {
	uint32_t leaf;
	uint32_t a, b, c, d; /* bits of the CPU's that pass */
};

/* leaf 1 ecx: without DTES64, MONITOR, DSCPL, VMX, SMX, EST, TM2, PDCM, PCID, DCA, x2APIC, TSC-deadline, OSXSAVE */
#define LEAF1_C (~(1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 15 | 1u << 17 | 1u << 18 | \
		   1u << 21 | 1u << 24 | 1u << 27))
/* leaf 1 edx: without MCE, MCA, MTRR stays, DS, ACPI, TM, PBE */
#define LEAF1_D (~(1u << 7 | 1u << 14 | 1u << 21 | 1u << 22 | 1u << 29 | 1u << 31))
/* leaf 7: without TSC_ADJUST, SGX, MPX, RDT, PT; UMIP, LA57 out; PKU stays */
#define LEAF7_B (~(1u << 1 | 1u << 2 | 1u << 12 | 1u << 14 | 1u << 15 | 1u << 25))
#define LEAF7_C (~(1u << 5 | 1u << 16 | 1u << 30))
/* 0x80000001 ecx: without SVM, extended APIC space, OSVW, IBS, SKINIT, WDT, LWP, NodeId, perf counters, MWAITX */
#define EXT1_C (~(1u << 2 | 1u << 3 | 1u << 9 | 1u << 10 | 1u << 12 | 1u << 13 | 1u << 15 | 1u << 19 | 1u << 23 | \
		  1u << 24 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29))

static const struct leaf_policy leaves[] = {
	{ 0x00000000, ALL, ALL, ALL, ALL },
	{ 0x00000001, ALL, 0x0000ff00, LEAF1_C, LEAF1_D },
	{ 0x00000007, 0, LEAF7_B, LEAF7_C, 1u << 2 | 1u << 3 | 1u << 4 },
	{ 0x0000000d, ALL, ALL, ALL, ALL },
	{ 0x80000000, ALL, ALL, ALL, ALL },
	{ 0x80000001, ALL, ALL, EXT1_C, ~(1u << 7 | 1u << 14) },
	{ 0x80000002, ALL, ALL, ALL, ALL },
	{ 0x80000003, ALL, ALL, ALL, ALL },
	{ 0x80000004, ALL, ALL, ALL, ALL },
	{ 0x80000005, ALL, ALL, ALL, ALL },
	{ 0x80000006, ALL, ALL, ALL, ALL },
	{ 0x80000007, 0, 0, 0, 1u << 8 },
	{ 0x80000008, 0xffff, 0, 0, 0 },
};

static void xen_leaf(struct vcpu *v, uint32_t leaf, uint32_t sub, struct cpuid_regs *r)
{
	uint32_t mul;
	int8_t shift;

	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		*r = (struct cpuid_regs){ XEN_CPUID_FIRST_LEAF + XEN_CPUID_MAX_NUM_LEAVES, XEN_CPUID_SIGNATURE_EBX,
					  XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX };
		break;
	case 1:
		r->a = 4 << 16 | 17;
		break;
	case 2:
		r->a = 1;          /* hypercall pages */
		r->b = 0x40000000; /* MSR that asks for one */
		break;
	case 3:
		if (sub == 0) {
			r->b = 2; /* tsc_mode: never emulated */
			r->c = (uint32_t)(time_ns_to_tsc_mul(&mul, &shift) / 1000);
		} else if (sub == 1) {
			time_ns_to_tsc_mul(&mul, &shift);
			r->c = mul;
			r->d = (uint32_t)(int32_t)shift;
		} else if (sub == 2) {
			r->a = (uint32_t)(time_ns_to_tsc_mul(&mul, &shift) / 1000);
		}
		break;
	case 4:
		r->a = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT;
		r->b = v->id;
		r->c = v->domain->id;
		break;
	case 5:
		r->b = 48;
		break;
	}
}

bool arch_emulated(void)
{
	struct cpuid_regs r = cpuid(0x40000000, 0);

	return r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447; /* "TCGTCGTCGTCG" */
}

/*
 * Fast byte string instructions, ERMS and FSRM, are a promise that an emulator breaks: it goes byte by byte, eight times as
 * many steps as a kernel takes that is not told of them.
 */
static void hide_fast_strings(struct cpuid_regs *r)
{
	r->b &= ~(1u << 9);
	r->d &= ~(1u << 4);
}

/* Leaves whose values depend on the vcpu, on top of the table. */
static void adjust(struct vcpu *v, uint32_t leaf, uint32_t sub, struct cpuid_regs *r, uint64_t guest_cr4)
{
	uint32_t apic_id = vcpu_apic_id(v->id);

	switch (leaf) {
	case 1:
		r->b |= apic_id << 24 | (v->domain->nr_vcpus * 2 < 255 ? v->domain->nr_vcpus * 2 : 255) << 16;
		r->c |= 1u << 31 | 1u << 21 | (guest_cr4 & CR4_OSXSAVE ? 1u << 27 : 0);
		r->d |= 1u << 28;
		if (!(v->arch->lapic.base_msr & (1u << 11)))
			r->d &= ~(1u << 9);
		break;
	case 7:
		if (sub)
			*r = (struct cpuid_regs){ 0 };
		else if (guest_cr4 & (1u << 22))
			r->c |= 1u << 4;
		else
			r->c &= ~(1u << 4);
		if (arch_emulated())
			hide_fast_strings(r);
		break;
	case 0xd:
		if (sub == 0) {
			r->a &= (uint32_t)xstate_mask;
			r->d &= (uint32_t)(xstate_mask >> 32);
		} else if (sub == 1) {
			*r = (struct cpuid_regs){ r->a & 1, 0, 0, 0 }; /* XSAVEOPT only: no compaction, no XSS */
		}
		break;
	case 0x80000000:
		if (r->a > 0x80000008)
			r->a = 0x80000008;
		break;
	case 0:
		if (r->a > 0xd)
			r->a = 0xd;
		break;
	}
}

static const struct leaf_policy *find_leaf(uint32_t leaf)
{
	for (unsigned i = 0; i < ENV_ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == leaf)
			return &leaves[i];
	return NULL;
}

void guest_cpuid(struct vcpu *v)
{
	uint64_t *g = v->arch->regs;
	uint32_t leaf = (uint32_t)g[RAX], sub = (uint32_t)g[RCX];
	struct cpuid_regs r = { 0 };
	const struct leaf_policy *p = find_leaf(leaf);
	struct guest_paging paging;

	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf <= XEN_CPUID_FIRST_LEAF + XEN_CPUID_MAX_NUM_LEAVES) {
		xen_leaf(v, leaf, sub, &r);
	} else if (p) {
		r = cpuid(leaf, sub);
		r.a &= p->a, r.b &= p->b, r.c &= p->c, r.d &= p->d;
		hvm->paging(v, &paging);
		adjust(v, leaf, sub, &r, paging.cr4);
	}
	g[RAX] = r.a;
	g[RBX] = r.b;
	g[RCX] = r.c;
	g[RDX] = r.d;
}

bool hvm_usable(void)
{
	return hvm != NULL;
}

void arch_cpu_brand(char *buf, size_t size)
{
	struct cpuid_regs brand[3] = { 0 };
	const char *p = (const char *)brand;

	for (uint32_t i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++)
		brand[i] = cpuid(0x80000002 + i, 0);
	while (*p == ' ')
		p++;
	snprintf(buf, size, "%.47s", p);
}
