/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests whose grants are bad: never granted, ended, for another domain, of a foreign frame, the same in every slot; receive
 * requests with the same; and a receive ring that is never served. Answers may be errors; nobody else may notice.
 */
#include "random.h"
#include "grant.h"
#include "hypercall.h"
#include "netfront.h"

const char test_title[] = "hostile-netif-grants";
static struct netfront nf;
static unsigned long ok, bad;

static void tx(grant_ref_t ref, unsigned int len)
{
	struct netif_tx_request *r = RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt);
	uint64_t end = clock_ns() + 100 * MSEC;

	*r = (struct netif_tx_request){ .gref = ref, .id = 3, .size = (uint16_t)len };
	nf.tx.req_prod_pvt++;
	WRITE_ONCE(nf.tx.sring->req_prod, nf.tx.req_prod_pvt);
	mb();
	hv_notify(nf.tx_port);
	while (READ_ONCE(nf.tx.sring->rsp_prod) != nf.tx.req_prod_pvt && clock_ns() < end)
		hv_sched(SCHEDOP_yield, NULL);
	while (nf.tx.rsp_cons != READ_ONCE(nf.tx.sring->rsp_prod)) {
		if (RING_GET_RESPONSE(&nf.tx, nf.tx.rsp_cons++)->status == NETIF_RSP_OKAY)
			ok++;
		else
			bad++;
	}
	test_count(1);
}

static void rx(grant_ref_t ref)
{
	struct netif_rx_request *r = RING_GET_REQUEST(&nf.rx, nf.rx.req_prod_pvt);

	r->id = 1;
	r->gref = ref;
	nf.rx.req_prod_pvt++;
	WRITE_ONCE(nf.rx.sring->req_prod, nf.rx.req_prod_pvt);
	mb();
	hv_notify(nf.rx_port);
	test_count(1);
}

void test_main(void)
{
	const struct netfront_conf conf = { .split = true, .offload = true, .rx_buffers = 1 };
	int rc = netfront_open(&nf, &conf);
	grant_ref_t ref, mine = nf.tx_buf[1].ref;
	unsigned int i;
	void *page;

	if (rc)
		test_error("no interface: %d", rc);
	page = page_alloc();
	tx(0, 60);
	tx(GRANT_REFS - 1, 60);
	tx(GRANT_REFS, 60);
	tx(0x7fffffff, 60);
	tx(~0u, 60);
	tx(mine, 0);
	tx(mine, 13);
	CHECK(bad >= 5, "%lu refused, %lu accepted", bad, ok);
	grant_entry(mine)->domid = 77;
	tx(mine, 60);
	grant_entry(mine)->domid = nf.backend_id;
	for (i = 0; i < ARRAY_LEN(test_edges); i++) {
		grant_entry(mine)->frame = (uint32_t)test_edges[i];
		tx(mine, 60);
		grant_entry(mine)->flags = (uint16_t)test_edges[i];
		tx(mine, 60);
		grant_entry(mine)->flags = GTF_permit_access | GTF_readonly;
	}
	for (i = 0; i < 40; i++) {
		ref = grant_page(nf.backend_id, page, true);
		tx(ref, 60);
		grant_end(ref);
		tx(ref, 60);
	}
	/* Receive into what may not be written: read-only, ended, nowhere. */
	for (i = 0; i < ARRAY_LEN(test_edges); i++)
		rx((grant_ref_t)test_edges[i]);
	for (i = 0; i < 64; i++)
		rx(nf.tx_buf[2].ref);
	/* Ask for an echo of broadcast traffic into that ring, then never look at it. */
	for (i = 0; i < 100; i++)
		tx(nf.tx_buf[2].ref, 60);
	printk("%lu accepted, %lu refused\n", ok, bad);
	CHECK(bad > 0, "-");
	rc = netfront_close(&nf);
	printk("closed: %d\n", rc);
}
