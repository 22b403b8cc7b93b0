/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.0 and 1.1 on lwIP's raw interface. A request ends at an empty line; its words are not read beyond what decides whether
 * the connection stays open. Pipelined requests are answered in order. A connection's state is one small struct from a fixed
 * pool; when the pool is empty, new connections are refused.
 */
#include "http.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kernel.h"
#include "lwip/tcp.h"
#include "store.h"

#define CONNS 128
#define IDLE_POLLS 60		/* of half a second each */

struct conn {
	struct conn *next;
	uint8_t matched;	/* of the four bytes that end a request */
	bool close, http10, line_start;
	uint8_t idle, nline;
	char line[24];		/* start of the current header line, lower case */
};

static struct conn conns[CONNS], *free_conns;
static unsigned long requests;
static char name[64];

unsigned long http_requests(void)
{
	return requests;
}

static void conn_free(struct conn *c)
{
	c->next = free_conns;
	free_conns = c;
}

static void answer(struct conn *c, struct tcp_pcb *pcb)
{
	const uint8_t *ip = (const uint8_t *)&pcb->remote_ip.addr;
	const uint8_t *us = (const uint8_t *)&pcb->local_ip.addr;
	char head[192], body[256];
	int n, m;

	n = snprintf(body, sizeof(body), "Hello from %s at %u.%u.%u.%u:%u\nYou are %u.%u.%u.%u:%u\n", name, us[0], us[1], us[2], us[3],
		     pcb->local_port, ip[0], ip[1], ip[2], ip[3], pcb->remote_port);
	m = snprintf(head, sizeof(head),
		     "HTTP/1.1 200 OK\r\nServer: small\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n", n,
		     c->close ? "close" : "keep-alive");
	tcp_write(pcb, head, (u16_t)m, TCP_WRITE_FLAG_COPY | TCP_WRITE_FLAG_MORE);
	tcp_write(pcb, body, (u16_t)n, TCP_WRITE_FLAG_COPY);
	requests++;
}

static void end_of_line(struct conn *c)
{
	static const char closing[] = "connection: close", keeping[] = "connection: keep-alive";

	c->line[c->nline] = 0;
	if (!strncmp(c->line, closing, sizeof(closing) - 1))
		c->close = true;
	if (!strncmp(c->line, keeping, sizeof(keeping) - 1))
		c->close = false;
	c->nline = 0;
}

/* => whether this byte ended a request. */
static bool feed(struct conn *c, char ch)
{
	static const char end[] = "\r\n\r\n";

	c->matched = ch == end[c->matched] ? (uint8_t)(c->matched + 1) : ch == '\r';
	if (ch == '\n')
		end_of_line(c);
	else if (c->nline < sizeof(c->line) - 1 && ch != '\r')
		c->line[c->nline++] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
	if (c->matched < 4)
		return false;
	c->matched = 0;
	return true;
}

static err_t shut(struct conn *c, struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	conn_free(c);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = arg;
	struct pbuf *q;
	bool closing = false;
	u16_t i;

	if (!p)
		return shut(c, pcb);
	(void)err;
	c->idle = 0;
	for (q = p; q; q = q->next)
		for (i = 0; i < q->len && !closing; i++)
			if (feed(c, ((const char *)q->payload)[i])) {
				answer(c, pcb);
				closing = c->close;
			}
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	tcp_output(pcb);
	return closing ? shut(c, pcb) : ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	(void)err;
	conn_free(arg);
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct conn *c = arg;

	return ++c->idle < IDLE_POLLS ? ERR_OK : shut(c, pcb);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct conn *c = free_conns;

	(void)arg;
	if (err != ERR_OK || !c)
		return ERR_MEM;
	free_conns = c->next;
	memset(c, 0, sizeof(*c));
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_err(pcb, on_err);
	tcp_poll(pcb, on_poll, 1);
	tcp_nagle_disable(pcb);
	return ERR_OK;
}

int http_start(uint16_t port)
{
	struct tcp_pcb *pcb = tcp_new();
	unsigned int i;

	if (!cmdline_get("name", name, sizeof(name)) && store_read("name", name, sizeof(name)) <= 0)
		snprintf(name, sizeof(name), "domain %u", store_own_domid());
	for (i = 0; i < CONNS; i++)
		conn_free(&conns[i]);
	if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
		return -EADDRINUSE;
	pcb = tcp_listen_with_backlog(pcb, 64);
	if (!pcb)
		return -ENOMEM;
	tcp_accept(pcb, on_accept);
	return 0;
}
