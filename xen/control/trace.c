/* SPDX-License-Identifier: BSD-2-Clause */
/* What-if: the described packet is built as a frame and shown to the router, which says what it would do with it. */
#include <vfr/vfr.h>

#include "internal.h"

#define FRAME_BYTES 256
#define ETH 14

static uint16_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += env_get16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t l4_len(uint8_t proto)
{
	return proto == 6 ? 20 : proto == 132 ? 12 : 8;
}

static void put_l4(uint8_t *p, const struct vc_trace_req *q)
{
	if (q->proto == 1 || q->proto == 58) {
		p[0] = q->proto == 1 ? (q->tcp_flags ? 0 : 8) : (q->tcp_flags ? 129 : 128);
		env_put16(p + 4, q->sport);
		if (q->proto == 1)
			env_put16(p + 2, sum16(p, 8, 0));
		return;
	}
	env_put16(p, q->sport);
	env_put16(p + 2, q->dport);
	if (q->proto == 6) {
		p[12] = 5 << 4;
		p[13] = q->tcp_flags ? q->tcp_flags : 2;
		env_put16(p + 14, 65535);
	} else if (q->proto == 17) {
		env_put16(p + 4, 8);
	}
}

static uint32_t put_frame4(uint8_t *f, const struct vc_trace_req *q)
{
	uint8_t *ip = f + ETH;
	size_t len = 20 + l4_len(q->proto);

	env_put16(f + 12, 0x0800);
	ip[0] = 0x45;
	env_put16(ip + 2, len);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = q->proto;
	memcpy(ip + 12, q->src.b + 12, 4);
	memcpy(ip + 16, q->dst.b + 12, 4);
	env_put16(ip + 10, sum16(ip, 20, 0));
	put_l4(ip + 20, q);
	return ETH + len;
}

static uint32_t put_frame6(uint8_t *f, const struct vc_trace_req *q)
{
	uint8_t *ip = f + ETH;
	size_t len = l4_len(q->proto);

	env_put16(f + 12, 0x86dd);
	ip[0] = 0x60;
	env_put16(ip + 4, len);
	ip[6] = q->proto;
	ip[7] = 64;
	memcpy(ip + 8, q->src.b, 16);
	memcpy(ip + 24, q->dst.b, 16);
	put_l4(ip + 40, q);
	return ETH + 40 + len;
}

/* Which domain sends from that address and port; NULL: it comes from outside. */
static const struct dom *sender(struct control *c, const struct vc_trace_req *q)
{
	unsigned int bit = q->proto == 6 ? VFR_TCP : q->proto == 17 ? VFR_UDP : q->proto == 132 ? VFR_SCTP : VFR_ICMP;
	uint16_t owner;

	if (q->from[0])
		return dom_by_name(c, q->from);
	if (!ip_is_v4(&q->src))
		return NULL;
	owner = vfr_slice_owner(c->p.vfr, ip_v4(&q->src), bit, q->sport);
	return owner == VFR_NODOM ? NULL : dom_by_id(c, owner);
}

/* Fills in where the packet comes in, and the frame's MACs. */
static int place(struct control *c, const struct vc_trace_req *q, uint8_t *f, uint32_t *port, struct control_error *err)
{
	const struct dom *d = sender(c, q);
	struct control_uplink_info up;

	if (d && d->built && c->p.ops->dom_port)
		return c->p.ops->dom_port(c->p.machine, d->domid, port, f + 6, f) ?
			       control_refuse(err, ENOENT, "no-port", "%s has no network", d->name) : 0;
	if (d)
		return control_refuse(err, ENOENT, "no-port", "%s, which would send this packet, is not running", d->name);
	if (q->from[0] ? uplink_by_name(c, q->from, &up) : c->p.ops->uplink_info(c->p.machine, 0, &up))
		return control_refuse(err, ENODEV, "no-uplink", "there is no domain or uplink %s", q->from[0] ? q->from : "at all");
	memcpy(f, up.mac, 6);
	memcpy(f + 6, "\x02\x00\x00\x00\x00\x01", 6);
	*port = up.port;
	return 0;
}

