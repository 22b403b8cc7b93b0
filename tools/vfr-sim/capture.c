/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures of the simulator: the packets that sim_packet() makes, filtered by libpcap's own filter machine. */
#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

#include "sim.h"

int sim_capture_start(void *machine, int domid, unsigned int flags, unsigned int snaplen, const struct vc_bpf_insn *prog, unsigned int insns,
		      uint32_t *id)
{
	static uint32_t last;
	struct sim *s = machine;

	if (s->cap.id)
		return -EBUSY;
	memset(&s->cap, 0, sizeof(s->cap));
	s->cap.id = *id = ++last;
	s->cap.domid = domid;
	s->cap.flags = flags;
	s->cap.snaplen = snaplen;
	s->cap.insns = insns;
	memcpy(s->cap.prog, prog, insns * sizeof(*prog));
	return 0;
}

/* Whole records only; what does not fit stays for the next read. */
size_t sim_capture_read(void *machine, uint32_t id, void *buf, size_t max, uint32_t *count, uint32_t *lost)
{
	struct sim *s = machine;
	size_t n = 0;

	while (n + sizeof(struct vc_capture_rec) <= s->cap.len) {
		struct vc_capture_rec rec;

		memcpy(&rec, s->cap.buf + n, sizeof(rec));
		if (n + sizeof(rec) + rec.caplen > max)
			break;
		n += sizeof(rec) + rec.caplen;
		++*count;
	}
	memcpy(buf, s->cap.buf, n);
	s->cap.len -= n;
	memmove(s->cap.buf, s->cap.buf + n, s->cap.len);
	*lost = s->cap.lost;
	s->cap.lost = 0;
	return n;
}

void sim_capture_stop(void *machine, uint32_t id)
{
	((struct sim *)machine)->cap.id = 0;
}

static bool wanted(const struct sim *s, const struct vfr_pkt *p, const uint8_t *bytes)
{
	struct bpf_insn prog[VC_BPF_MAX];

	if (!s->cap.id || (s->cap.domid >= 0 && p->dst_dom != s->cap.domid))
		return false;
	if ((s->cap.flags & VC_CAPTURE_DROPS_ONLY) && p->verdict != VFR_DROP)
		return false;
	for (unsigned int i = 0; i < s->cap.insns; i++)
		prog[i] = (struct bpf_insn){s->cap.prog[i].code, s->cap.prog[i].jt, s->cap.prog[i].jf, s->cap.prog[i].k};
	return !s->cap.insns || bpf_filter(prog, bytes, p->len, p->len);
}

void sim_capture_packet(struct sim *s, const struct vfr_pkt *p, const uint8_t *bytes)
{
	struct vc_capture_rec rec = {.utc_ns = sim_ops.utc_ns(s), .len = p->len, .caplen = p->len, .dir = VC_RULE_IN};

	if (!wanted(s, p, bytes))
		return;
	if (rec.caplen > s->cap.snaplen)
		rec.caplen = s->cap.snaplen;
	if (sizeof(s->cap.buf) - s->cap.len < sizeof(rec) + rec.caplen) {
		s->cap.lost++;
		return;
	}
	rec.reason = p->verdict == VFR_DROP ? p->drop : 0;
	rec.domid = p->dst_dom == VFR_NODOM ? 0 : p->dst_dom;
	memcpy(s->cap.buf + s->cap.len, &rec, sizeof(rec));
	memcpy(s->cap.buf + s->cap.len + sizeof(rec), bytes, rec.caplen);
	s->cap.len += sizeof(rec) + rec.caplen;
}
