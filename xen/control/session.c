/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: bytes in, one request at a time, bytes out.
 *
 * A session holds at most one reply. While that has not left, no input is taken, so a client that does not read stops itself and
 * nobody else; one that does not read for half a minute is forgotten. Damaged frames are dropped without an answer: they are what
 * a client left behind that died, and the client that is there now sent a whole one.
 */
#include "internal.h"

void *reply_add(struct reply *r, size_t n)
{
	uint8_t *p = r->body + r->len;

	if (n > VC_BODY_MAX - r->len)
		return NULL;
	memset(p, 0, n);
	r->len += n;
	return p;
}

static void session_flush(struct control_session *s)
{
	size_t n = s->c->p.ops->send(s->c->p.machine, s->transport, s->out + s->out_done, s->out_len - s->out_done);

	ENV_ASSERT(n <= s->out_len - s->out_done);
	s->out_done += n;
	if (n)
		s->out_since_ns = s->c->now_ns;
	if (s->out_done == s->out_len)
		s->out_len = s->out_done = 0;
}

/* The body stands in s->reply behind the header's place. */
void session_send(struct control_session *s, uint16_t type, uint32_t seq, size_t len)
{
	struct vc_msg *m = (void *)s->reply;

	*m = (struct vc_msg){.magic = VC_MSG_MAGIC, .version = VC_VERSION, .type = type, .seq = seq, .session = s->id, .length = len};
	m->crc = control_crc(0, s->reply, sizeof(*m) + len);
	s->out_len = control_cobs_encode(s->reply, sizeof(*m) + len, s->out);
	s->out[s->out_len++] = 0;
	s->out_done = 0;
	s->out_since_ns = s->c->now_ns;
	session_flush(s);
}

static void send_error(struct control_session *s, uint32_t seq, uint32_t index, const struct control_error *err)
{
	struct vc_error *e = (void *)(s->reply + sizeof(struct vc_msg));

	memset(e, 0, sizeof(*e));
	e->code = err->code;
	e->index = index;
	copy_name(e->name, sizeof(e->name), err->name);
	copy_name(e->owner, sizeof(e->owner), err->owner);
	copy_name(e->text, sizeof(e->text), err->text);
	session_send(s, VC_ERROR, seq, sizeof(*e));
}

static void wait_end(struct control_session *s, unsigned int news)
{
	struct vc_wait_reply *w = (void *)(s->reply + sizeof(struct vc_msg));

	s->wait.active = false;
	w->news = news;
	session_send(s, VC_WAIT | VC_REPLY, s->wait.seq, sizeof(*w));
}

void session_wait_check(struct control_session *s, uint64_t now_ns)
{
	unsigned int news;

	if (!s->wait.active || s->out_len)
		return;
	news = wait_news(s->c, &s->wait.req);
	if (news || now_ns >= s->wait.deadline_ns)
		wait_end(s, news);
}

static void session_forget(struct control_session *s)
{
	struct control *c = s->c;

	if (c->txn.owner == s)
		txn_abort(c);
	if (c->upload.owner == s)
		blob_upload_drop(c);
	s->wait.active = false;
	s->greeted = false;
}

static int hello(struct control_session *s, const struct vc_msg *m, const struct vc_hello *h, struct control_error *err)
{
	struct vc_hello_reply *r = (void *)(s->reply + sizeof(struct vc_msg));

	session_forget(s);
	s->id = m->session;
	if (m->length != sizeof(*h))
		return control_refuse(err, EMSGSIZE, "short-message", "HELLO has %u bytes, it must have %zu", m->length, sizeof(*h));
	if (!h->session || h->session != m->session)
		return control_refuse(err, EINVAL, "bad-session", "the session number is zero or not that of the header");
	if (h->min_version > VC_VERSION || h->max_version < VC_VERSION)
		return control_refuse(err, EPROTONOSUPPORT, "bad-version", "the client speaks versions %u to %u, this hypervisor %d",
				      h->min_version, h->max_version, VC_VERSION);
	if (strnlen(h->client, sizeof(h->client)) == sizeof(h->client))
		return control_refuse(err, EINVAL, "bad-name", "the name of the client is not closed by a zero byte");
	s->greeted = true;
	copy_name(s->client, sizeof(s->client), h->client);
	memset(r, 0, sizeof(*r));
	r->version = VC_VERSION;
	r->body_max = VC_BODY_MAX;
	r->generation = s->c->gen[s->c->cur].number;
	copy_name(r->server, sizeof(r->server), s->c->p.ops->server);
	session_send(s, VC_HELLO | VC_REPLY, m->seq, sizeof(*r));
	return 0;
}

