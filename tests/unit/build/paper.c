/* SPDX-License-Identifier: BSD-2-Clause */
#include "paper.h"

#include <asm/prctl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>
#include <net/net.h>

#include <common/control_machine.h>
#include <common/frame.h>
#include <common/layout.h>
#include <common/sched.h>

struct cpu cpus[MAX_CPUS];
uint32_t nr_cpus = 1;
uint64_t boot_tsc;
struct cpusched *the_cpusched;
struct boot_info boot_info;
uint64_t paper_free_frames = ~0UL;

static unsigned frames_alive, vifs_alive;

/* --- frames --- */

static _Atomic uint32_t *refs(mfn_t mfn)
{
	return (_Atomic uint32_t *)((mfn << PAGE_SHIFT) + PAGE_SIZE);
}

paddr_t frame_alloc_zeroed(void)
{
	void *p = paper_free_frames ? env_alloc(2 * PAGE_SIZE) : NULL;

	if (!p)
		return INVALID_PADDR;
	paper_free_frames--;
	frames_alive++;
	*refs((paddr_t)p >> PAGE_SHIFT) = 1;
	return (paddr_t)p;
}

void frame_get(mfn_t mfn)
{
	assert_true(*refs(mfn));
	++*refs(mfn);
}

void frame_put(mfn_t mfn)
{
	assert_true(*refs(mfn));
	if (--*refs(mfn))
		return;
	frames_alive--;
	paper_free_frames++;
	env_free((void *)(mfn << PAGE_SHIFT), 2 * PAGE_SIZE);
}

void put_page(void *page)
{
	frame_put((uint64_t)page >> PAGE_SHIFT);
}

unsigned paper_frames(void)
{
	return frames_alive;
}

unsigned paper_vifs(void)
{
	return vifs_alive;
}

uint64_t mm_free_bytes(void)
{
	return paper_free_frames << PAGE_SHIFT;
}

/* --- the map --- */

struct paper_map {
	mfn_t mfn[PAPER_RAM + 3];
	enum p2m_type type[PAPER_RAM + 3];
};

static uint64_t slot(uint64_t gfn)
{
	static const uint64_t special[] = { GUEST_ACPI >> PAGE_SHIFT, GUEST_STORE_GFN, GUEST_CONSOLE_GFN };

	for (unsigned i = 0; i < 3; i++)
		if (gfn == special[i])
			return PAPER_RAM + i;
	assert_true(gfn < PAPER_RAM);
	return gfn;
}

static struct paper_map *map_of(struct domain *d)
{
	return (struct paper_map *)d->p2m.root;
}

int p2m_init(struct p2m *p2m)
{
	p2m->root = env_alloc(sizeof(struct paper_map));
	return p2m->root ? 0 : -ENOMEM;
}

void p2m_destroy(struct p2m *p2m)
{
	env_free(p2m->root, sizeof(struct paper_map));
}

int p2m_map_frame(struct domain *d, uint64_t gfn, mfn_t mfn, enum p2m_type type)
{
	uint64_t at = slot(gfn);

	if (map_of(d)->type[at] != P2M_NONE)
		return -EBUSY;
	frame_get(mfn);
	map_of(d)->mfn[at] = mfn;
	map_of(d)->type[at] = type;
	return 0;
}

int p2m_populate(struct domain *d, uint64_t gfn, uint64_t count)
{
	for (; count--; gfn++) {
		paddr_t pa = frame_alloc_zeroed();

		if (pa == INVALID_PADDR)
			return -ENOMEM;
		assert_int_equal(p2m_map_frame(d, gfn, pa >> PAGE_SHIFT, P2M_RAM), 0);
		frame_put(pa >> PAGE_SHIFT);
		d->pages++;
	}
	return 0;
}

void p2m_fill(struct domain *d, uint64_t gfn)
{
	assert_int_equal(map_of(d)->type[slot(gfn)], P2M_RAM);
}

