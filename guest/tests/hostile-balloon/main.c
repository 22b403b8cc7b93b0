/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages given back to the host while its network backend works with them: what is being sent, short and long, and what waits to
 * be received into. Others may not notice, and what comes back in the place is ours.
 */
#include "test.h"
#include <string.h>
#include "grant.h"
#include "hypercall.h"
#include "netfront.h"

const char test_title[] = "hostile-balloon";

#define POOL 0x400ul /* frames from 4 MiB on: RAM that nothing of ours is in */
#define FRAMES 64ul
#define ROUNDS 40
static struct netfront nf;
static unsigned long sent, taken;

static bool change(unsigned int op, xen_pfn_t gfn)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return hv_memory(op, &r) == 1;
}

/* A TCP segment of our port to the gateway: its addresses come from the command line. */
static void frame(uint8_t *p, unsigned int len)
{
	static const char *const keys[] = { "ip", "gw" };
	char text[32];
	unsigned int i, k, sum = 0;

	memset(p, 0x77, len);
	memset(p, 0xff, 6);
	memcpy(p + 6, nf.mac, 6);
	memcpy(p + 12, "\x08\x00\x45\x00", 4);
	p[16] = (uint8_t)((len - 14) >> 8), p[17] = (uint8_t)(len - 14);
	memcpy(p + 18, "\x00\x01\x40\x00\x40\x06\x00\x00", 8);
	for (k = 0; k < 2; k++) {
		const char *s = text;

		if (!cmdline_get(keys[k], text, sizeof(text)))
			test_error("no %s= on the command line", keys[k]);
		for (i = 0; i < 4; i++, s++)
			p[26 + k * 4 + i] = (uint8_t)parse_number(&s);
	}
	for (i = 14; i < 34; i += 2)
		sum += (unsigned int)p[i] << 8 | p[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[24] = (uint8_t)(sum >> 8), p[25] = (uint8_t)sum;
	i = (unsigned int)cmdline_number("port", 0);
	p[34] = (uint8_t)(i >> 8), p[35] = (uint8_t)i;
	p[46] = 0x50, p[47] = 0x10;
}

static void tx(grant_ref_t ref, unsigned int len)
{
	struct netif_tx_request *r = RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt++);
	struct netif_extra_info *x;

	*r = (struct netif_tx_request){ .gref = ref, .size = (uint16_t)len, .flags = NETTXF_csum_blank | NETTXF_data_validated };
	if (len > 1514) {
		r->flags |= NETTXF_extra_info;
		x = (struct netif_extra_info *)RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt++);
		memset(x, 0, sizeof(*x));
		x->type = XEN_NETIF_EXTRA_TYPE_GSO;
		x->u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
		x->u.gso.size = 1400;
	}
}

static void rx(grant_ref_t ref)
{
	*RING_GET_REQUEST(&nf.rx, nf.rx.req_prod_pvt) = (struct netif_rx_request){ .id = 1, .gref = ref };
	nf.rx.req_prod_pvt++;
	WRITE_ONCE(nf.rx.sring->req_prod, nf.rx.req_prod_pvt);
}

/* Half of the pages are sent, half wait for packets; then all of them go at once. */
static void round_of(unsigned int n)
{
	static grant_ref_t refs[FRAMES];
	uint64_t end = clock_ns() + SEC;
	unsigned long i;

	for (i = 0; i < FRAMES; i++) {
		uint8_t *page = (uint8_t *)((POOL + i) << 12);

		refs[i] = grant_page(nf.backend_id, page, false);
		frame(page, i & 2 ? 3000 : 200);
		if (i & 1)
			tx(refs[i], i & 2 ? 3000 : 200);
		else if (n < 2) /* nobody takes these back: not more than the ring has */
			rx(refs[i]);
		sent += i & 1;
	}
	wmb();
	WRITE_ONCE(nf.tx.sring->req_prod, nf.tx.req_prod_pvt);
	mb();
	hv_notify(nf.tx_port);
	hv_notify(nf.rx_port);
	for (i = 0; i < FRAMES; i++)
		taken += change(XENMEM_decrease_reservation, POOL + i);
	while (READ_ONCE(nf.tx.sring->rsp_prod) != nf.tx.req_prod_pvt && clock_ns() < end)
		hv_sched(SCHEDOP_yield, NULL);
	CHECK(READ_ONCE(nf.tx.sring->rsp_prod) == nf.tx.req_prod_pvt, "round %u: not all are answered", n);
	nf.tx.rsp_cons = nf.tx.req_prod_pvt;
	for (i = 0; i < FRAMES; i++) {
		grant_end(refs[i]);
		change(XENMEM_populate_physmap, POOL + i);
		*(volatile uint64_t *)((POOL + i) << 12) = i;
	}
}

void test_main(void)
{
	const struct netfront_conf conf = { .split = true, .offload = true, .rx_buffers = 1 };
	unsigned int n;
	int rc = netfront_open(&nf, &conf);

	if (rc)
		test_error("no interface: %d", rc);
	for (n = 0; n < ROUNDS; n++)
		round_of(n);
	printk("%lu packets, %lu pages taken from under them\n", sent, taken);
	CHECK(taken > FRAMES, "%lu pages could be taken", taken);
}
