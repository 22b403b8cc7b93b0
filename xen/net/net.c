/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the network layer, the router's clock, and the names of drops.
 */
#include <string.h>

#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/timer.h>
#include <netcpu.h>

#define VFR_TIMER_MIN_NS 100000000UL

#define WATCH_NS 50000UL
#define WATCH_EMULATED_NS 4000000UL

#define POOL_SHARE 32 /* at most one part in so many of the RAM for packets */
#define POOL_MIN 1024u
#define POOL_MAX 16384u

const uint8_t net_gateway_mac[6] = { 0x02, 0x56, 0x46, 0x52, 0x00, 0x01 };

static struct vfr *router;
static struct timer router_timer;

struct vfr *net_router(void)
{
	return router;
}

static void age_router(struct timer *t)
{
	uint64_t now = time_now_ns(), next;

	net_enter();
	next = vfr_timer(router, now);
	net_leave();
	timer_set(t, next < now + VFR_TIMER_MIN_NS ? now + VFR_TIMER_MIN_NS : next);
}

static bool rdrand(uint64_t *v)
{
	uint32_t a = 1, b, c, d;
	bool ok;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) : "2"(0));
	if (!(c & (1u << 30)))
		return false;
	__asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok) : : "cc");
	return ok;
}

static uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* Hash keys: from the CPU's generator; without one from clocks, which is better than the same keys everywhere. */
static void make_seed(uint8_t seed[32])
{
	uint64_t v, mix = 0x9e3779b97f4a7c15UL;

	for (unsigned int i = 0; i < 32; i += 8) {
		if (!rdrand(&v))
			v = rdtsc() ^ time_utc_ns();
		mix = (mix ^ v) * 0xff51afd7ed558ccdUL;
		mix ^= mix >> 33;
		memcpy(seed + i, &mix, 8);
	}
}

static uint32_t pool_size(void)
{
	uint64_t n = mm_total_bytes() / POOL_SHARE / PKT_SIZE;

	return n < POOL_MIN ? POOL_MIN : n > POOL_MAX ? POOL_MAX : (uint32_t)n;
}

/* netwatch=MICROSECONDS on the boot line; else longer where leaving a guest is dear. */
static uint64_t choose_watch_ns(void)
{
	char text[12];
	uint64_t us = 0;

	if (boot_option("netwatch", text, sizeof(text))) {
		for (const char *p = text; *p >= '0' && *p <= '9' && us < 1000000; p++)
			us = us * 10 + (uint64_t)(*p - '0');
		if (us)
			return us * 1000;
	}
	return arch_emulated() ? WATCH_EMULATED_NS : WATCH_NS;
}

void net_init(void)
{
	struct vfr_params params = {
		.cpus = (uint16_t)nr_cpus,
		.max_ports = NET_UPLINKS_MAX + MAX_DOMAINS,
		.max_domains = MAX_DOMAINS,
	};

	memcpy(params.gateway_mac, net_gateway_mac, sizeof(net_gateway_mac));
	net_watch_ns = choose_watch_ns();
	pktpool_init(pool_size());
	make_seed(params.seed);
	router = net_path_init(&params);
	if (!router)
		panic("net: no memory for the router");
	net_watch_init();
	uplinks_init(router);
	timer_init(&router_timer, age_router);
	timer_set(&router_timer, time_now_ns() + VFR_TIMER_MIN_NS);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

const char *net_drop_name(enum net_drop drop)
{
	static const char *const names[] = {
#define X(e, name, text) [NET_DROP_##e] = name,
		NET_DROP_LIST(X)
#undef X
	};

	return names[drop];
}

const char *net_drop_text(enum net_drop drop)
{
	static const char *const texts[] = {
#define X(e, name, text) [NET_DROP_##e] = text,
		NET_DROP_LIST(X)
#undef X
	};

	return texts[drop];
}
