/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksum and segmentation offload in software: for receivers that cannot, and to check what a guest asks for.
 */
#include <string.h>

#include <env.h>
#include <pkt.h>

#define ETH_HEADER 14
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define IP_TCP 6
#define IP_UDP 17
#define TCP_HEADER 20
#define TCP_CSUM 16
#define UDP_HEADER 8
#define UDP_CSUM 6
#define TCP_FLAGS 13
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

#define IPV6_EXTENSIONS_MAX 8

/* The protocol number is a plain extension header: its length in the second byte. */
static bool is_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 60;
}

/* => offset of the L4 header and its protocol, or 0: none that a checksum could be in. */
static uint32_t find_l4(const uint8_t *h, uint32_t len, uint8_t *proto, bool *v6)
{
	uint16_t type = env_get16(h + 12);
	uint32_t at = ETH_HEADER + IPV6_HEADER;

	*v6 = type == ETHERTYPE_IPV6;
	if (type == ETHERTYPE_IPV4 && len >= ETH_HEADER + IPV4_HEADER) {
		uint32_t ihl = (h[ETH_HEADER] & 15u) * 4;

		*proto = h[ETH_HEADER + 9];
		if (ihl < IPV4_HEADER || (env_get16(h + ETH_HEADER + 6) & 0x3fff))
			return 0;
		return ETH_HEADER + ihl;
	}
	if (!*v6 || len < at)
		return 0;
	*proto = h[ETH_HEADER + 6];
	for (unsigned int i = 0; i < IPV6_EXTENSIONS_MAX && is_extension(*proto); i++) {
		if (at + 8 > len)
			return 0;
		*proto = h[at];
		at += (h[at + 1] + 1u) * 8;
	}
	return at;
}

bool pkt_offload_locate(struct pkt *p)
{
	uint32_t linear = p->v.head_len, l4;
	uint8_t proto;
	bool v6;

	if (linear < ETH_HEADER)
		return false;
	l4 = find_l4(p->v.head, linear, &proto, &v6);
	if (!l4)
		return false;
	p->v.csum = VFR_CSUM_PARTIAL;
	p->v.csum_start = (uint16_t)l4;
	if (proto == IP_TCP && l4 + TCP_HEADER <= linear)
		p->v.csum_offset = TCP_CSUM;
	else if (proto == IP_UDP && l4 + UDP_HEADER <= linear)
		p->v.csum_offset = UDP_CSUM;
	else
		return false;
	switch (p->v.gso) {
	case VFR_GSO_NONE:
		return true;
	case VFR_GSO_TCPV4:
	case VFR_GSO_TCPV6: {
		uint32_t headers = l4 + (p->v.head[l4 + 12] >> 4) * 4u;

		return proto == IP_TCP && v6 == (p->v.gso == VFR_GSO_TCPV6) && headers >= l4 + TCP_HEADER && headers <= linear &&
		       headers < p->v.len && p->v.gso_size;
	}
	default:
		return false;
	}
}

uint32_t pkt_headers_len(const struct pkt *p)
{
	return p->v.csum_start + (p->v.head[p->v.csum_start + 12] >> 4) * 4u;
}

/* One's complement sum of 16-bit words as they lie in memory; `odd`: the bytes start at an odd place of the packet. */
static uint64_t sum_bytes(const uint8_t *b, uint32_t n, bool odd)
{
	uint64_t sum = 0;
	uint32_t w;
	uint16_t fold;

	for (; n >= 4; n -= 4, b += 4) {
		memcpy(&w, b, 4);
		sum += w;
	}
	w = 0;
	memcpy(&w, b, n);
	sum += w;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	fold = (uint16_t)sum;
	return odd ? (uint16_t)(fold << 8 | fold >> 8) : fold;
}

static uint16_t fold_sum(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* => the folded sum of the packet from `start` to its end, what is in the checksum field included */
static uint16_t sum_packet(struct pkt *p, uint32_t start)
{
	struct pkt_piece piece[PKT_SEGS];
	unsigned int n = pkt_pieces(p, piece);
	uint32_t skip = start, done = 0;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t from = skip < piece[i].len ? skip : piece[i].len;

		skip -= from;
		sum += sum_bytes(piece[i].va + from, piece[i].len - from, done & 1);
		done += piece[i].len - from;
	}
	return fold_sum(sum);
}

