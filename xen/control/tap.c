/* SPDX-License-Identifier: BSD-2-Clause */
/* The tap's buffer: records one after the other; a reader takes whole ones from the front. tap.h is the contract. */
#include <errno.h>
#include <string.h>

#include <control/tap.h>

#define NO_DOM 0xffffu

int tap_start(struct tap *t, int domid, unsigned int flags, unsigned int snaplen, const struct vc_bpf_insn *prog, unsigned int insns,
	      uint32_t *id)
{
	uint8_t *buf = env_alloc(TAP_BYTES);

	if (!buf)
		return -ENOMEM;
	env_lock(&t->lock);
	if (t->id) {
		env_unlock(&t->lock);
		env_free(buf, TAP_BYTES);
		return -EBUSY;
	}
	t->buf = buf;
	t->len = 0;
	t->lost = 0;
	t->domid = domid;
	t->flags = flags;
	t->snaplen = snaplen;
	t->insns = insns;
	if (insns)
		memcpy(t->prog, prog, insns * sizeof(*prog));
	*id = t->id = ++t->last_id;
	atomic_store(&t->on, true);
	env_unlock(&t->lock);
	return 0;
}

size_t tap_read(struct tap *t, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost)
{
	size_t n = 0;

	env_lock(&t->lock);
	while (t->id == id && n + sizeof(struct vc_capture_rec) <= t->len) {
		struct vc_capture_rec rec;

		memcpy(&rec, t->buf + n, sizeof(rec));
		if (n + sizeof(rec) + rec.caplen > max)
			break;
		n += sizeof(rec) + rec.caplen;
		++*count;
	}
	if (t->id == id) {
		memcpy(buf, t->buf, n);
		t->len -= n;
		memmove(t->buf, t->buf + n, t->len);
		*lost = t->lost;
		t->lost = 0;
	}
	env_unlock(&t->lock);
	return n;
}

void tap_stop(struct tap *t, uint32_t id)
{
	uint8_t *buf = NULL;

	env_lock(&t->lock);
	if (t->id == id) {
		atomic_store(&t->on, false);
		buf = t->buf;
		t->buf = NULL;
		t->id = 0;
	}
	env_unlock(&t->lock);
	env_free(buf, TAP_BYTES);
}

static bool wanted(const struct tap *t, const struct tap_packet *p)
{
	if (!t->id)
		return false;
	if (t->domid >= 0 && p->src_dom != t->domid && p->dst_dom != t->domid)
		return false;
	if ((t->flags & VC_CAPTURE_DROPS_ONLY) && !p->dropped)
		return false;
	return !t->insns || bpf_run(t->prog, t->insns, p->bytes, p->linear, p->len);
}

static void record(struct tap *t, const struct tap_packet *p)
{
	bool in = p->dst_dom != NO_DOM || p->src_dom == NO_DOM;
	uint16_t dom = in ? p->dst_dom : p->src_dom;
	struct vc_capture_rec rec = {
		.utc_ns = p->utc_ns, .len = p->len, .caplen = p->linear < t->snaplen ? p->linear : t->snaplen,
		.domid = dom == NO_DOM ? 0 : dom, .reason = p->dropped ? p->reason : 0, .dir = in ? VC_RULE_IN : VC_RULE_OUT,
	};

	if (TAP_BYTES - t->len < sizeof(rec) + rec.caplen) {
		t->lost++;
		return;
	}
	memcpy(t->buf + t->len, &rec, sizeof(rec));
	memcpy(t->buf + t->len + sizeof(rec), p->bytes, rec.caplen);
	t->len += sizeof(rec) + rec.caplen;
}

void tap_packet(struct tap *t, const struct tap_packet *p)
{
	env_lock(&t->lock);
	if (wanted(t, p))
		record(t, p);
	env_unlock(&t->lock);
}
