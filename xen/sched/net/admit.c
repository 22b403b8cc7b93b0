/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Admission: are these parameters sound, and do the guarantees fit the link? A refusal shows its arithmetic.
 *
 * Guarantees may take the link less its reserve (2 % by default), so that classes without a guarantee are never starved and a
 * link that is a little slower than it was said to be keeps its promises.
 */
#include <sched/net/internal.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int netsched_refuse(struct netsched_refusal *why, int err, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return err;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

uint64_t netsched_room(const struct netsched *ns, uint64_t rate_bps)
{
	return rate_bps - rate_bps / 1000 * ns->link.reserve_permille;
}

int netsched_admit_link(struct netsched_link *link, struct netsched_refusal *why)
{
	if (link->rate_bps < NETSCHED_MIN_RATE || link->rate_bps > NETSCHED_MAX_RATE)
		return netsched_refuse(why, -EINVAL, "link rate %llu bit/s: it must be %u to %llu",
				       (unsigned long long)link->rate_bps, NETSCHED_MIN_RATE, (unsigned long long)NETSCHED_MAX_RATE);
	if (!link->max_packet)
		link->max_packet = NETSCHED_MAX_PACKET;
	if (link->max_packet < 256 || link->max_packet > NETSCHED_MAX_PACKET)
		return netsched_refuse(why, -EINVAL, "largest packet %u: it must be 256 to %u bytes", link->max_packet,
				       NETSCHED_MAX_PACKET);
	if (link->max_classes < 1 || link->max_classes > 65536)
		return netsched_refuse(why, -EINVAL, "%u classes: it must be 1 to 65536", link->max_classes);
	if (!link->reserve_permille)
		link->reserve_permille = 20;
	if (link->reserve_permille > 1000)
		return netsched_refuse(why, -EINVAL, "reserve %u: it is in thousandths", link->reserve_permille);
	if (!link->late_ns)
		link->late_ns = 2000000;
	if (link->late_ns > 100000000)
		return netsched_refuse(why, -EINVAL, "timers late by %u ns: it must be 100 ms at most", link->late_ns);
	if (!link->burst_bytes)
		link->burst_bytes = link->max_packet + (uint32_t)(link->rate_bps / 8000 * (link->late_ns / 1000) / 1000);
	if (link->burst_bytes < link->max_packet)
		return netsched_refuse(why, -EINVAL, "burst %u is less than one packet of %u bytes", link->burst_bytes,
				       link->max_packet);
	return 0;
}

static uint32_t at_least(uint64_t v, uint32_t min)
{
	if (v > UINT32_MAX)
		v = UINT32_MAX;
	return v > min ? (uint32_t)v : min;
}

/* On a slow line a long queue is nothing but delay. */
static uint32_t default_limit(const struct netsched_link *link)
{
	uint64_t bytes = link->rate_bps / 100;

	if (!link->paced || bytes > 1u << 20)
		return 1u << 20;
	return at_least(bytes, 1u << 18);
}

static void fill_in(const struct netsched *ns, struct netsched_params *p)
{
	if (!p->weight)
		p->weight = 1;
	if (!p->max_packet)
		p->max_packet = ns->link.max_packet;
	if (p->ceiling_bps && !p->burst_bytes)
		p->burst_bytes = at_least(p->ceiling_bps / 4000, 2 * p->max_packet);
	if (!p->limit_bytes)
		p->limit_bytes = at_least(default_limit(&ns->link), 8 * p->max_packet);
	if (!p->stop_bytes)
		p->stop_bytes = p->limit_bytes / 2;
	if (!p->limit_packets)
		p->limit_packets = 4096;
	if (!p->flows)
		p->flows = 64;
	if (!p->target_us)
		p->target_us = 5000;
	if (!p->interval_us)
		p->interval_us = 100000;
}

static int check_rates(const struct netsched_params *p, struct netsched_refusal *why)
{
	const uint64_t rates[] = { p->guarantee_bps, p->ceiling_bps };
	unsigned long long guarantee = p->guarantee_bps, ceiling = p->ceiling_bps;

	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(rates); i++)
		if (rates[i] && (rates[i] < NETSCHED_MIN_RATE || rates[i] > NETSCHED_MAX_RATE))
			return netsched_refuse(why, -EINVAL, "%s %llu bit/s: it must be %u to %llu, or 0",
					       i ? "ceiling" : "guarantee", (unsigned long long)rates[i], NETSCHED_MIN_RATE,
					       (unsigned long long)NETSCHED_MAX_RATE);
	if (ceiling && guarantee > ceiling)
		return netsched_refuse(why, -EINVAL, "guarantee %llu bit/s is above the ceiling of %llu", guarantee, ceiling);
	if (p->weight > NETSCHED_MAX_WEIGHT)
		return netsched_refuse(why, -EINVAL, "weight %u: it must be 1 to %u", p->weight, NETSCHED_MAX_WEIGHT);
	return 0;
}

static int check_sizes(const struct netsched *ns, const struct netsched_params *p, struct netsched_refusal *why)
{
	uint32_t least = at_least((ns->link.max_packet + 47) / 48, 64);

	if (p->max_packet < least || p->max_packet > ns->link.max_packet)
		return netsched_refuse(why, -EINVAL, "largest packet %u: it must be %u to %u bytes", p->max_packet, least,
				       ns->link.max_packet);
	if (p->ceiling_bps && p->burst_bytes < p->max_packet)
		return netsched_refuse(why, -EINVAL, "burst %u is less than one packet of %u bytes", p->burst_bytes, p->max_packet);
	if (p->limit_bytes < p->max_packet || p->limit_bytes > 1u << 30)
		return netsched_refuse(why, -EINVAL, "limit %u: it must be %u (one packet) to %u bytes", p->limit_bytes,
				       p->max_packet, 1u << 30);
	if (p->flows > 65536 || (p->flows & (p->flows - 1)))
		return netsched_refuse(why, -EINVAL, "%u flow queues: it must be a power of two up to 65536", p->flows);
	if (p->target_us >= p->interval_us || p->interval_us > 4000000)
		return netsched_refuse(why, -EINVAL, "CoDel target %u us, interval %u us: target < interval <= 4000000", p->target_us,
				       p->interval_us);
	return 0;
}

int netsched_admit(const struct netsched *ns, uint32_t id, const struct netsched_class *c, struct netsched_params *p,
		   struct netsched_refusal *why)
{
	if (id >= ns->link.max_classes)
		return netsched_refuse(why, -EINVAL, "class %u: ids are below %u", id, ns->link.max_classes);
	fill_in(ns, p);
	int err = check_rates(p, why);
	if (!err)
		err = check_sizes(ns, p, why);
	if (err)
		return err;
	uint64_t others = ns->guarantees - (c ? c->p.guarantee_bps : 0);
	uint64_t room = netsched_room(ns, ns->link.rate_bps);
	if (p->guarantee_bps && others + p->guarantee_bps > room)
		return netsched_refuse(why, -EDQUOT, "guarantees %llu + %llu = %llu bit/s exceed %llu (link %llu less %u/1000) by %llu",
				       (unsigned long long)others, (unsigned long long)p->guarantee_bps,
				       (unsigned long long)(others + p->guarantee_bps), (unsigned long long)room,
				       (unsigned long long)ns->link.rate_bps, ns->link.reserve_permille,
				       (unsigned long long)(others + p->guarantee_bps - room));
	return 0;
}
