/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transmit requests in all shapes: 1 to 19 slots with sizes 0 to 65535, data over the end of a page, headers split over slots,
 * total and slot sizes that disagree, extra infos alone, of unknown kind, without an end. Each request must be answered or the
 * device stopped for a reason; the guest lives, and its interface can be opened again.
 */
#include "random.h"
#include <string.h>
#include "grant.h"
#include "hypercall.h"
#include "netfront.h"

const char test_title[] = "hostile-netif-slots";
static struct netfront nf;
static const struct netfront_conf conf = { .split = true, .offload = true, .rx_buffers = 32 };
static unsigned long answered, errors, lost, reopened;

static void put(unsigned int offset, unsigned int size, unsigned int flags)
{
	struct netif_tx_request *r = RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt);

	*r = (struct netif_tx_request){ .gref = nf.tx_buf[0].ref, .offset = (uint16_t)offset, .flags = (uint16_t)flags, .id = 7,
					.size = (uint16_t)size };
	nf.tx.req_prod_pvt++;
}

static void put_extra(unsigned int type, unsigned int flags, unsigned int gso)
{
	struct netif_extra_info e = { .type = (uint8_t)type, .flags = (uint8_t)flags };

	e.u.gso.size = (uint16_t)gso;
	e.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
	memcpy(RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt), &e, sizeof(e));
	nf.tx.req_prod_pvt++;
}

static enum net_verdict ignore(void *arg, struct netfront *n, const struct net_packet *p)
{
	(void)arg;
	(void)n;
	(void)p;
	return NET_DONE;
}

/* Publish and wait for as many answers; a device that gives none has been stopped and is opened anew. */
static void settle(void)
{
	uint64_t end = clock_ns() + 100 * MSEC;

	WRITE_ONCE(nf.tx.sring->req_prod, nf.tx.req_prod_pvt);
	nf.tx.sring->rsp_event = nf.tx.req_prod_pvt;
	mb();
	hv_notify(nf.tx_port);
	while (READ_ONCE(nf.tx.sring->rsp_prod) != nf.tx.req_prod_pvt && clock_ns() < end)
		hv_sched(SCHEDOP_yield, NULL);
	while (nf.tx.rsp_cons != READ_ONCE(nf.tx.sring->rsp_prod)) {
		int16_t status = RING_GET_RESPONSE(&nf.tx, nf.tx.rsp_cons++)->status;

		answered++;
		errors += status == NETIF_RSP_ERROR || status == NETIF_RSP_DROPPED;
	}
	test_count(1);
	netfront_poll(&nf, 64, ignore, NULL);
	if (nf.tx.rsp_cons == nf.tx.req_prod_pvt)
		return;
	lost++;
	netfront_close(&nf);
	if (netfront_open(&nf, &conf))
		test_failure("the interface does not open again");
	reopened++;
}

static void combinations(void)
{
	static const unsigned int sizes[] = { 0, 1, 13, 14, 15, 20, 33, 34, 42, 64, 1514, 4096, 65535 };
	unsigned int n, i, s;

	for (n = 1; n <= 19; n++)
		for (s = 0; s < ARRAY_LEN(sizes); s++) {
			if (lost > 8 && s % 3)
				continue;
			for (i = 0; i < n; i++)
				put(0, i ? sizes[s] : sizes[s] * n > 65535 ? 65535 : sizes[s] * n, i + 1 < n ? NETTXF_more_data : 0);
			settle();
		}
}

static void oddities(void)
{
	put(4095, 2, 0);
	settle();
	put(65535, 65535, 0);
	settle();
	put(0, 10, NETTXF_more_data);
	put(0, 60, 0);
	settle();
	put(0, 60, NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 0);
	settle();
	put(0, 60, NETTXF_extra_info | NETTXF_csum_blank);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, 1);
	settle();
	put(0, 60, NETTXF_extra_info);
	put_extra(77, 0, 0);
	settle();
	put(0, 60, NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE, 1448);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE, 1448);
	settle();
	put(0, 60, 0xffff);
	settle();
}

static void random_shapes(void)
{
	uint64_t seed = cmdline_number("seed", 20261121);
	unsigned int round, i, n;

	printk("seed %lu\n", seed);
	for (round = 0; round < 200 && lost < 30; round++) {
		n = 1 + (unsigned int)(test_random(&seed) % 20);
		for (i = 0; i < n; i++)
			put((unsigned int)test_nasty(&seed) % 4200, (unsigned int)test_nasty(&seed),
			    (unsigned int)test_random(&seed) & 0x1f);
		settle();
	}
}

void test_main(void)
{
	int rc = netfront_open(&nf, &conf);
	unsigned int i;

	if (rc)
		test_error("no interface: %d", rc);
	for (i = 0; i < 4096; i++)
		nf.tx_buf[0].data[i] = (uint8_t)(i < 6 ? 0xff : i == 12 ? 8 : i == 14 ? 0x45 : i);
	combinations();
	oddities();
	random_shapes();
	printk("%lu answered, %lu of them errors, device stopped and reopened %lu times\n", answered, errors, reopened);
	CHECK(errors > 0, "nothing was refused");
	rc = netfront_close(&nf);
	CHECK_EQ(netfront_open(&nf, &conf), 0);
}
