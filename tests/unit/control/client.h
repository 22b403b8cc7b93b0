/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of control without a socket: what the session sends lands in a buffer, whole or in small pieces. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <control/control.h>

#include "../../../tools/vfr-sim/sim.h"

#define OUT_MAX (VC_STREAM_MAX(VC_BODY_MAX + 64))

struct client {
	struct control_session *s;
	uint32_t session, seq;
	size_t room;		/* bytes that the transport takes before it is full; SIZE_MAX: all */
	size_t len;		/* bytes taken and not read */
	uint8_t out[OUT_MAX];
	uint8_t frame[OUT_MAX];	/* the last reply */
	uint16_t type;
	const uint8_t *body;
	size_t n;
};

struct world {
	struct sim *sim;
	struct control *c;
	struct control_ops ops;
	uint64_t now;
};

/* => a machine; hold-down of h seconds */
int world_open(struct world *w, uint32_t hold_s);
void world_close(struct world *w);
int client_open(struct client *cl, struct world *w);
/* => the stream bytes of a message, with the closing zero; returns their number */
size_t client_encode(struct client *cl, uint16_t type, const void *body, size_t n, uint8_t *out);
/* => sends a message and reads the reply; 0, or the errno of a refusal, or -1 without a reply */
int client_call(struct client *cl, struct world *w, uint16_t type, const void *body, size_t n);
/* => takes a reply out of what was sent; false: there is none */
bool client_reply(struct client *cl);
int client_hello(struct client *cl, struct world *w, uint32_t session);
const struct vc_error *client_error(const struct client *cl);

/* Bodies of messages. */
struct vc_addr_add m_addr(uint32_t v4);
struct vc_slice_add m_slice(uint32_t v4, const char *dom, unsigned int first, unsigned int last);
struct vc_dom_create m_dom(const char *name);
struct vc_rate_set m_rate(const char *dom, uint64_t bps);
#endif
