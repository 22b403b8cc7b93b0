/* SPDX-License-Identifier: BSD-2-Clause */
/* The network interface: connect, resolve the gateway, talk to it, disconnect, connect again in the other form of channels. */
#include "test.h"
#include <string.h>
#include "netfront.h"

const char test_title[] = "netfront";
static struct netfront nf;
static unsigned int replies, arps;
static uint8_t gw_mac[6];
static const uint8_t *expect_tail;
static unsigned int expect_len;
static uint8_t ip[4], gw[4];

static void parse(const char *name, uint8_t out[4])
{
	char text[32];
	const char *p = text;
	unsigned int i;

	if (!cmdline_get(name, text, sizeof(text)))
		test_error("no %s= on the command line", name);
	for (i = 0; i < 4; i++, p++)
		out[i] = (uint8_t)parse_number(&p);
}

static enum net_verdict on_packet(void *arg, struct netfront *n, const struct net_packet *p)
{
	const uint8_t *f = netfront_data(n, p);

	(void)arg;
	if (p->slot[0].len < 34)
		return NET_DONE;
	if (f[12] == 8 && f[13] == 6 && f[21] == 2 && !memcmp(f + 28, gw, 4)) {
		memcpy(gw_mac, f + 22, 6);
		arps++;
	}
	if (f[12] == 8 && f[13] == 0 && f[23] == 1 && f[34] == 0 && p->len >= expect_len && p->slots == 1 &&
	    !memcmp(f + 42, expect_tail + 42, expect_len - 42))
		replies++;
	return NET_DONE;
}

/* Poll until the counter moves or a second is over. */
static bool await(const unsigned int *counter)
{
	unsigned int before = *counter;
	uint64_t end = clock_ns() + SEC;

	while (*counter == before && clock_ns() < end) {
		netfront_poll(&nf, 64, on_packet, NULL);
		netfront_flush(&nf);
		if (*counter != before)
			break;
		cpu_cli();
		if (netfront_pending(&nf)) {
			cpu_sti();
			continue;
		}
		timer_wake_at(end);
		cpu_sti_hlt();
	}
	return *counter != before;
}

static void send_arp(void)
{
	uint16_t id;
	uint8_t *f = netfront_tx_page(&nf, &id);
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(f, 0, 60);
	memset(f, 0xff, 6);
	memcpy(f + 6, nf.mac, 6);
	memcpy(f + 12, head, sizeof(head));
	memcpy(f + 22, nf.mac, 6);
	memcpy(f + 28, ip, 4);
	memcpy(f + 38, gw, 4);
	netfront_send(&nf, id, 60, 0);
}

static uint16_t sum(const uint8_t *p, unsigned int n)
{
	uint32_t s = 0;

	for (; n > 1; p += 2, n -= 2)
		s += (uint32_t)(p[0] << 8 | p[1]);
	if (n)
		s += (uint32_t)(p[0] << 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* ICMP echo of LEN bytes of data; the identifier must be in our slice. */
static void send_ping(unsigned int len, unsigned int seq)
{
	uint16_t id;
	uint8_t *f = netfront_tx_page(&nf, &id);
	unsigned int i;

	memset(f, 0, 42);
	memcpy(f, gw_mac, 6);
	memcpy(f + 6, nf.mac, 6);
	f[12] = 8;
	f[14] = 0x45;
	put16(f + 16, 28 + len);
	f[22] = 64;
	f[23] = 1;
	memcpy(f + 26, ip, 4);
	memcpy(f + 30, gw, 4);
	put16(f + 24, sum(f + 14, 20));
	f[34] = 8;
	put16(f + 38, (unsigned int)cmdline_number("port", 30000));
	put16(f + 40, seq);
	for (i = 0; i < len; i++)
		f[42 + i] = (uint8_t)(i + seq);
	put16(f + 36, sum(f + 34, 8 + len));
	expect_tail = f;
	expect_len = 42 + len;
	netfront_send(&nf, id, 42 + len, 0);
}

static void talk(void)
{
	static const unsigned int lens[] = { 0, 1, 17, 18, 56, 57, 1000, 1471, 1472 };
	unsigned int i;

	netfront_flush(&nf);
	/* The other side may still be plugging us into its network. */
	for (i = 0; i < 6; i++) {
		send_arp();
		netfront_flush(&nf);
		if (await(&arps))
			break;
	}
	CHECK(i < 6, "no answer to ARP");
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		send_ping(lens[i], i);
		netfront_flush(&nf);
		CHECK(await(&replies), "no answer to a ping of %u bytes", lens[i]);
	}
	printk("%lu sent (%u answered), %lu received, %lu bad\n", nf.tx_packets, nf.tx.rsp_cons, nf.rx_packets, nf.rx_errors);
	CHECK_EQ(nf.tx_errors, 0);
	CHECK_EQ(nf.rx_errors, 0);
}

void test_main(void)
{
	struct netfront_conf conf = { .offload = true };
	unsigned int i, pages = page_free_count(), left;
	int rc;

	parse("ip", ip);
	parse("gw", gw);
	for (i = 0; i < 3; i++) {
		conf.split = i & 1;
		conf.rx_buffers = i == 2 ? 64 : NET_RING;
		rc = netfront_open(&nf, &conf);
		CHECK_EQ(rc, 0);
		if (rc)
			return;
		talk();
		CHECK_EQ(netfront_close(&nf), 0);
		left = page_free_count();
		CHECK(left == pages, "%u pages of %u came back: the backend still holds some", left, pages);
	}
}
