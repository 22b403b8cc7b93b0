/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would happen to this frame? The same stages run over it with a trace in their context: they write down what they find
 * and change nothing but the frame itself. Nothing is counted, created, limited, logged or sent.
 */
#include <stdio.h>

#include <vfr/priv.h>

void vfr_step(struct ctx *c, const char *stage, const char *fmt, ...)
{
	struct vfr_trace *t = c->trace;
	va_list ap;

	if (t->steps == VFR_TRACE_STEPS)
		return;
	t->step[t->steps].dom = VFR_NODOM;
	t->step[t->steps].port = VFR_NOPORT;
	snprintf(t->step[t->steps].stage, sizeof(t->step[0].stage), "%s", stage);
	va_start(ap, fmt);
	vsnprintf(t->step[t->steps].note, sizeof(t->step[0].note), fmt, ap);
	va_end(ap);
	t->steps++;
}

void vfr_step_of(struct ctx *c, uint16_t dom, uint16_t port)
{
	c->trace->step[c->trace->steps - 1].dom = dom;
	c->trace->step[c->trace->steps - 1].port = port;
}

void vfr_trace(struct vfr *v, uint64_t now_ns, uint16_t in_port, uint8_t *frame, uint32_t len, struct vfr_trace *out)
{
	struct vfr_pkt p = { .head = frame, .len = len, .head_len = (uint16_t)(len > UINT16_MAX ? UINT16_MAX : len) };
	struct ctx c;
	struct way w = { 0 };

	memset(out, 0, sizeof(*out));
	vfr_enter_setter(&c, v, now_ns);
	c.trace = out;
	c.in = vfr_port_at(v, in_port);
	p.in_port = in_port;
	p.out_port = VFR_NOPORT;
	w.src = c.in && c.in->slot ? vfr_dom_at(v, c.in->slot) : NULL;
	out->verdict = (uint8_t)vfr_run_once(&c, &p, &w);
	out->drop = p.drop;
	out->out_port = p.out_port;
	out->src_dom = w.src ? w.src->domid : VFR_NODOM;
	out->dst_dom = w.dst ? w.dst->domid : VFR_NODOM;
	vfr_step(&c, "verdict", "%s%s%s", out->verdict == VFR_FORWARD ? "forward" : out->verdict == VFR_DROP ? "drop: " :
		 out->verdict == VFR_HELD ? "held" : "consumed", out->verdict == VFR_DROP ? vfr_drop_name(p.drop) : "", "");
	vfr_leave_setter(&c);
}
