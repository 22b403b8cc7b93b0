/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router's main file: life, and a packet's way through the stages.
 *
 * Overview: vfr_input() parses the whole batch first (which also brings the connection buckets into the cache), then takes
 * each packet through the stages in order: source check, fragments, destination, translation, rules and connections, route.
 * A stage returns 0 to go on, or a verdict; whatever the verdict, accounting happens in one place, settle().
 *
 * Life-cycle of a held packet: a stage that returns VFR_HELD has queued it (fragments, neighbours). It comes back through
 * vfr_resume() or vfr_give_back(), which count it and hand it to ops->release(), always with no lock held.
 *
 * Synchronization: see priv.h. vfr_enter()/vfr_leave() bracket everything that reads reclaimed objects.
 */
#include <vfr/rules.h>

static const char *const drop_names[VFR_DROP_COUNT] = {
#define X(e, name, text) [VFR_DROP_##e] = name,
	VFR_DROP_LIST(X)
#undef X
};

static const char *const drop_texts[VFR_DROP_COUNT] = {
#define X(e, name, text) [VFR_DROP_##e] = text,
	VFR_DROP_LIST(X)
#undef X
};

const char *vfr_drop_name(enum vfr_drop reason)
{
	return reason < VFR_DROP_COUNT ? drop_names[reason] : NULL;
}

const char *vfr_drop_text(enum vfr_drop reason)
{
	return reason < VFR_DROP_COUNT ? drop_texts[reason] : NULL;
}

bool vfr_bucket_take(struct vfr_bucket *b, uint64_t now_ns, uint32_t rate, uint32_t burst)
{
	uint64_t full = (uint64_t)(burst ? burst : rate ? rate : 1) * SEC;
	uint64_t past = now_ns - b->last_ns;

	/* A bucket that has never been used starts full. */
	if (b->last_ns == 0 || past > full / (rate ? rate : 1))
		b->tokens = full;
	else
		b->tokens = b->tokens + past * rate > full ? full : b->tokens + past * rate;
	b->last_ns = now_ns ? now_ns : 1;
	if (b->tokens < SEC)
		return false;
	b->tokens -= SEC;
	return true;
}

uint32_t vfr_random(struct ctx *c)
{
	uint64_t z = c->cpu->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) >> 16);
}

/* --- life ------------------------------------------------------------------------------------------------------------- */

static void set_defaults(struct vfr_params *par)
{
	par->max_ports = par->max_ports ? par->max_ports : 4096;
	par->max_domains = par->max_domains ? par->max_domains : 4096;
	par->max_conns = par->max_conns ? par->max_conns : 65536;
	par->max_frags = par->max_frags ? par->max_frags : 1024;
	par->max_nat = par->max_nat ? par->max_nat : 65536;
	par->hold_down_s = par->hold_down_s ? par->hold_down_s : 120;
}

static void free_tables(struct vfr *v)
{
	vfr_conns_destroy(v);
	vfr_nat_destroy(v);
	vfr_frags_destroy(v);
	env_free(v->slot_of, 65536 * sizeof(*v->slot_of));
	env_free(v->way, v->par.max_domains * sizeof(*v->way));
	env_free(v->dom, v->par.max_domains * sizeof(*v->dom));
	env_free(v->port, v->par.max_ports * sizeof(*v->port));
	for (unsigned int i = 0; v->cpu && i < v->par.cpus; i++)
		env_free(v->cpu[i].asked, VFR_QUESTIONS * sizeof(*v->cpu[i].asked));
	env_free(v->cpu, CPUS(v) * sizeof(*v->cpu));
	env_free(v, sizeof(*v));
}

static int make_tables(struct vfr *v)
{
	v->cpu = env_alloc(CPUS(v) * sizeof(*v->cpu));
	v->port = env_alloc(v->par.max_ports * sizeof(*v->port));
	v->dom = env_alloc(v->par.max_domains * sizeof(*v->dom));
	v->way = env_alloc(v->par.max_domains * sizeof(*v->way));
	v->slot_of = env_alloc(65536 * sizeof(*v->slot_of));
	if (!v->cpu || !v->port || !v->dom || !v->way || !v->slot_of)
		return -ENOMEM;
	for (unsigned int i = 0; i < v->par.cpus; i++) {
		v->cpu[i].asked = env_alloc(VFR_QUESTIONS * sizeof(*v->cpu[i].asked));
		if (!v->cpu[i].asked)
			return -ENOMEM;
	}
	if (vfr_frags_init(v) || vfr_conns_init(v) || vfr_nat_init(v) || vfr_addrs_init(v))
		return -ENOMEM;
	/* Slot 0 is the uplinks' account; its "domain" owns nothing. */
	return vfr_dom_get(v, VFR_NODOM) ? 0 : -ENOMEM;
}

