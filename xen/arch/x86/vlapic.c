/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's local APIC. Guests reach it by the register page (xAPIC) or by MSRs (x2APIC); both end in vlapic_read() and
 * vlapic_write(). Every interrupt is edge-triggered: there is no IO-APIC, event channels do that work.
 */
#include "vlapic.h"

#include <string.h>

#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include "vcpu.h"

enum {
	R_ID = 0x20, R_VERSION = 0x30, R_TPR = 0x80, R_APR = 0x90, R_PPR = 0xa0, R_EOI = 0xb0, R_LDR = 0xd0, R_DFR = 0xe0,
	R_SVR = 0xf0, R_ISR = 0x100, R_TMR = 0x180, R_IRR = 0x200, R_ESR = 0x280, R_LVT_CMCI = 0x2f0, R_ICR = 0x300,
	R_ICR2 = 0x310, R_LVT_TIMER = 0x320, R_LVT_THERMAL = 0x330, R_LVT_PERF = 0x340, R_LVT_LINT0 = 0x350,
	R_LVT_LINT1 = 0x360, R_LVT_ERROR = 0x370, R_TMICT = 0x380, R_TMCCT = 0x390, R_TDCR = 0x3e0, R_SELF_IPI = 0x3f0,
};

#define BASE_BSP    (1UL << 8)
#define BASE_X2APIC (1UL << 10)
#define BASE_ENABLE (1UL << 11)
#define VERSION_VALUE 0x00050014u /* version 0x14, six LVT entries */
#define LVT_MASKED (1u << 16)
#define LVT_PERIODIC (1u << 17)
#define SVR_ENABLE (1u << 8)
#define TIMER_HZ_NS 10 /* one timer tick: 100 MHz */
#define PERIOD_MIN_NS 50000UL
enum { MODE_FIXED = 0, MODE_LOWEST = 1, MODE_NMI = 4, MODE_INIT = 5, MODE_STARTUP = 6 };

static uint32_t *reg(struct vlapic *l, uint32_t r)
{
	return &l->regs[r >> 4];
}

static bool x2_mode(const struct vlapic *l)
{
	return l->base_msr & BASE_X2APIC;
}

static int highest(const uint32_t *bits)
{
	for (int i = 7; i >= 0; i--)
		if (bits[i])
			return i * 32 + 31 - __builtin_clz(bits[i]);
	return -1;
}

static int highest_irr(const struct vlapic *l)
{
	for (int i = 3; i >= 0; i--) {
		uint64_t bits = atomic_load_explicit(&l->irr[i], memory_order_relaxed);
		if (bits)
			return i * 64 + 63 - __builtin_clzl(bits);
	}
	return -1;
}

static uint32_t ppr(const struct vlapic *l)
{
	uint32_t tpr = l->regs[R_TPR >> 4];
	int isr = highest(l->isr);
	uint32_t isrv = isr > 0 ? (uint32_t)isr & 0xf0 : 0;

	return (tpr & 0xf0) >= isrv ? tpr : isrv;
}

int vlapic_pending(const struct vlapic *l)
{
	int v = highest_irr(l);

	return v >= 0 && ((uint32_t)v & 0xf0) > (ppr(l) & 0xf0) ? v : -1;
}

void vlapic_take(struct vlapic *l, uint8_t vector)
{
	uint32_t bit = 1u << (vector & 31);

	atomic_fetch_and(&l->irr[vector >> 6], ~(1UL << (vector & 63)));
	l->isr[vector >> 5] |= bit;
}

void vlapic_raise(struct vlapic *l, uint8_t vector)
{
	if (vector < 16 || !(l->regs[R_SVR >> 4] & SVR_ENABLE))
		return;
	atomic_fetch_or(&l->irr[vector >> 6], 1UL << (vector & 63));
	vcpu_wake(l->vcpu);
}

static void eoi(struct vlapic *l)
{
	int v = highest(l->isr);

	if (v >= 0)
		l->isr[v >> 5] &= ~(1u << (v & 31));
}

/* --- timer ------------------------------------------------------------------------------------------------------------ */

static uint64_t tick_ns(struct vlapic *l)
{
	uint32_t d = *reg(l, R_TDCR);
	uint32_t shift = ((d & 3) | (d >> 1 & 4)) + 1;

	return TIMER_HZ_NS << (shift & 7);
}

static void timer_fire(struct timer *t)
{
	struct vlapic *l = (struct vlapic *)((char *)t - offsetof(struct vlapic, timer));
	uint32_t lvt = *reg(l, R_LVT_TIMER);

	if (lvt & LVT_PERIODIC) {
		uint64_t now = time_now_ns(), next = t->deadline_ns + l->timer_period_ns;
		l->timer_start_ns = t->deadline_ns;
		timer_set(t, next > now ? next : now + l->timer_period_ns);
	}
	if (!(lvt & LVT_MASKED))
		vlapic_raise(l, (uint8_t)lvt);
}

