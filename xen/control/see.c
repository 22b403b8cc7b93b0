/* SPDX-License-Identifier: BSD-2-Clause */
/* What clients look at: the machine, domains, uplinks, the configuration and its history, log and audit. */
#include <audit/audit.h>

#include "internal.h"

struct vc_page_reply *page_start(struct request *rq, uint32_t record)
{
	struct vc_page_reply *p = reply_add(rq->r, sizeof(*p));

	p->next = VC_CURSOR_END;
	p->record = record;
	return p;
}

int see_info(struct request *rq)
{
	struct control *c = rq->c;
	struct vc_info_reply *r = reply_add(rq->r, sizeof(*r));
	struct control_machine_info m;
	struct control_uplink_info up;

	memset(&m, 0, sizeof(m));
	c->p.ops->machine_info(c->p.machine, &m);
	copy_name(r->version, sizeof(r->version), "2.0");
	copy_name(r->cpu, sizeof(r->cpu), m.cpu);
	r->cpus = m.cpus;
	r->cpus_online = m.cpus_online;
	r->mem_total = m.mem_total;
	r->mem_free = m.mem_free;
	r->uptime_ns = c->now_ns;
	r->utc_ns = c->p.ops->utc_ns(c->p.machine);
	r->generation = c->gen[c->cur].number;
	r->confirm_left_ns = c->confirm_deadline_ns ? c->confirm_deadline_ns - c->now_ns : 0;
	r->domains = c->doms;
	r->domains_max = c->p.domains_max - 1;
	r->boot_ns = m.boot_ns;
	while (!c->p.ops->uplink_info(c->p.machine, r->uplinks, &up))
		r->uplinks++;
	return 0;
}

static void domain_record(struct control *c, const struct dom *d, struct vc_dom_rec *r)
{
	const struct vc_dom_create *m = (const void *)d->obj->body;
	struct control_dom_info info;

	copy_name(r->name, sizeof(r->name), d->name);
	copy_name(r->reason, sizeof(r->reason), d->reason);
	r->domid = d->domid;
	r->state = d->state;
	r->flags = m->flags;
	r->vcpus = m->vcpus;
	r->mem_bytes = m->mem_bytes;
	r->started_utc_ns = d->started_utc_ns;
	r->restarts = d->restarts;
	r->slices = d->slices;
	if (d->built && !c->p.ops->dom_info(c->p.machine, d->domid, &info)) {
		r->cpu_ns = info.cpu_ns;
		r->console_end = info.console_end;
	}
}

int see_domains(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_dom_rec));

	for (uint64_t id = q->cursor ? q->cursor : 1; id < c->p.domains_max; id++) {
		struct vc_dom_rec *r;

		if (!c->dom[id])
			continue;
		r = reply_add(rq->r, sizeof(*r));
		if (!r) {
			p->next = id;
			break;
		}
		domain_record(c, c->dom[id], r);
		p->count++;
	}
	return 0;
}

int see_uplinks(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_uplink_rec));
	struct control_uplink_info up;

	for (uint64_t i = q->cursor; i < 1000 && !c->p.ops->uplink_info(c->p.machine, i, &up); i++) {
		struct vc_uplink_rec *r = reply_add(rq->r, sizeof(*r));

		if (!r) {
			p->next = i;
			break;
		}
		copy_name(r->name, sizeof(r->name), up.name);
		copy_name(r->driver, sizeof(r->driver), up.driver);
		memcpy(r->mac, up.mac, 6);
		r->mtu = up.mtu;
		r->flags = up.up;
		r->port = up.port;
		r->rate_bps = up.rate_bps;
		r->rx = up.rx;
		r->tx = up.tx;
		p->count++;
	}
	return 0;
}

int see_scheds(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_sched_rec));
	struct vc_sched_rec rec;

	if (!c->p.ops->sched_info)
		return refuse_enosys(rq->err, "a list of schedulers");
	for (uint64_t i = q->cursor; i < 10000; i++) {
		struct vc_sched_rec *r;

		memset(&rec, 0, sizeof(rec));
		if (c->p.ops->sched_info(c->p.machine, i, &rec))
			break;
		r = reply_add(rq->r, sizeof(*r));
		if (!r) {
			p->next = i;
			break;
		}
		*r = rec;
		p->count++;
	}
	return 0;
}

/* => one class, if that domain has one there; false: no room. */
static bool class_record(struct request *rq, struct vc_page_reply *p, unsigned int link, uint16_t domid, int *rc)
{
	struct control *c = rq->c;
	struct vc_class_rec rec, *r;

	memset(&rec, 0, sizeof(rec));
	*rc = c->p.ops->class_info(c->p.machine, link, domid, &rec);
	if (*rc)
		return true;
	r = reply_add(rq->r, sizeof(*r));
	if (!r)
		return false;
	*r = rec;
	if (domid)
		copy_name(r->dom, sizeof(r->dom), c->dom[domid]->name);
	p->count++;
	return true;
}

/* The cursor is the link, and the domain below it. */
int see_classes(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_class_rec));
	uint64_t id = q->cursor & 0xffff;
	int rc = 0;

	for (uint64_t link = q->cursor >> 16; c->p.ops->class_info && link < 1000 && rc != -ENODEV; link++, id = 0) {
		for (; id < c->p.domains_max && rc != -ENODEV; id++) {
			if (id && !c->dom[id])
				continue;
			if (!class_record(rq, p, link, id, &rc)) {
				p->next = link << 16 | id;
				return 0;
			}
		}
	}
	return 0;
}

