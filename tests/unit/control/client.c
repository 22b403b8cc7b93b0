/* SPDX-License-Identifier: BSD-2-Clause */
/* A client without a socket: frames made and read by the tools' own code, as a second opinion on control's. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "../../../tools/lib/vfrc.h"

static size_t take(void *machine, void *transport, const void *bytes, size_t n)
{
	struct client *cl = transport;

	if (n > cl->room)
		n = cl->room;
	if (n > sizeof(cl->out) - cl->len)
		n = sizeof(cl->out) - cl->len;
	memcpy(cl->out + cl->len, bytes, n);
	cl->len += n;
	if (cl->room != SIZE_MAX)
		cl->room -= n;
	return n;
}

int world_open(struct world *w, uint32_t hold_s)
{
	memset(w, 0, sizeof(*w));
	w->sim = calloc(1, sizeof(*w->sim));
	w->ops = sim_ops;
	w->ops.send = take;
	w->now = 1000000000;
	sim_clock = &w->now;
	if (w->sim)
		w->sim->domains = 64;
	if (!w->sim || sim_init(w->sim, hold_s, &w->ops)) {
		world_close(w);
		return -1;
	}
	w->sim->any_module = true;
	w->c = w->sim->control;
	return 0;
}

void world_close(struct world *w)
{
	if (w->sim)
		sim_free(w->sim);
	free(w->sim);
}

int client_open(struct client *cl, struct world *w)
{
	memset(cl, 0, sizeof(*cl));
	cl->room = SIZE_MAX;
	cl->s = control_session_open(w->c, cl);
	return cl->s ? client_hello(cl, w, 7) : -1;
}

size_t client_encode(struct client *cl, uint16_t type, const void *body, size_t n, uint8_t *out)
{
	static uint8_t msg[sizeof(struct vc_msg) + VC_BODY_MAX];

	return vfrc_cobs(msg, vfrc_message(msg, type, ++cl->seq, cl->session, body, n), out);
}

bool client_reply(struct client *cl)
{
	uint8_t *end = memchr(cl->out, 0, cl->len);
	const struct vc_msg *m = (const void *)cl->frame;
	long n;

	if (!end)
		return false;
	n = vfrc_uncobs(cl->out, end - cl->out, cl->frame, sizeof(cl->frame));
	cl->len -= end + 1 - cl->out;
	memmove(cl->out, end + 1, cl->len);
	if (n < (long)sizeof(*m) || m->length != n - sizeof(*m))
		return false;
	cl->type = m->type;
	cl->body = (const uint8_t *)(m + 1);
	cl->n = m->length;
	return true;
}

const struct vc_error *client_error(const struct client *cl)
{
	return (const void *)cl->body;
}

int client_call(struct client *cl, struct world *w, uint16_t type, const void *body, size_t n)
{
	static uint8_t stream[OUT_MAX];
	size_t len = client_encode(cl, type, body, n, stream);

	if (control_input(cl->s, stream, len, w->now) != len || !client_reply(cl))
		return -1;
	if (cl->type == VC_ERROR)
		return client_error(cl)->code;
	return cl->type == (type | VC_REPLY) ? 0 : -1;
}

int client_hello(struct client *cl, struct world *w, uint32_t session)
{
	struct vc_hello h = {.session = session, .min_version = VC_VERSION, .max_version = VC_VERSION, .client = "test"};

	cl->session = session;
	return client_call(cl, w, VC_HELLO, &h, sizeof(h));
}

static struct vc_ip ip4(uint32_t v4)
{
	struct vc_ip ip = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4 >> 24, v4 >> 16 & 0xff, v4 >> 8 & 0xff, v4 & 0xff}};

	return ip;
}

struct vc_addr_add m_addr(uint32_t v4)
{
	struct vc_addr_add a = {.addr = ip4(v4), .gateway = ip4((v4 & ~0xffu) | 2), .uplink = "net0", .prefix = 24,
				.flags = VC_ADDR_SHARED};

	return a;
}

struct vc_slice_add m_slice(uint32_t v4, const char *dom, unsigned int first, unsigned int last)
{
	struct vc_slice_add s = {.addr = ip4(v4), .kind = VC_SLICE_RANGE, .protos = 7, .first = first, .last = last};

	strncpy(s.dom, dom, sizeof(s.dom) - 1);
	return s;
}

struct vc_dom_create m_dom(const char *name)
{
	struct vc_dom_create d = {.mem_bytes = 4 << 20, .vcpus = 1, .kernel = "kernel"};

	strncpy(d.name, name, sizeof(d.name) - 1);
	return d;
}

struct vc_rate_set m_rate(const char *dom, uint64_t bps)
{
	struct vc_rate_set r = {.out_bps = bps};

	strncpy(r.dom, dom, sizeof(r.dom) - 1);
	return r;
}
