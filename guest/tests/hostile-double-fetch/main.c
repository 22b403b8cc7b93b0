/* SPDX-License-Identifier: BSD-2-Clause */
/* A second vcpu changes request fields, over and over, while the first sends: the host must use one reading of each. */
#include "test.h"
#include <string.h>
#include "grant.h"
#include "hypercall.h"
#include "netfront.h"
#include "smp.h"

const char test_title[] = "hostile-double-fetch";
static struct netfront nf;
static volatile bool running, stop;

static void flipper(void)
{
	uint64_t state = 5;

	running = true;
	while (!stop) {
		struct netif_tx_request *r = &nf.tx.sring->ring[test_random(&state) % NET_RING].req;
		uint16_t size = r->size;
		grant_ref_t ref = r->gref;

		WRITE_ONCE(r->size, (uint16_t)test_random(&state));
		WRITE_ONCE(r->offset, (uint16_t)test_random(&state));
		WRITE_ONCE(r->flags, (uint16_t)(test_random(&state) & 0x1f));
		WRITE_ONCE(r->gref, (grant_ref_t)test_random(&state));
		WRITE_ONCE(nf.tx_buf[0].data[test_random(&state) % 64], (uint8_t)test_random(&state));
		WRITE_ONCE(r->gref, ref);
		WRITE_ONCE(r->size, size);
		WRITE_ONCE(r->offset, 0);
		WRITE_ONCE(r->flags, 0);
	}
}

void test_main(void)
{
	const struct netfront_conf conf = { .split = true, .offload = true, .rx_buffers = 16 };
	uint64_t end;
	unsigned long sent = 0, batches = 0;
	int rc = netfront_open(&nf, &conf);
	unsigned int i;

	if (rc)
		test_error("no interface: %d", rc);
	memset(nf.tx_buf[0].data, 0xff, 6);
	rc = smp_start(1, AP_LONG, flipper);
	CHECK_EQ(rc, 0);
	end = clock_ns() + 2 * SEC;
	while (clock_ns() < end) {
		for (i = 0; i < 32 && nf.tx.req_prod_pvt - nf.tx.rsp_cons < NET_RING; i++) {
			*RING_GET_REQUEST(&nf.tx, nf.tx.req_prod_pvt) =
				(struct netif_tx_request){ .gref = nf.tx_buf[0].ref, .id = 1, .size = 60 };
			nf.tx.req_prod_pvt++;
			sent++;
		}
		WRITE_ONCE(nf.tx.sring->req_prod, nf.tx.req_prod_pvt);
		mb();
		hv_notify(nf.tx_port);
		nf.tx.rsp_cons = READ_ONCE(nf.tx.sring->rsp_prod);
		batches++;
		hv_sched(SCHEDOP_yield, NULL);
	}
	stop = true;
	CHECK(running, "the second vcpu did not run");
	printk("%lu requests in %lu batches\n", sent, batches);
	test_count(sent);
}