int gpa_write(struct domain *d, gpa_t dst, const void *src, size_t n)
{
	const uint8_t *from = src;

	for (; n; dst.v++, from++, n--) {
		uint64_t at = slot(dst.v >> PAGE_SHIFT);

		if (map_of(d)->type[at] != P2M_RAM)
			return -EFAULT;
		((uint8_t *)(map_of(d)->mfn[at] << PAGE_SHIFT))[dst.v % PAGE_SIZE] = *from;
	}
	return 0;
}

bool p2m_teardown(struct domain *d, uint64_t *cursor, unsigned max)
{
	for (; *cursor < PAPER_RAM + 3; ++*cursor) {
		if (map_of(d)->type[*cursor] == P2M_NONE)
			continue;
		if (!max--)
			return false;
		map_of(d)->type[*cursor] = P2M_NONE;
		frame_put(map_of(d)->mfn[*cursor]);
	}
	return true;
}

/* --- vcpus, their CPU, and the guest's interface --- */

int vcpu_arch_init(struct vcpu *v)
{
	v->arch = env_alloc(PAGE_SIZE);
	return v->arch ? 0 : -ENOMEM;
}

void vcpu_arch_destroy(struct vcpu *v)
{
	env_free(v->arch, PAGE_SIZE);
	v->arch = NULL;
}

void vcpu_arch_boot_state(struct vcpu *v, uint32_t entry, uint32_t start_info)
{
	assert_true(entry && start_info);
}

int net_vif_create(struct domain *d, const uint8_t mac[6], uint16_t mtu)
{
	void *vif = env_alloc(1000);

	if (!vif)
		return -ENOMEM;
	env_free(vif, 1000);
	domain_ref(d);
	vifs_alive++;
	return 0;
}

void net_vif_destroy(struct domain *d)
{
	if (!vifs_alive)
		return;
	vifs_alive--;
	domain_put(d);
}

void schedule(void)
{
}

void paper_start(void)
{
	cpus[0].self = &cpus[0];
	syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[0]);
	assert_int_equal(cpusched_create(&the_cpusched, "rr", 1), 0);
	store_init();
}

/* --- time, log, what is raised --- */

uint64_t time_now_ns(void)
{
	return 1000;
}

uint64_t time_utc_ns(void)
{
	return 1700000000000000000;
}

uint64_t time_ns_to_tsc_mul(uint32_t *mul, int8_t *shift)
{
	*mul = 1u << 31;
	*shift = 1;
	return 1000000000;
}

void arch_timer_set(uint64_t deadline_ns)
{
}

void arch_irq_window(void)
{
}

void softirq_raise(enum softirq nr)
{
}

void softirq_raise_on(uint32_t cpu, enum softirq nr)
{
}

void cpu_kick(uint32_t cpu)
{
}

void log_printf(enum env_level level, const char *fmt, ...)
{
}

_Noreturn void panic(const char *fmt, ...)
{
	abort();
}

void vcpu_wake(struct vcpu *v)
{
}

/* --- for hypercalls, which nobody makes here --- */

#define NEVER(type, name, ...) \
	type name(__VA_ARGS__) \
	{ \
		abort(); \
	}

NEVER(int, gva_read, struct vcpu *v, void *dst, gva_t src, size_t n)
NEVER(int, gva_write, struct vcpu *v, gva_t dst, const void *src, size_t n)
NEVER(void *, gfn_get_page, struct domain *d, uint64_t gfn)
NEVER(void *, p2m_get_page, struct domain *d, uint64_t gfn, bool write)
NEVER(void *, p2m_peek_ram, struct domain *d, uint64_t gfn)
NEVER(int, p2m_remove, struct domain *d, uint64_t gfn)
NEVER(int, vcpu_arch_set_context, struct vcpu *v, const struct vcpu_hvm_context *ctx)
NEVER(void, vcpu_arch_nmi, struct vcpu *v)
NEVER(void, vcpu_block, struct vcpu *v)
NEVER(void, vcpu_up, struct vcpu *v)
NEVER(void, vcpu_down, struct vcpu *v)
NEVER(void, vcpu_yield, struct vcpu *v)
