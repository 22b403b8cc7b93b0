/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection. QEMU lets one client at a time talk to the port, the next one waits in the socket's queue; so HELLO is sent again
 * and again until it is answered, and who waits longer than a second is told why. HELLO is repeated for another reason too: what is
 * written before the hypervisor has opened its side may be lost.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vfrc.h"

#define HELLO_WAIT_MS 10000
#define HELLO_AGAIN_MS 400
#define REPLY_WAIT_MS 90000
#define FRAME_MAX (sizeof(struct vc_msg) + VC_BODY_MAX)

struct vfrc {
	int fd;
	uint32_t session, seq;
	struct vc_hello_reply hello;
	size_t in_len;
	uint8_t in[VC_STREAM_MAX(FRAME_MAX)];
	uint8_t frame[FRAME_MAX + 8];
	uint8_t msg[FRAME_MAX];
	uint8_t out[VC_STREAM_MAX(FRAME_MAX) + 1];
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int send_all(struct vfrc *c, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= k;
	}
	return 0;
}

static int send_message(struct vfrc *c, uint16_t type, uint32_t seq, const void *body, size_t n)
{
	size_t len = vfrc_message(c->msg, type, seq, c->session, body, n);

	/* A zero ahead ends whatever the client before us left half. */
	c->out[0] = 0;
	return send_all(c, c->out, 1 + vfrc_cobs(c->msg, len, c->out + 1));
}

/* The next frame of this session, waiting until `deadline`: 1, 0 at the deadline, -1 when the connection is gone. */
static int next_frame(struct vfrc *c, int64_t deadline)
{
	for (;;) {
		uint8_t *end = memchr(c->in, 0, c->in_len);
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		ssize_t k;

		if (end) {
			struct vc_msg *m = (void *)c->frame;
			long n = vfrc_uncobs(c->in, end - c->in, c->frame, sizeof(c->frame));
			uint32_t crc;

			c->in_len -= end + 1 - c->in;
			memmove(c->in, end + 1, c->in_len);
			if (n < (long)sizeof(*m) || m->magic != VC_MSG_MAGIC || m->length != n - sizeof(*m))
				continue;
			crc = m->crc;
			m->crc = 0;
			if (vfrc_crc(0, c->frame, n) == crc && m->session == c->session)
				return 1;
			continue;
		}
		if (c->in_len == sizeof(c->in))
			c->in_len = 0;
		k = deadline - now_ms();
		k = poll(&p, 1, k > 0 ? k : 0);
		if (k == 0)
			return 0;
		if (k < 0 && errno != EINTR)
			return -1;
		if (k < 0)
			continue;
		k = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);
		if (k == 0 || (k < 0 && errno != EINTR))
			return -1;
		if (k > 0)
			c->in_len += k;
	}
}

static int greet(struct vfrc *c, char *why, size_t size)
{
	const struct vc_msg *m = (void *)c->frame;
	struct vc_hello h = {.session = c->session, .min_version = VC_VERSION, .max_version = VC_VERSION};
	int64_t start = now_ms();
	bool told = false;

	snprintf(h.client, sizeof(h.client), "vfrctl/%d", getpid());
	while (now_ms() - start < HELLO_WAIT_MS) {
		int rc;

		if (send_message(c, VC_HELLO, 0, &h, sizeof(h)))
			return snprintf(why, size, "the connection was closed"), -1;
		rc = next_frame(c, now_ms() + HELLO_AGAIN_MS);
		if (rc < 0)
			return snprintf(why, size, "the connection was closed"), -1;
		if (rc && m->type == (VC_HELLO | VC_REPLY) && m->length >= sizeof(c->hello)) {
			memcpy(&c->hello, m + 1, sizeof(c->hello));
			return 0;
		}
		if (rc && m->type == VC_ERROR && m->length >= sizeof(struct vc_error))
			return snprintf(why, size, "%.191s", ((const struct vc_error *)(m + 1))->text), -1;
		if (!told && now_ms() - start > 1000) {
			fprintf(stderr,
				"vfrctl: no answer yet: another client has the control port, or the hypervisor is not up; waiting\n");
			told = true;
		}
	}
	return snprintf(why, size, "no answer in %d s: another client keeps the control port, or no hypervisor is behind it",
			HELLO_WAIT_MS / 1000), -1;
}

struct vfrc *vfrc_open(const char *path, char *why, size_t size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = HELLO_WAIT_MS / 1000};
	struct vfrc *c;

	if (strlen(path) >= sizeof(sa.sun_path))
		return snprintf(why, size, "the path of the socket is too long"), NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return snprintf(why, size, "no memory"), NULL;
	strcpy(sa.sun_path, path);
	if (getrandom(&c->session, sizeof(c->session), 0) != sizeof(c->session))
		c->session = getpid() * 2654435761u;
	c->session |= 1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (c->fd < 0 || connect(c->fd, (void *)&sa, sizeof(sa)))
		snprintf(why, size, "%s", strerror(errno));
	else if (!greet(c, why, size))
		return c;
	vfrc_close(c);
	return NULL;
}

void vfrc_close(struct vfrc *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

const char *vfrc_server(const struct vfrc *c)
{
	return c->hello.server;
}

uint64_t vfrc_generation(const struct vfrc *c)
{
	return c->hello.generation;
}

static int lost(struct vfrc_reply *r, const char *why)
{
	memset(&r->err, 0, sizeof(r->err));
	r->err.code = EPIPE;
	strcpy(r->err.name, "unreachable");
	snprintf(r->err.text, sizeof(r->err.text), "%s", why);
	return VFRC_LOST;
}

int vfrc_call(struct vfrc *c, uint16_t type, const void *body, size_t n, struct vfrc_reply *r)
{
	const struct vc_msg *m = (void *)c->frame;
	uint32_t seq = ++c->seq;

	memset(r, 0, sizeof(*r));
	if (n > VC_BODY_MAX)
		return lost(r, "the message is too long");
	if (send_message(c, type, seq, body, n))
		return lost(r, "the connection was closed");
	for (;;) {
		int rc = next_frame(c, now_ms() + REPLY_WAIT_MS);

		if (rc <= 0)
			return lost(r, rc ? "the connection was closed" : "the hypervisor does not answer");
		if (m->seq != seq)
			continue;
		r->body = (const uint8_t *)(m + 1);
		r->n = m->length;
		if (m->type == VC_ERROR && m->length >= sizeof(r->err)) {
			memcpy(&r->err, r->body, sizeof(r->err));
			r->err.text[sizeof(r->err.text) - 1] = 0;
			return VFRC_REFUSED;
		}
		if (m->type == (type | VC_REPLY))
			return VFRC_OK;
	}
}

int vfrc_pages(struct vfrc *c, uint16_t type, struct vc_page *q, int (*fn)(void *ctx, const struct vc_page_reply *p, const uint8_t *rec,
	       const uint8_t *end), void *ctx, struct vfrc_reply *r)
{
	do {
		struct vc_page_reply p;
		int rc = vfrc_call(c, type, q, sizeof(*q), r);

		if (rc)
			return rc;
		if (r->n < sizeof(p))
			return lost(r, "a reply is too short");
		memcpy(&p, r->body, sizeof(p));
		if (p.record && p.count > (r->n - sizeof(p)) / p.record)
			return lost(r, "a reply is too short");
		if (fn(ctx, &p, r->body + sizeof(p), r->body + r->n))
			return VFRC_OK;
		q->cursor = p.next;
	} while (q->cursor != VC_CURSOR_END);
	return VFRC_OK;
}
