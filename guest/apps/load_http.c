/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP load: connections kept open, each with one request under way; a connection that ends is opened anew. */
#include "load.h"
#include <stdio.h>
#include <string.h>
#include "kernel.h"
#include "lwip/tcp.h"

#define CONNS 64

struct client {
	struct tcp_pcb *pcb;
	uint8_t matched;		/* of the four bytes that end the head */
	bool in_body;
	unsigned int body_left;
	unsigned int nline;
	char line[40];
};

static struct client clients[CONNS];
static struct load_target target;

static void client_open(struct client *c);

static void ask(struct client *c)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: load\r\n\r\n";

	c->in_body = false;
	c->matched = 0;
	c->body_left = 0;
	if (tcp_write(c->pcb, request, sizeof(request) - 1, 0) == ERR_OK) {
		tcp_output(c->pcb);
		load_count(1, 0);
	}
}

static void end_of_line(struct client *c)
{
	static const char length[] = "content-length: ";
	const char *p = c->line + sizeof(length) - 1;

	c->line[c->nline] = 0;
	if (c->nline >= sizeof(length) && !memcmp(c->line, length, sizeof(length) - 1))
		c->body_left = (unsigned int)parse_number(&p);
	c->nline = 0;
}

/* => whether this byte was the last of an answer. */
static bool feed(struct client *c, char ch)
{
	static const char end[] = "\r\n\r\n";

	if (c->in_body)
		return --c->body_left == 0;
	c->matched = ch == end[c->matched] ? (uint8_t)(c->matched + 1) : ch == '\r';
	if (ch == '\n')
		end_of_line(c);
	else if (c->nline < sizeof(c->line) - 1 && ch != '\r')
		c->line[c->nline++] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
	c->in_body = c->matched == 4;
	return c->in_body && !c->body_left;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct client *c = arg;
	struct pbuf *q;
	u16_t i;

	(void)err;
	if (!p) {
		tcp_arg(pcb, NULL);
		tcp_err(pcb, NULL);
		tcp_close(pcb);
		client_open(c);
		return ERR_OK;
	}
	for (q = p; q; q = q->next)
		for (i = 0; i < q->len; i++)
			if (feed(c, ((const char *)q->payload)[i])) {
				load_count(0, 1);
				ask(c);
			}
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)pcb;
	if (err == ERR_OK)
		ask(arg);
	return ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	(void)err;
	if (arg)
		client_open(arg);
}

static void client_open(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->pcb = tcp_new();
	if (!c->pcb)
		return;
	tcp_arg(c->pcb, c);
	tcp_recv(c->pcb, on_recv);
	tcp_err(c->pcb, on_err);
	tcp_nagle_disable(c->pcb);
	/* A port of our slice, when one was given: the first of it on, one a connection. */
	if (target.from)
		tcp_bind(c->pcb, IP_ADDR_ANY, (u16_t)(target.from + (c - clients)));
	tcp_connect(c->pcb, &target.addr, target.port, on_connected);
}

void load_http_start(const struct load_target *to, unsigned int conns)
{
	unsigned int i;

	target = *to;
	for (i = 0; i < conns && i < CONNS; i++)
		client_open(&clients[i]);
}
