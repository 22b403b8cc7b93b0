/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's side of a connection, for tests: requests as strings, replies as strings. */
#ifndef TEST_XENSTORE_CLIENT_H
#define TEST_XENSTORE_CLIENT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>
#include <xenstore/xenstore.h>

struct client {
	struct xs_conn *conn;
	uint32_t tx;          /* for the next requests */
	uint32_t req_id;
	char reply[4097];     /* of the last request, closed with a NUL */
	uint32_t reply_len;
	unsigned int n_events;
	char event[4096];     /* the last event: path, NUL, token, NUL */
	char last_events[16][128]; /* the last events as "path token" */
};

/* Send one request and take messages up to its reply, events into event[]. Returns 0 or -errno of the reply. */
int ask(struct client *c, uint32_t type, const void *payload, size_t len);
/* One string, with its NUL. */
int ask1(struct client *c, uint32_t type, const char *s);
/* Two strings; the second with its NUL for all but WRITE. */
int ask2(struct client *c, uint32_t type, const char *s, const char *t);
/* Take what waits; returns the number of events. */
unsigned int take_events(struct client *c);
/* Was "path token" among the last 16 events? */
int had_event(const struct client *c, const char *path_token);

int begin_tx(struct client *c);
int end_tx(struct client *c, int commit);

#endif