static const char *port_name(struct control *c, uint16_t port, struct control_uplink_info *up)
{
	for (unsigned int i = 0; !c->p.ops->uplink_info(c->p.machine, i, up); i++)
		if (up->port == port)
			return up->name;
	return NULL;
}

/* The router has numbers, who asks knows names. */
static void put_note(struct control *c, char *out, size_t room, const struct vfr_trace *t, unsigned int step)
{
	const char *at = t->step[step].note;
	struct control_uplink_info up;

	while (*at && room > 1) {
		bool dom = !strncmp(at, "$dom", 4), port = !strncmp(at, "$port", 5);
		const char *name = dom ? control_dom_name(c, t->step[step].dom) : port ? port_name(c, t->step[step].port, &up) : at;
		size_t n = dom || port ? name ? strnlen(name, VC_NAME) : 0 : 1;

		n = n < room ? n : room - 1;
		memcpy(out, name, n);
		out += n;
		room -= n;
		at += dom ? 4 : port ? 5 : 1;
	}
}

static void answer(struct request *rq, const struct vfr_trace *t, uint32_t in_port)
{
	struct vc_trace_reply *r = reply_add(rq->r, sizeof(*r));
	struct control *c = rq->c;
	struct control_uplink_info up;
	unsigned int dir = t->dst_dom != VFR_NODOM ? VFR_IN : VFR_OUT;

	r->verdict = t->verdict == VFR_FORWARD ? VC_TRACE_FORWARDED : t->verdict == VFR_DROP ? VC_TRACE_DROPPED :
		t->verdict == VFR_HELD ? VC_TRACE_HELD : VC_TRACE_ANSWERED;
	r->reason = t->drop;
	r->count = t->steps;
	r->rule = t->rule_id[dir] ? t->rule_id[dir] - 1 : VC_NO_INDEX;
	copy_name(r->reason_name, sizeof(r->reason_name), vfr_drop_name(t->drop));
	copy_name(r->owner, sizeof(r->owner), control_dom_name(c, t->dst_dom != VFR_NODOM ? t->dst_dom : t->src_dom));
	if (t->verdict == VFR_FORWARD)
		copy_name(r->out, sizeof(r->out), control_dom_name(c, t->dst_dom));
	/* An echo that the router answers goes back to who asked. */
	if (t->verdict == VFR_FORWARD && t->dst_dom == VFR_NODOM) {
		const char *uplink = port_name(c, t->out_port, &up);

		copy_name(r->out, sizeof(r->out), uplink ? uplink : control_dom_name(c, t->src_dom));
		if (t->out_port == in_port)
			r->verdict = VC_TRACE_ANSWERED;
	}
	for (unsigned int i = 0; i < t->steps; i++) {
		struct vc_trace_step *s = reply_add(rq->r, sizeof(*s));

		copy_name(s->stage, sizeof(s->stage), t->step[i].stage);
		put_note(c, s->text, sizeof(s->text), t, i);
	}
}

int see_trace(struct request *rq)
{
	const struct vc_trace_req *q = rq->body;
	uint8_t frame[FRAME_BYTES] = {0};
	struct vfr_trace t;
	uint32_t port, len;
	int rc = check_name(q->from, sizeof(q->from), "sender", true, rq->err);

	if (rc)
		return rc;
	if (ip_is_v4(&q->src) != ip_is_v4(&q->dst))
		return control_refuse(rq->err, EINVAL, "bad-address", "source and destination are of different families");
	rc = place(rq->c, q, frame, &port, rq->err);
	if (rc)
		return rc;
	len = ip_is_v4(&q->src) ? put_frame4(frame, q) : put_frame6(frame, q);
	vfr_trace(rq->c->p.vfr, rq->c->now_ns, port, frame, len, &t);
	answer(rq, &t, port);
	return 0;
}