/* The cursor is the index of the object: stable while the generation is, so clients that page compare generations. */
int see_config(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct generation *g = q->generation ? generation_find(rq->c, q->generation) : NULL;
	const struct config *cf = g ? &g->config : config_current(rq->c);
	struct vc_page_reply *p = page_start(rq, 0);

	if (q->generation && !g)
		return refuse_generation(rq->c, q->generation, rq->err);
	for (uint64_t i = q->cursor; i < cf->n; i++) {
		const struct object *o = cf->v[i];
		struct vc_object *r;

		if (q->type && o->type != q->type)
			continue;
		r = reply_add(rq->r, sizeof(*r) + o->length);
		if (!r) {
			p->next = i;
			break;
		}
		r->type = o->type;
		r->length = o->length;
		memcpy(r + 1, o->body, o->length);
		p->count++;
	}
	return 0;
}

int see_history(struct request *rq)
{
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_history_rec));

	for (unsigned int i = 0; i < c->gens; i++) {
		const struct generation *g = &c->gen[(c->cur + c->p.generations - i) % c->p.generations];
		struct vc_history_rec *r = reply_add(rq->r, sizeof(*r));

		if (!r)
			break;
		r->generation = g->number;
		r->utc_ns = g->utc_ns;
		r->objects = g->config.n;
		r->flags = !i && c->confirm_deadline_ns ? 1 : 0;
		memcpy(r->note, g->note, sizeof(r->note));
		memcpy(r->client, g->client, sizeof(r->client));
		p->count++;
	}
	return 0;
}

int see_log(struct request *rq)
{
	const struct vc_log_read *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = page_start(rq, 0);
	struct control_log_entry e;

	p->next = q->seq;
	while (c->p.ops->log_read(c->p.machine, p->next, &e)) {
		struct vc_log_rec *r;

		if (e.level > q->min_level) {
			p->next = e.seq + 1;
			continue;
		}
		r = reply_add(rq->r, sizeof(*r) + e.length);
		if (!r)
			break;
		r->seq = e.seq;
		r->ns = e.ns;
		r->level = e.level;
		r->length = e.length;
		memcpy(r + 1, e.text, e.length);
		p->next = e.seq + 1;
		p->count++;
	}
	return 0;
}

static void audit_record(const struct audit_record *a, struct vc_audit_rec *r)
{
	r->seq = a->seq;
	r->utc_ns = a->utc_ns;
	r->domid = a->domid;
	r->kind = a->kind;
	r->protos = a->protos;
	r->first = a->ports.first;
	r->last = a->ports.last;
	copy_name(r->kind_name, sizeof(r->kind_name), audit_kind_name(a->kind));
	copy_name(r->dom, sizeof(r->dom), a->domain);
	if (a->addr)
		ip_from_v4(&r->addr, a->addr);
	else
		memcpy(r->addr.b, a->thing.addr6, sizeof(r->addr.b));
	r->set = a->ports.set;
	r->a = a->ports.offset_bits;
	r->k = a->ports.psid_bits;
	r->psid = a->ports.psid;
	r->prefix = a->thing.prefix;
	r->ip_proto = a->thing.ip_proto;
	r->spi = a->thing.spi;
	r->count = a->count;
	memcpy(r->digest, a->hash, sizeof(r->digest));
	copy_name(r->text, sizeof(r->text), a->text);
}

int see_audit(struct request *rq)
{
	const struct vc_audit_read *q = rq->body;
	struct vc_page_reply *p = page_start(rq, sizeof(struct vc_audit_rec));
	struct audit_record a;

	p->next = q->seq ? q->seq : 1;
	for (;;) {
		struct audit_page page = audit_read(rq->c->p.audit, p->next, &a, 1);
		struct vc_audit_rec *r = page.n ? reply_add(rq->r, sizeof(*r)) : NULL;

		if (!r)
			return 0;
		audit_record(&a, r);
		p->next = a.seq + 1;
		p->count++;
	}
}

/* Whoever has an address as a whole has its ports and protocols. */
static struct audit_holder who(struct request *rq, const struct vc_whois *q)
{
	struct audit *log = rq->c->p.audit;
	uint64_t at = q->utc_ns ? q->utc_ns : rq->c->p.ops->utc_ns(rq->c->p.machine);
	struct audit_thing thing = {.addr = ip_v4(&q->addr), .ip_proto = q->ip_proto, .spi = q->spi};
	struct audit_holder h = {.answer = AUDIT_NOBODY};

	if (!thing.addr)
		memcpy(thing.addr6, q->addr.b, sizeof(thing.addr6));
	if (q->proto && thing.addr)
		h = audit_whois(log, thing.addr, q->proto, q->port, at);
	return h.answer == AUDIT_NOBODY ? audit_whois_thing(log, &thing, at) : h;
}

int see_whois(struct request *rq)
{
	const struct vc_whois *q = rq->body;
	struct vc_whois_reply *r;
	struct audit_holder h;

	if (q->proto & (q->proto - 1) || q->proto > VC_PROTO_SCTP || (q->proto && q->ip_proto) ||
	    (q->spi && q->ip_proto != AUDIT_ESP))
		return control_refuse(rq->err, EINVAL, "bad-protocol",
				      "whois takes one of tcp, udp, icmp, sctp, another protocol, or none");
	h = who(rq, q);
	r = reply_add(rq->r, sizeof(*r));
	r->answer = h.answer == AUDIT_HELD ? VC_WHOIS_HELD : h.answer == AUDIT_NOBODY ? VC_WHOIS_NOBODY : VC_WHOIS_UNKNOWN;
	r->log_from_ns = h.known_from_ns;
	if (h.answer != AUDIT_HELD)
		return 0;
	r->domid = h.domid;
	copy_name(r->dom, sizeof(r->dom), h.domain);
	r->from_ns = h.from_ns;
	r->until_ns = h.to_ns;
	r->seq = h.seq;
	return 0;
}