struct vfr *vfr_create(const struct vfr_params *params, const struct vfr_ops *ops, void *host)
{
	if (!params->cpus || !ops->emit || !ops->release)
		return NULL;
	struct vfr *v = env_alloc(sizeof(*v));
	if (!v)
		return NULL;
	v->par = *params;
	set_defaults(&v->par);
	v->ops = ops;
	v->host = host;
	memcpy(v->key, params->seed, sizeof(v->key));
	atomic_store(&v->epoch, 1);
	if (make_tables(v)) {
		vfr_addrs_destroy(v);
		free_tables(v);
		return NULL;
	}
	for (unsigned int i = 0; i < CPUS(v); i++)
		v->cpu[i].random = v->key[i & 3] + i * 0x632be59bd9b4e019ull;
	return v;
}

void vfr_destroy(struct vfr *v)
{
	struct ctx c;

	if (!v)
		return;
	vfr_enter_setter(&c, v, 0);
	for (unsigned int port = 0; port < v->par.max_ports; port++) {
		if (!rcu_get(v->port[port]))
			continue;
		vfr_neigh_port_gone(&c, (uint16_t)port);
		vfr_frag_port_gone(&c, (uint16_t)port);
	}
	vfr_leave_setter(&c);
	vfr_neigh_destroy(v);
	vfr_rules_destroy(v);
	vfr_doms_destroy(v);
	vfr_ports_destroy(v);
	vfr_addrs_destroy(v);
	vfr_reclaim_all(v);
	free_tables(v);
}

/* --- entering and leaving --------------------------------------------------------------------------------------------- */

void vfr_enter(struct ctx *c, struct vfr *v, unsigned int cpu, uint64_t now)
{
	c->v = v;
	c->cpu_id = cpu;
	c->cpu = &v->cpu[cpu];
	c->now = now;
	c->in = NULL;
	c->trace = NULL;
	c->hop = NULL;
	c->asked = c->asked_end = NULL;
	atomic_store(&c->cpu->epoch, atomic_load_explicit(&v->epoch, memory_order_relaxed));
	c->addrs = rcu_get(v->addrs);
}

void vfr_leave(struct ctx *c)
{
	atomic_store_explicit(&c->cpu->epoch, 0, memory_order_release);
}

void vfr_enter_setter(struct ctx *c, struct vfr *v, uint64_t now)
{
	env_lock(&v->setter_lock);
	vfr_enter(c, v, v->par.cpus + 1u, now);
}

void vfr_leave_setter(struct ctx *c)
{
	vfr_leave(c);
	env_unlock(&c->v->setter_lock);
}

void vfr_emit(struct ctx *c, uint16_t port, const uint8_t *frame, uint32_t len)
{
	if (c->trace)
		return;
	c->cpu->total.emitted++;
	c->v->ops->emit(c->v->host, port, frame, len);
}

/* --- the stages ------------------------------------------------------------------------------------------------------- */

int vfr_drop(struct ctx *c, struct vfr_pkt *p, enum vfr_drop reason)
{
	p->drop = (uint8_t)reason;
	return VFR_DROP;
}

/* Everything after the source check, for a packet that is no fragment or the first of its datagram. */
static int onward(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	int r = w->internal ? vfr_nat_out(c, p, w) : 0;

	if (!r)
		r = vfr_admit_dest(c, p, w);
	if (!r)
		r = vfr_rules(c, p, w);
	if (!r)
		r = w->dst && atomic_load_explicit(&w->dst->translated, memory_order_relaxed) ? vfr_nat_in(c, p, w) : 0;
	if (!r) {
		p->sched_class = w->sched_class;
		r = vfr_route(c, p, w);
	}
	return r;
}

static int run_ip(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	bool known = false;
	int r;

	if (c->in->kind == VFR_PORT_GUEST) {
		if (p->proto == IP_UDP && p->dport == 67) {
			r = vfr_dhcp(c, p, w);
			if (r)
				return r;
		}
		r = vfr_admit_source(c, p, w);
		if (r)
			return r;
	}
	if (p->flags & VFR_PF_FRAG) {
		r = vfr_frag(c, p, w, &known);
		if (r || known)
			return r;
	}
	r = onward(c, p, w);
	if (w->frag)
		vfr_frag_settle(c, p, w, r);
	return r;
}

static int run(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	bool handled = false;
	int r;

	if (p->flags & VFR_PF_ARP)
		return vfr_arp(c, p);
	if ((p->flags & VFR_PF_IPV6) && p->proto == IP_ICMP6) {
		r = vfr_nd(c, p, &handled);
		if (handled)
			return r;
	}
	return run_ip(c, p, w);
}

static void note_totals(struct ctx *c, const struct vfr_pkt *p)
{
	switch (p->verdict) {
	case VFR_FORWARD:
		c->cpu->total.forwarded++;
		break;
	case VFR_DROP:
		c->cpu->total.dropped++;
		break;
	case VFR_CONSUMED:
		c->cpu->total.consumed++;
		break;
	default:
		break;
	}
}