static void store_csum(uint8_t *field, uint16_t sum, bool udp)
{
	sum = (uint16_t)~sum;
	if (!sum && udp)
		sum = 0xffff; /* zero would say "no checksum" */
	memcpy(field, &sum, sizeof(sum));
}

void pkt_csum_finish(struct pkt *p)
{
	if (p->v.csum != VFR_CSUM_PARTIAL)
		return;
	store_csum(p->v.head + p->v.csum_start + p->v.csum_offset, sum_packet(p, p->v.csum_start), p->v.csum_offset == UDP_CSUM);
	p->v.csum = VFR_CSUM_VERIFIED;
}

/* The pseudo-header sum of a TCP packet of `l4_len` bytes, as it stands in a partial checksum. */
static uint16_t pseudo_sum(const uint8_t *ip, bool v6, uint32_t l4_len)
{
	uint64_t sum = env_be16(IP_TCP) + (uint64_t)env_be16((uint16_t)l4_len);

	sum += v6 ? sum_bytes(ip + 8, 32, false) : sum_bytes(ip + 12, 8, false);
	return fold_sum(sum);
}

/* Make the headers, copied from the long segment, those of the part that starts `done` bytes into the payload. */
static void fix_headers(struct pkt *seg, const struct pkt *whole, uint32_t headers, uint32_t done, uint32_t chunk, bool last)
{
	uint8_t *ip = seg->v.head + ETH_HEADER, *tcp = seg->v.head + whole->v.csum_start;
	bool v6 = whole->v.gso == VFR_GSO_TCPV6;
	uint16_t sum;

	if (v6) {
		env_put16(ip + 4, (uint16_t)(headers - ETH_HEADER - IPV6_HEADER + chunk));
	} else {
		env_put16(ip + 2, (uint16_t)(headers - ETH_HEADER + chunk));
		env_put16(ip + 4, (uint16_t)(env_get16(ip + 4) + done / whole->v.gso_size));
		memset(ip + 10, 0, 2);
		sum = (uint16_t)~sum_bytes(ip, (ip[0] & 15u) * 4, false);
		memcpy(ip + 10, &sum, sizeof(sum));
	}
	env_put32(tcp + 4, env_get32(tcp + 4) + done);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (done)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	sum = pseudo_sum(ip, v6, headers - whole->v.csum_start + chunk);
	memcpy(tcp + TCP_CSUM, &sum, sizeof(sum));
	seg->v.csum = VFR_CSUM_PARTIAL;
	seg->v.csum_start = whole->v.csum_start;
	seg->v.csum_offset = TCP_CSUM;
	pkt_csum_finish(seg);
}

/* What the router found out, which the queues behind it look at. */
static void inherit(struct pkt *seg, const struct pkt *whole)
{
	seg->v.in_port = whole->v.in_port;
	seg->v.out_port = whole->v.out_port;
	seg->v.src_dom = whole->v.src_dom;
	seg->v.dst_dom = whole->v.dst_dom;
	seg->v.dscp = whole->v.dscp;
	seg->v.ecn = whole->v.ecn;
	seg->v.sched_class = whole->v.sched_class;
	seg->v.flow_hash = whole->v.flow_hash;
	seg->v.l3 = whole->v.l3;
	seg->v.l4 = whole->v.l4;
	seg->v.proto = whole->v.proto;
	seg->v.flags = whole->v.flags;
	seg->v.verdict = whole->v.verdict;
}

bool pkt_segment(struct pkt *p, struct pktq *out)
{
	uint32_t headers = pkt_headers_len(p), payload = p->v.len - headers, done = 0;
	uint8_t saved[PKT_HEAD];
	struct pkt_cursor c;

	if (headers > sizeof(saved) || headers + p->v.gso_size > PKT_DATA_MAX) {
		pkt_free(p);
		return false;
	}
	pkt_cursor_init(&c, p);
	pkt_cursor_copy(&c, saved, headers);
	while (done < payload) {
		uint32_t chunk = payload - done < p->v.gso_size ? payload - done : p->v.gso_size;
		struct pkt *seg = pkt_alloc();

		if (!seg)
			break; /* as on a full queue: the sender repeats the rest */
		memcpy(pkt_data(seg), saved, headers);
		pkt_cursor_copy(&c, pkt_data(seg) + headers, chunk);
		pkt_frame(seg, headers + chunk, headers + chunk);
		inherit(seg, p);
		fix_headers(seg, p, headers, done, chunk, done + chunk == payload);
		pktq_push(out, seg);
		done += chunk;
	}
	pkt_free(p);
	return done >= payload;
}
