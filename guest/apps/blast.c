/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blasting guest: asked by a UDP datagram, it sends datagrams back to the one who asked, as fast as its ring takes them, for
 * as long as it was asked to. Beside that it echoes, streams bytes over TCP and serves a page, so that it can also be the one who suffers.
 * Command line: ip=A.B.C.D/N gw=A.B.C.D blast=PORT [echo=PORT] [http=PORT] [stream=PORT].
 * The request is a number in decimal, milliseconds; 0 ends a blast. A stream sends bytes 0, 1 … 250, 0 … until its client closes.
 */
#include <errno.h>
#include <string.h>
#include "echo.h"
#include "ethif.h"
#include "http.h"
#include "kernel.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#define PAYLOAD 1400
#define CYCLE 251		/* a prime, so that bytes lost or repeated are seen */

static struct ethif eth;
static struct udp_pcb *blaster;
static ip_addr_t target;
static u16_t target_port;
static uint64_t until_ns;
static uint8_t pattern[CYCLE + TCP_MSS];

static void on_ask(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	uint64_t ms = 0;
	u16_t i;

	(void)arg;
	(void)pcb;
	for (i = 0; i < p->len && i < 9; i++)
		ms = ms * 10 + (uint64_t)(((const char *)p->payload)[i] - '0');
	pbuf_free(p);
	target = *from;
	target_port = port;
	until_ns = clock_ns() + ms * MSEC;
}

/* => whether the ring took it. */
static bool blast_one(void)
{
	struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, PAYLOAD, PBUF_RAM);
	bool sent;

	if (!p)
		return false;
	memset(p->payload, 0, PAYLOAD);
	sent = udp_sendto(blaster, p, &target, target_port) == ERR_OK;
	pbuf_free(p);
	return sent;
}

/* A ring with room is filled; a full one wakes us when it has some. Ours comes before the loop's own look at the rings. */
static bool blast(void)
{
	netfront_poll(&eth.nf, 0, NULL, NULL);
	while (clock_ns() < until_ns && blast_one())
		;
	return false;
}

static err_t fill_stream(struct tcp_pcb *pcb, uintptr_t at)
{
	while (tcp_sndbuf(pcb) >= TCP_MSS && tcp_write(pcb, pattern + at, TCP_MSS, 0) == ERR_OK)
		at = (at + TCP_MSS) % CYCLE;
	tcp_arg(pcb, (void *)at);
	return tcp_output(pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	(void)len;
	return fill_stream(pcb, (uintptr_t)arg);
}

static err_t on_stream_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (p) {
		tcp_recved(pcb, p->tot_len);
		pbuf_free(p);
		return ERR_OK;
	}
	tcp_sent(pcb, NULL);
	return tcp_close(pcb);
}

static err_t on_stream(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	if (err != ERR_OK)
		return err;
	tcp_sent(pcb, on_sent);
	tcp_recv(pcb, on_stream_recv);
	return fill_stream(pcb, 0);
}

static int stream_start(uint16_t port)
{
	struct tcp_pcb *pcb = tcp_new();

	for (unsigned int i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i % CYCLE);
	if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
		return -EADDRINUSE;
	pcb = tcp_listen(pcb);
	if (!pcb)
		return -ENOMEM;
	tcp_accept(pcb, on_stream);
	return 0;
}

static int blast_start(uint16_t port)
{
	blaster = udp_new();
	if (!blaster || udp_bind(blaster, IP_ADDR_ANY, port) != ERR_OK)
		return -EADDRINUSE;
	udp_recv(blaster, on_ask, NULL);
	return 0;
}

int guest_main(void)
{
	uint16_t echo = (uint16_t)cmdline_number("echo", 0), http = (uint16_t)cmdline_number("http", 0);
	uint16_t stream = (uint16_t)cmdline_number("stream", 0);
	int rc = ethif_open(&eth, echo ? echo_hot : NULL);

	if (!rc)
		rc = blast_start((uint16_t)cmdline_number("blast", 0));
	if (!rc && http)
		rc = http_start(http);
	if (!rc && echo)
		rc = echo_start(&eth, echo);
	if (!rc && stream)
		rc = stream_start(stream);
	printk("blast: %s, error %d; command line '%s'\n", rc ? "no network" : "up", rc, cmdline);
	if (!rc)
		ethif_run(&eth, blast);
	return rc;
}