/* Also before a packet is queued: once held, another CPU may give it back at any time. */
static void stamp_way(struct vfr_pkt *p, const struct way *w, int verdict)
{
	p->verdict = (uint8_t)verdict;
	p->src_dom = w->src ? w->src->domid : VFR_NODOM;
	p->dst_dom = w->dst ? w->dst->domid : VFR_NODOM;
}

void vfr_hold(struct vfr_pkt *p, const struct way *w)
{
	stamp_way(p, w, VFR_HELD);
	p->next = NULL;
}

static void settle(struct ctx *c, struct vfr_pkt *p, struct way *w, int verdict)
{
	stamp_way(p, w, verdict);
	note_totals(c, p);
	vfr_count(c, p, w->src, w->dst);
}

int vfr_parse_slow(struct ctx *c, struct vfr_pkt *p)
{
	return c->in ? vfr_parse(c, p) : vfr_drop(c, p, VFR_DROP_DETACHED);
}

int vfr_run_once(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	vfr_pkt_reset(p);
	int r = vfr_parse_slow(c, p);

	return r ? r : run(c, p, w);
}

void vfr_input(struct vfr *v, unsigned int cpu, uint64_t now_ns, uint16_t in_port, struct vfr_pkt **pkts, unsigned int n)
{
	int parsed[VFR_BATCH];
	uint8_t asked[VFR_BATCH + 1];
	struct ctx c;

	ENV_ASSERT(cpu < v->par.cpus && n <= VFR_BATCH);
	vfr_enter(&c, v, cpu, now_ns);
	c.in = vfr_port_at(v, in_port);
	struct vfr_dom *from = c.in && c.in->slot ? vfr_dom_at(v, c.in->slot) : NULL;
	vfr_parse_batch(&c, pkts, n, parsed);
	bool ahead = vfr_rules_ahead(&c, pkts, n, parsed, from, asked);
	for (unsigned int i = 0; i < n; i++) {
		struct vfr_pkt *p = pkts[i];

		if (ahead) {
			c.asked = c.cpu->asked + asked[i];
			c.asked_end = c.cpu->asked + asked[i + 1];
		}
		p->in_port = in_port;
		if (parsed[i] == PARSED_PLAIN) {
			if (!v->stages_only && vfr_plain_way(&c, p, from))
				continue;
			parsed[i] = VFR_NEXT;
		}
		struct way w = { .src = from };
		int r = parsed[i] ? parsed[i] : run(&c, p, &w);
		if (r == VFR_HELD)
			pkts[i] = NULL;
		else
			settle(&c, p, &w, r);
	}
	c.cpu->total.input += n;
	vfr_leave(&c);
}

/* --- held packets ----------------------------------------------------------------------------------------------------- */

static struct vfr_dom *dom_by_id(struct vfr *v, uint16_t domid)
{
	return domid == VFR_NODOM ? NULL : vfr_dom_at(v, v->slot_of[domid]);
}

void vfr_give_back(struct ctx *c, struct vfr_pkt *p)
{
	struct vfr_dom *src = dom_by_id(c->v, p->src_dom), *dst = dom_by_id(c->v, p->dst_dom);

	note_totals(c, p);
	vfr_count(c, p, src, dst);
	p->next = NULL;
	c->v->ops->release(c->v->host, p);
}

void vfr_resume(struct ctx *c, struct vfr_pkt *p, const struct frag_fate *f)
{
	struct way w = { .src = vfr_dom_at(c->v, f->src_slot), .dst = vfr_dom_at(c->v, f->dst_slot) };
	const struct vfr_port *in = c->in;
	int r;

	c->in = vfr_port_at(c->v, p->in_port);
	if (!c->in) {
		r = vfr_drop(c, p, VFR_DROP_DETACHED);
	} else if (f->state == FRAG_REFUSED) {
		r = vfr_drop(c, p, f->drop);
	} else {
		p->sched_class = f->sched_class;
		r = vfr_frag_pass(c, p, &w, f);
	}
	if (r != VFR_HELD) {
		stamp_way(p, &w, r);
		vfr_give_back(c, p);
	}
	c->in = in;
}

uint64_t vfr_timer(struct vfr *v, uint64_t now_ns)
{
	uint64_t next = now_ns + SEC;
	struct ctx c;

	env_lock(&v->timer_lock);
	vfr_enter(&c, v, v->par.cpus, now_ns);
	vfr_neigh_age(&c, &next);
	vfr_frag_age(&c, &next);
	vfr_conns_age(&c, &next);
	vfr_nat_age(&c, &next);
	vfr_ra_timer(&c, &next);
	vfr_leave(&c);
	env_unlock(&v->timer_lock);
	vfr_reclaim(v);
	return next;
}