static int request_check(const struct request_kind *k, const struct vc_msg *m, struct control_error *err)
{
	if (m->length < k->fixed)
		return control_refuse(err, EMSGSIZE, "short-message", "%s has %u bytes, it needs %u", k->name, m->length, k->fixed);
	if (m->length > k->fixed && !k->tail)
		return control_refuse(err, EMSGSIZE, "long-message", "%s has %u bytes, it must have %u", k->name, m->length, k->fixed);
	return 0;
}

static int request_object(struct request *rq)
{
	struct txn_result res = {0};
	struct vc_generation_reply *g;
	int rc = txn_object(rq->c, rq->s, rq->type, rq->body, rq->n, &res, &rq->index, rq->err);

	if (rc)
		return rc;
	g = reply_add(rq->r, sizeof(*g));
	g->generation = res.generation;
	g->added = res.count.added;
	g->removed = res.count.removed;
	g->changed = res.count.changed;
	return 0;
}

static int request_run(struct request *rq, const struct vc_msg *m)
{
	const struct request_kind *k;
	int rc;

	if (VC_IS_OBJECT(m->type))
		return request_object(rq);
	k = request_find(m->type);
	if (!k)
		return control_refuse(rq->err, ENOSYS, "unknown-message", "this hypervisor knows no message 0x%x", m->type);
	rc = request_check(k, m, rq->err);
	return rc ? rc : k->fn(rq);
}

static void session_request(struct control_session *s, const struct vc_msg *m, const uint8_t *body)
{
	struct control_error err = {0};
	struct reply r = {.body = s->reply + sizeof(*m)};
	struct request rq = {
		.c = s->c, .s = s, .type = m->type, .body = body, .n = m->length, .r = &r, .err = &err, .index = VC_NO_INDEX,
	};
	int rc;

	if (m->type == VC_HELLO) {
		rc = hello(s, m, (const void *)body, &err);
		if (rc)
			note_refused(s->c, "client", &err);
	} else {
		s->seq = m->seq;
		rc = request_run(&rq, m);
		if (!rc && !rq.later)
			session_send(s, m->type | VC_REPLY, m->seq, r.len);
	}
	if (rc)
		send_error(s, m->seq, rq.index, &err);
}

/* A frame that is whole, of this protocol and of this session; else it is nobody's. */
static bool frame_valid(struct control_session *s, struct vc_msg *m, size_t len)
{
	uint32_t crc;

	if (len < sizeof(*m) || m->magic != VC_MSG_MAGIC || m->length != len - sizeof(*m))
		return false;
	crc = m->crc;
	m->crc = 0;
	if (control_crc(0, m, len) != crc)
		return false;
	return m->type == VC_HELLO || (s->greeted && m->session == s->id);
}

size_t control_input(struct control_session *s, const void *bytes, size_t n, uint64_t now_ns)
{
	const uint8_t *p = bytes;
	size_t taken = 0;
	bool done;

	s->c->now_ns = now_ns;
	while (taken < n && !s->out_len) {
		struct vc_msg *m = (void *)s->in.buf;

		taken += deframer_take(&s->in, p + taken, n - taken, &done);
		if (!done)
			continue;
		if (frame_valid(s, m, s->in.len)) {
			s->wait.active = false;
			session_request(s, m, s->in.buf + sizeof(*m));
		}
		deframer_reset(&s->in);
	}
	return taken;
}

void session_flush_stale(struct control_session *s)
{
	session_flush(s);
	if (!s->out_len || s->c->now_ns - s->out_since_ns < SEND_IDLE_NS)
		return;
	env_log(ENV_WARN, "control: %s does not read its replies: session closed", s->client);
	control_session_reset(s, s->c->now_ns);
}

bool control_output(struct control_session *s, uint64_t now_ns)
{
	s->c->now_ns = now_ns;
	if (s->out_len)
		session_flush(s);
	if (s->out_len)
		return false;
	session_wait_check(s, now_ns);
	return !s->out_len;
}

struct control_session *control_session_open(struct control *c, void *transport)
{
	for (unsigned int i = 0; i < CONTROL_SESSIONS; i++) {
		struct control_session *s;

		if (c->session[i])
			continue;
		s = env_alloc(sizeof(*s));
		if (!s)
			return NULL;
		s->c = c;
		s->transport = transport;
		deframer_reset(&s->in);
		c->session[i] = s;
		return s;
	}
	return NULL;
}

void control_session_reset(struct control_session *s, uint64_t now_ns)
{
	s->c->now_ns = now_ns;
	session_forget(s);
	deframer_reset(&s->in);
	s->out_len = s->out_done = 0;
}

void control_session_close(struct control_session *s, uint64_t now_ns)
{
	struct control *c = s->c;

	control_session_reset(s, now_ns);
	for (unsigned int i = 0; i < CONTROL_SESSIONS; i++)
		if (c->session[i] == s)
			c->session[i] = NULL;
	env_free(s, sizeof(*s));
}