static void timer_start(struct vlapic *l)
{
	uint64_t period = *reg(l, R_TMICT) * tick_ns(l);

	timer_cancel(&l->timer);
	if (!period)
		return;
	/* A periodic timer faster than this is a guest that wants to keep us busy. */
	if ((*reg(l, R_LVT_TIMER) & LVT_PERIODIC) && period < PERIOD_MIN_NS)
		period = PERIOD_MIN_NS;
	l->timer_period_ns = period;
	l->timer_start_ns = time_now_ns();
	timer_set(&l->timer, l->timer_start_ns + period);
}

static uint32_t timer_current(struct vlapic *l)
{
	uint64_t gone;

	if (!l->timer.armed || !*reg(l, R_TMICT))
		return 0;
	gone = (time_now_ns() - l->timer_start_ns) / tick_ns(l);
	return gone < *reg(l, R_TMICT) ? *reg(l, R_TMICT) - (uint32_t)gone : 0;
}

/* --- interprocessor interrupts ---------------------------------------------------------------------------------------- */

static void deliver(struct vlapic *to, uint32_t mode, uint8_t vector)
{
	switch (mode) {
	case MODE_FIXED:
	case MODE_LOWEST:
		vlapic_raise(to, vector);
		break;
	case MODE_NMI:
		vcpu_arch_nmi(to->vcpu);
		break;
	case MODE_INIT:
		atomic_fetch_or(&to->init_sipi, VLAPIC_INIT);
		vcpu_wake(to->vcpu);
		break;
	case MODE_STARTUP:
		if (!to->vcpu->up) {
			atomic_store(&to->init_sipi, VLAPIC_INIT | VLAPIC_SIPI | vector);
			vcpu_up(to->vcpu);
		}
		break;
	}
}

static bool logical_match(struct vlapic *l, uint32_t dest)
{
	uint32_t ldr = *reg(l, R_LDR);

	if (x2_mode(l))
		return (ldr >> 16) == (dest >> 16) && (ldr & dest & 0xffff);
	ldr >>= 24;
	if (*reg(l, R_DFR) >> 28 == 0xf)
		return ldr & dest;
	return (ldr >> 4) == (dest >> 4 & 15) && (ldr & dest & 15);
}

static bool destined(struct vlapic *from, struct vlapic *to, uint32_t icr, uint32_t dest)
{
	bool self = from == to;
	uint32_t broadcast = x2_mode(from) ? ~0u : 0xff;

	switch (icr >> 18 & 3) {
	case 1:
		return self;
	case 2:
		return true;
	case 3:
		return !self;
	}
	if (dest == broadcast)
		return true;
	if (icr & (1u << 11))
		return logical_match(to, dest);
	return vcpu_apic_id(to->vcpu->id) == dest;
}

static void send_ipi(struct vlapic *l, uint32_t icr, uint32_t dest)
{
	struct domain *d = l->vcpu->domain;
	uint32_t mode = icr >> 8 & 7;

	if (mode == MODE_INIT && !(icr & (1u << 14)))
		return; /* de-assert: nothing to do */
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		struct vlapic *to = &d->vcpus[i]->arch->lapic;
		if (destined(l, to, icr, dest))
			deliver(to, mode, (uint8_t)icr);
	}
}

/* --- registers -------------------------------------------------------------------------------------------------------- */

bool vlapic_read(struct vlapic *l, uint32_t r, uint32_t *val)
{
	if (r >= R_ISR && r < R_ESR) {
		uint32_t i = (r >> 4) & 7;
		*val = r < R_TMR ? l->isr[i] : r < R_IRR ? 0 : (uint32_t)(atomic_load(&l->irr[i / 2]) >> 32 * (i % 2));
		return true;
	}
	switch (r) {
	case R_PPR:
		*val = ppr(l);
		return true;
	case R_TMCCT:
		*val = timer_current(l);
		return true;
	case R_ID: case R_VERSION: case R_TPR: case R_LDR: case R_DFR: case R_SVR: case R_ESR: case R_ICR: case R_ICR2:
	case R_LVT_TIMER: case R_LVT_THERMAL: case R_LVT_PERF: case R_LVT_LINT0: case R_LVT_LINT1: case R_LVT_ERROR:
	case R_TMICT: case R_TDCR:
		*val = *reg(l, r);
		return true;
	}
	*val = 0;
	return r == R_APR || r == R_LVT_CMCI;
}

static void write_svr(struct vlapic *l, uint32_t val)
{
	*reg(l, R_SVR) = val & 0x3ff;
	if (!(val & SVR_ENABLE))
		for (uint32_t r = R_LVT_TIMER; r <= R_LVT_ERROR; r += 0x10)
			*reg(l, r) |= LVT_MASKED;
}

static void write_lvt(struct vlapic *l, uint32_t r, uint32_t val)
{
	static const uint32_t writable[] = { 0x310ff, 0x117ff, 0x117ff, 0x1f7ff, 0x1f7ff, 0x110ff };

	val &= writable[(r - R_LVT_TIMER) >> 4];
	if (!(*reg(l, R_SVR) & SVR_ENABLE))
		val |= LVT_MASKED;
	*reg(l, r) = val;
}

