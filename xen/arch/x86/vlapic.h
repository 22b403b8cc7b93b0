/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's local APIC (AMD manual volume 2, chapter 16): register page and x2APIC MSRs over one set of registers.
 */
#ifndef ARCH_X86_VLAPIC_H
#define ARCH_X86_VLAPIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <hv/timer.h>

struct vcpu;

#define VLAPIC_PAGE 0xfee00000UL
#define VLAPIC_REGS 64 /* registers of 16 bytes spacing: 0x000 … 0x3f0 */

struct vlapic {
	struct vcpu *vcpu;
	uint64_t base_msr;
	uint32_t regs[VLAPIC_REGS];
	_Atomic uint64_t irr[4];   /* written by any CPU */
	uint32_t isr[8];           /* by its own vcpu only */
	struct timer timer;
	uint64_t timer_start_ns, timer_period_ns;
	_Atomic uint32_t init_sipi; /* VLAPIC_INIT and VLAPIC_SIPI | page, set by a sender */
};

#define VLAPIC_INIT (1u << 8)
#define VLAPIC_SIPI (1u << 9)

void vlapic_init(struct vlapic *l, struct vcpu *v);
void vlapic_destroy(struct vlapic *l);
void vlapic_reset(struct vlapic *l);
/* Register access by offset (0x20, 0x30, …); both modes. false: reserved register or value (#GP in x2APIC mode). */
bool vlapic_read(struct vlapic *l, uint32_t reg, uint32_t *val);
bool vlapic_write(struct vlapic *l, uint32_t reg, uint32_t val);
bool vlapic_x2_read(struct vlapic *l, uint32_t msr, uint64_t *val);
bool vlapic_x2_write(struct vlapic *l, uint32_t msr, uint64_t val);
bool vlapic_set_base(struct vlapic *l, uint64_t val);
/* Nothing is requested at all, as is usual. */
static inline bool vlapic_idle(const struct vlapic *l)
{
	return !(atomic_load_explicit(&l->irr[0], memory_order_relaxed) | atomic_load_explicit(&l->irr[1], memory_order_relaxed) |
		 atomic_load_explicit(&l->irr[2], memory_order_relaxed) | atomic_load_explicit(&l->irr[3], memory_order_relaxed));
}
/* Highest pending vector above the processor priority, or -1; and taking it into service. */
int vlapic_pending(const struct vlapic *l);
void vlapic_take(struct vlapic *l, uint8_t vector);
/* Make `vector` pending and wake the vcpu. */
void vlapic_raise(struct vlapic *l, uint8_t vector);

#endif
