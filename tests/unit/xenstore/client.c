/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends in odd pieces and reads in odd pieces, so that every test is one of the chunking, too. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void pull(struct client *c, char *buf, size_t n)
{
	size_t have = 0;
	for (size_t piece = 1; have < n; piece = piece * 3 % 61 + 1) {
		size_t got = xs_conn_output(c->conn, buf + have, piece < n - have ? piece : n - have);
		if (got == 0) {
			fprintf(stderr, "the connection ends inside a message\n");
			abort();
		}
		have += got;
	}
}

static void push(struct client *c, const char *buf, size_t n)
{
	size_t done = 0;
	for (size_t piece = 7; done < n; piece = piece * 5 % 97 + 1) {
		size_t want = piece < n - done ? piece : n - done, took = xs_conn_input(c->conn, buf + done, want);
		done += took;
		if (took < want) {
			fprintf(stderr, "input is refused although nothing waits to be read\n");
			abort();
		}
	}
}

static void note_event(struct client *c, const char *payload)
{
	memcpy(c->event, payload, sizeof(c->event));
	snprintf(c->last_events[c->n_events++ % 16], sizeof(c->last_events[0]), "%.80s %.40s", payload, payload + strlen(payload) + 1);
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (!strcmp(name, xsd_errors[i].errstring))
			return -xsd_errors[i].errnum;
	fprintf(stderr, "unknown error \"%s\"\n", name);
	abort();
}

/* One message; false when there is none. */
static int take_message(struct client *c, struct xsd_sockmsg *hdr, char *payload)
{
	char first;
	if (xs_conn_output(c->conn, &first, 1) == 0)
		return 0;
	*(char *)hdr = first;
	pull(c, (char *)hdr + 1, sizeof(*hdr) - 1);
	pull(c, payload, hdr->len);
	payload[hdr->len] = '\0';
	return 1;
}

int ask(struct client *c, uint32_t type, const void *payload, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = ++c->req_id, .tx_id = c->tx, .len = (uint32_t)len };
	char buf[4097];
	take_events(c);
	push(c, (char *)&hdr, sizeof(hdr));
	push(c, payload, len);
	while (take_message(c, &hdr, buf)) {
		if (hdr.type == XS_WATCH_EVENT) {
			note_event(c, buf);
			continue;
		}
		if (hdr.req_id != c->req_id || (hdr.type != type && hdr.type != XS_ERROR)) {
			fprintf(stderr, "reply to another request\n");
			abort();
		}
		memcpy(c->reply, buf, hdr.len + 1);
		c->reply_len = hdr.len;
		return hdr.type == XS_ERROR ? error_number(buf) : 0;
	}
	fprintf(stderr, "no reply to request type %u\n", type);
	abort();
}

int ask1(struct client *c, uint32_t type, const char *s)
{
	return ask(c, type, s, strlen(s) + 1);
}

int ask2(struct client *c, uint32_t type, const char *s, const char *t)
{
	char buf[4096];
	size_t n = strlen(s) + 1, m = strlen(t) + (type != XS_WRITE);
	memcpy(buf, s, n);
	memcpy(buf + n, t, m);
	return ask(c, type, buf, n + m);
}

unsigned int take_events(struct client *c)
{
	struct xsd_sockmsg hdr;
	char buf[4097];
	unsigned int n = 0;
	while (take_message(c, &hdr, buf)) {
		if (hdr.type != XS_WATCH_EVENT) {
			fprintf(stderr, "a reply that nobody asked for\n");
			abort();
		}
		note_event(c, buf);
		n++;
	}
	return n;
}

int had_event(const struct client *c, const char *path_token)
{
	for (unsigned int i = 0; i < 16; i++)
		if (!strcmp(c->last_events[i], path_token))
			return 1;
	return 0;
}

int begin_tx(struct client *c)
{
	c->tx = 0;
	int err = ask(c, XS_TRANSACTION_START, "", 1);
	c->tx = err ? 0 : (uint32_t)atoi(c->reply);
	return err;
}

int end_tx(struct client *c, int commit)
{
	int err = ask1(c, XS_TRANSACTION_END, commit ? "T" : "F");
	c->tx = 0;
	return err;
}