bool vlapic_write(struct vlapic *l, uint32_t r, uint32_t val)
{
	switch (r) {
	case R_TPR:
		*reg(l, r) = val & 0xff;
		return true;
	case R_EOI:
		eoi(l);
		return true;
	case R_LDR:
		*reg(l, r) = val & 0xff000000;
		return true;
	case R_DFR:
		*reg(l, r) = val | 0x0fffffff;
		return true;
	case R_SVR:
		write_svr(l, val);
		return true;
	case R_ESR:
		*reg(l, r) = 0;
		return true;
	case R_ICR:
		*reg(l, r) = val & ~(1u << 12);
		send_ipi(l, val, *reg(l, R_ICR2) >> 24);
		return true;
	case R_ICR2:
		*reg(l, r) = val & 0xff000000;
		return true;
	case R_LVT_TIMER: case R_LVT_THERMAL: case R_LVT_PERF: case R_LVT_LINT0: case R_LVT_LINT1: case R_LVT_ERROR:
		write_lvt(l, r, val);
		return true;
	case R_TMICT:
		*reg(l, r) = val;
		timer_start(l);
		return true;
	case R_TDCR:
		*reg(l, r) = val & 0xb;
		return true;
	}
	return r == R_ID || r == R_LVT_CMCI;
}

bool vlapic_x2_read(struct vlapic *l, uint32_t msr, uint64_t *val)
{
	uint32_t r = (msr - 0x800) << 4, v;

	if (!x2_mode(l) || r == R_DFR || r == R_ICR2 || r == R_EOI || r == R_APR || r == R_SELF_IPI || !vlapic_read(l, r, &v))
		return false;
	*val = v;
	if (r == R_ICR)
		*val |= (uint64_t)*reg(l, R_ICR2) << 32;
	return true;
}

bool vlapic_x2_write(struct vlapic *l, uint32_t msr, uint64_t val)
{
	uint32_t r = (msr - 0x800) << 4;

	if (!x2_mode(l))
		return false;
	switch (r) {
	case R_ICR:
		*reg(l, R_ICR) = (uint32_t)val & ~(1u << 12);
		*reg(l, R_ICR2) = (uint32_t)(val >> 32);
		send_ipi(l, (uint32_t)val, (uint32_t)(val >> 32));
		return true;
	case R_SELF_IPI:
		vlapic_raise(l, (uint8_t)val);
		return val <= 0xff;
	case R_EOI: case R_ESR:
		return val == 0 && vlapic_write(l, r, 0);
	case R_ID: case R_VERSION: case R_LDR: case R_DFR: case R_ICR2: case R_PPR: case R_TMCCT:
		return false;
	}
	return !(val >> 32) && vlapic_write(l, r, (uint32_t)val);
}

static void set_ids(struct vlapic *l)
{
	uint32_t id = vcpu_apic_id(l->vcpu->id);

	*reg(l, R_ID) = x2_mode(l) ? id : id << 24;
	*reg(l, R_LDR) = x2_mode(l) ? (id >> 4) << 16 | 1u << (id & 15) : 0;
}

bool vlapic_set_base(struct vlapic *l, uint64_t val)
{
	uint64_t mode = val & (BASE_ENABLE | BASE_X2APIC), old = l->base_msr & (BASE_ENABLE | BASE_X2APIC);

	/* The page stays where it is; x2APIC needs enable, and is left by disabling only. */
	if ((val & 0xffffffffff000UL) != VLAPIC_PAGE || mode == BASE_X2APIC || (val & 0xfff) != (mode | (l->base_msr & BASE_BSP)))
		return false;
	if ((old & BASE_X2APIC) && mode == BASE_ENABLE)
		return false;
	l->base_msr = VLAPIC_PAGE | mode | (l->base_msr & BASE_BSP);
	if (mode != old)
		set_ids(l);
	return true;
}

void vlapic_reset(struct vlapic *l)
{
	timer_cancel(&l->timer);
	memset(l->regs, 0, sizeof(l->regs));
	memset(l->isr, 0, sizeof(l->isr));
	for (int i = 0; i < 4; i++)
		atomic_store(&l->irr[i], 0);
	*reg(l, R_VERSION) = VERSION_VALUE;
	*reg(l, R_DFR) = ~0u;
	*reg(l, R_SVR) = 0xff;
	for (uint32_t r = R_LVT_TIMER; r <= R_LVT_ERROR; r += 0x10)
		*reg(l, r) = LVT_MASKED;
	set_ids(l);
}

void vlapic_init(struct vlapic *l, struct vcpu *v)
{
	l->vcpu = v;
	l->base_msr = VLAPIC_PAGE | BASE_ENABLE | (v->id == 0 ? BASE_BSP : 0);
	timer_init(&l->timer, timer_fire);
	vlapic_reset(l);
}

void vlapic_destroy(struct vlapic *l)
{
	timer_end(&l->timer);
}
