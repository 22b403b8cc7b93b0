/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of one connection, as tables: what a TCP segment does to it, and how long it may be silent (RFC 5382, 7857; UDP
 * RFC 4787; ICMP RFC 5508). Sequence numbers are not followed: the guests do that; a reset only shortens the life.
 */
#include <vfr/priv.h>

/*
 * CROSSED: both ends have called (simultaneous open, RFC 9293 figure 7); then both acknowledge, in either order. TORN: reset after it
 * was open. Anybody can send a reset that its receiver does not believe, so data opens it again (RFC 7857 section 2, figure 1). One that
 * was reset before it was open stays so, or who gets no answer could make himself an established connection.
 */
enum { SYN_SENT, SYN_RCVD, CROSSED, CROSSED_OPENER, CROSSED_OTHER, OPEN, FIN_OPENER, FIN_OTHER, CLOSING, RESET, TORN, TCP_STATES };
enum { UDP_NEW, UDP_BOTH };
static_assert(OPEN == CONN_TCP_OPEN && TORN == CONN_TCP_TORN && UDP_BOTH == CONN_UDP_BOTH, "as conn_steady() has them");

#define X CONN_INVALID
/* [state][from the opener?][event SYN, SYNACK, ACK, FIN, RST] */
static const uint8_t tcp_next[TCP_STATES][2][CE_COUNT] = {
	[SYN_SENT] = { { CROSSED, SYN_RCVD, X, X, RESET }, { SYN_SENT, X, X, X, RESET } },
	[SYN_RCVD] = { { X, SYN_RCVD, SYN_RCVD, FIN_OTHER, RESET }, { SYN_RCVD, X, OPEN, FIN_OPENER, RESET } },
	[CROSSED] = { { CROSSED, CROSSED_OTHER, X, X, RESET }, { CROSSED, CROSSED_OPENER, X, X, RESET } },
	/* Who has acknowledged; the other's acknowledgement opens it. */
	[CROSSED_OPENER] = { { CROSSED_OPENER, OPEN, OPEN, FIN_OTHER, RESET },
			     { CROSSED_OPENER, CROSSED_OPENER, CROSSED_OPENER, FIN_OPENER, RESET } },
	[CROSSED_OTHER] = { { X, CROSSED_OTHER, CROSSED_OTHER, FIN_OTHER, RESET }, { CROSSED_OTHER, OPEN, OPEN, FIN_OPENER, RESET } },
	[OPEN] = { { X, OPEN, OPEN, FIN_OTHER, TORN }, { OPEN, OPEN, OPEN, FIN_OPENER, TORN } },
	[FIN_OPENER] = { { X, X, FIN_OPENER, CLOSING, TORN }, { X, X, FIN_OPENER, FIN_OPENER, TORN } },
	[FIN_OTHER] = { { X, X, FIN_OTHER, FIN_OTHER, TORN }, { X, X, FIN_OTHER, CLOSING, TORN } },
	/* A new SYN may reuse the ports of a connection that is closing (RFC 6191) or was reset. */
	[CLOSING] = { { X, X, CLOSING, CLOSING, RESET }, { SYN_SENT, X, CLOSING, CLOSING, RESET } },
	[RESET] = { { X, X, RESET, RESET, RESET }, { SYN_SENT, X, RESET, RESET, RESET } },
	[TORN] = { { X, X, OPEN, TORN, TORN }, { SYN_SENT, X, OPEN, TORN, TORN } },
};
#undef X

static const uint16_t tcp_life[TCP_STATES] = {
	[SYN_SENT] = LIFE_S(240), [SYN_RCVD] = LIFE_S(240), [CROSSED] = LIFE_S(240), [CROSSED_OPENER] = LIFE_S(240),
	[CROSSED_OTHER] = LIFE_S(240), [OPEN] = LIFE_S(7440), [FIN_OPENER] = LIFE_S(7440), [FIN_OTHER] = LIFE_S(7440),
	[CLOSING] = LIFE_S(240), [RESET] = LIFE_S(240), [TORN] = LIFE_S(240),
};

static const char *const tcp_names[TCP_STATES] = { "syn-sent", "syn-received", "syn-crossed", "crossed-opener", "crossed-other",
	"established", "fin-opener", "fin-other", "closing", "reset", "torn" };

const char *vfr_conn_state_name(uint8_t proto, uint8_t state)
{
	if (proto == IP_TCP)
		return state < TCP_STATES ? tcp_names[state] : "?";
	return state == UDP_NEW ? "one-way" : "both-ways";
}

uint8_t vfr_conn_first(uint8_t proto)
{
	return proto == IP_TCP ? SYN_SENT : UDP_NEW;
}

uint8_t vfr_conn_step(uint8_t proto, uint8_t state, bool from_opener, enum conn_event ev)
{
	if (proto == IP_TCP)
		return tcp_next[state][from_opener][ev];
	return from_opener ? state : UDP_BOTH;
}

uint16_t vfr_conn_life(uint8_t proto, uint8_t state)
{
	if (proto == IP_TCP)
		return tcp_life[state];
	if (proto == IP_ICMP || proto == IP_ICMP6)
		return LIFE_S(60);
	return state == UDP_NEW ? LIFE_S(120) : LIFE_S(300);
}

bool vfr_conn_embryonic(uint8_t proto, uint8_t state)
{
	return proto == IP_TCP ? state < OPEN || state >= CLOSING : state == UDP_NEW;
}

void vfr_conn_show(struct vfr *v, const struct conn *cn, uint32_t now, struct vfr_conn_info *out)
{
	const uint64_t *src = cn->opener_b ? cn->key.b : cn->key.a, *dst = cn->opener_b ? cn->key.a : cn->key.b;
	uint32_t idle = now - cn->stamp, life = (uint32_t)cn->life << (LIFE_SHIFT - TICK_SHIFT);
	struct vfr_dom *d = vfr_dom_at(v, cn->charged);

	*out = (struct vfr_conn_info){ .family = conn_family(&cn->key), .proto = conn_proto(&cn->key), .state = cn->state };
	if (conn_family(&cn->key) == 4) {
		env_put32(out->src, (uint32_t)src[0]);
		env_put32(out->dst, (uint32_t)dst[0]);
	} else {
		memcpy(out->src, src, 16);
		memcpy(out->dst, dst, 16);
	}
	out->sport = cn->opener_b ? conn_bport(&cn->key) : conn_aport(&cn->key);
	out->dport = cn->opener_b ? conn_aport(&cn->key) : conn_bport(&cn->key);
	out->domid = d ? d->domid : VFR_NODOM;
	out->idle_s = (uint32_t)(((uint64_t)idle << TICK_SHIFT) / SEC);
	out->expires_s = life > idle ? (uint32_t)(((uint64_t)(life - idle) << TICK_SHIFT) / SEC) : 0;
}
