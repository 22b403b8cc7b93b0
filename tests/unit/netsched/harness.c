/* SPDX-License-Identifier: BSD-2-Clause */
#include <harness.h>

#include <stdlib.h>

#include <env_host.h>
#include <sched/net/policy.h>

extern const struct netsched_ops example_policy;	/* of docs/schedulers.md */

const struct netsched_ops *const tested_policies[] = {
	&netsched_rr, &netsched_tbf, &netsched_drr, &netsched_hfq, &example_policy, NULL,
};

static uint64_t random_state = 1;

void random_seed(uint64_t seed)
{
	random_state = seed * 2 + 1;
}

uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) % n);
}

static void host_drop(void *ctx, struct netsched_item *item, enum netsched_verdict why)
{
	struct sim *s = ctx;

	s->drops[why]++;
	s->dropped++;
	free(item);
}

static bool host_mark(void *ctx, struct netsched_item *item)
{
	struct sim *s = ctx;

	if (s->cannot_mark)
		return false;
	item->ecn = NETSCHED_CE;
	s->marked++;
	return true;
}

static void host_resume(void *ctx, uint32_t class_id)
{
	struct sim *s = ctx;

	s->resumed[class_id]++;
}

struct sim *sim_new(const struct netsched_ops *ops, uint64_t rate_bps, bool paced, uint32_t max_packet)
{
	struct sim *s = calloc(1, sizeof(*s));
	struct netsched_host host = { .ctx = s, .drop = host_drop, .mark = host_mark, .resume = host_resume };
	struct netsched_link link = {
		.rate_bps = rate_bps, .paced = paced, .max_packet = max_packet, .max_classes = MAX_CLASSES,
	};

	assert_int_equal(netsched_create(ops, &link, &host, &s->ns, NULL), 0);
	s->rate_bps = paced ? 0 : rate_bps;
	s->now = s->idle_at = 1000;
	return s;
}

void sim_free(struct sim *s)
{
	netsched_destroy(s->ns);
	assert_int_equal(s->made, s->sent + s->dropped + s->refused);
	assert_int_equal(env_host_live_blocks(), 0);
	free(s);
}

void sim_class(struct sim *s, uint32_t id, const struct netsched_params *p)
{
	struct netsched_refusal why = { "" };

	if (netsched_class_set(s->ns, id, p, s->now, &why))
		fail_msg("class %u: %s", id, why.text);
}

enum netsched_verdict sim_arrive(struct sim *s, uint32_t id, uint32_t flow, uint32_t bytes)
{
	struct packet *p = calloc(1, sizeof(*p));

	p->item.class_id = id;
	p->item.wire_bytes = bytes;
	p->item.flow_hash = flow * 2654435761u;
	p->item.ecn = s->ecn;
	p->item.dscp = s->dscp;
	p->item.mark = s->mark;
	p->flow = flow;
	p->seq = ++s->seq[id][flow];
	s->made++;
	enum netsched_verdict v = netsched_enqueue(s->ns, &p->item, s->now);
	if (v > NETSCHED_STOP) {
		s->drops[v]++;
		s->refused++;
		free(p);
	}
	return v;
}

void sim_fill(struct sim *s, uint32_t id, uint32_t flow, uint32_t bytes, uint32_t n)
{
	struct netsched_stats st;

	assert_int_equal(netsched_stats_read(s->ns, id, s->now, false, &st), 0);
	for (uint32_t i = st.backlog_packets; i < n; i++)
		if (sim_arrive(s, id, flow, bytes) > NETSCHED_STOP)
			break;
}

int sim_depart(struct sim *s, uint64_t *next)
{
	struct netsched_item *item = netsched_dequeue(s->ns, s->now, next);

	if (!item) {
		assert_true(*next > s->now);
		return -1;
	}
	struct packet *p = (struct packet *)item;
	int id = (int)item->class_id;
	assert_true(p->seq > s->seen[id][p->flow]);	/* order within a flow; drops leave holes */
	s->seen[id][p->flow] = p->seq;
	s->bytes[id] += item->wire_bytes;
	s->sent++;
	if (s->now - item->enq_ns > s->worst_ns[id])
		s->worst_ns[id] = s->now - item->enq_ns;
	if (s->rate_bps)
		s->idle_at = s->now + (item->wire_bytes * 8000000000ull + s->rate_bps - 1) / s->rate_bps;
	free(p);
	return id;
}

void sim_run(struct sim *s, uint64_t end, void (*refill)(struct sim *s, void *arg), void *arg)
{
	uint64_t next;

	while (s->now < end) {
		if (refill)
			refill(s, arg);
		if (s->now < s->idle_at)
			s->now = s->idle_at;
		else if (sim_depart(s, &next) < 0)
			s->now = next < end ? next : end;
	}
}

int main(void)
{
	return run_structure_tests() + run_conformance_tests() + run_class_tests() + run_flow_tests() + run_fluid_tests();
}
