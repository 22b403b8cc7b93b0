/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring indices that make no sense, and names of rings and channels that do not exist, told through the xenstore. */
#include "random.h"
#include "hypercall.h"
#include "netfront.h"
#include "store.h"
#include <xen/io/xenbus.h>

const char test_title[] = "hostile-netif-rings";
static struct netfront nf;
static const struct netfront_conf conf = { .split = true, .offload = true, .rx_buffers = 16 };

static void indices(void)
{
	static const uint32_t steps[] = { 257, 1000, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		WRITE_ONCE(nf.tx.sring->req_prod, nf.tx.req_prod_pvt + steps[i]);
		WRITE_ONCE(nf.rx.sring->req_prod, nf.rx.req_prod_pvt + steps[i]);
		WRITE_ONCE(nf.tx.sring->rsp_prod, steps[i]);
		WRITE_ONCE(nf.rx.sring->rsp_event, steps[i]);
		mb();
		hv_notify(nf.tx_port);
		hv_notify(nf.rx_port);
		WAIT_UNTIL_TIMEOUT(false, 5 * MSEC);
		netfront_close(&nf);
		CHECK_EQ(netfront_open(&nf, &conf), 0);
	}
}

static void names(void)
{
	static const char *const keys[] = { "tx-ring-ref", "rx-ring-ref", "event-channel-tx", "event-channel-rx" };
	static const char *const values[] = { "0", "7", "99999999", "4294967295", "-1", "", "x", "18446744073709551616" };
	unsigned int k, v;

	for (k = 0; k < ARRAY_LEN(keys); k++)
		for (v = 0; v < ARRAY_LEN(values); v++) {
			netfront_close(&nf);
			store_wait_number(nf.backend, "state", XenbusStateInitWait, SEC);
			store_printf(nf.path, keys[0], "%u", 8u);
			store_printf(nf.path, keys[1], "%u", 9u);
			store_printf(nf.path, keys[2], "%u", 5u);
			store_printf(nf.path, keys[3], "%u", 6u);
			store_printf(nf.path, keys[k], "%s", values[v]);
			store_printf(nf.path, "state", "%u", XenbusStateConnected);
			WAIT_UNTIL_TIMEOUT(false, 5 * MSEC);
			test_count(1);
		}
	/* States in any order. */
	for (v = 0; v < 12; v++) {
		store_printf(nf.path, "state", "%u", v * 5 % 9);
		WAIT_UNTIL_TIMEOUT(false, 2 * MSEC);
	}
}

void test_main(void)
{
	int rc = netfront_open(&nf, &conf);

	if (rc)
		test_error("no interface: %d", rc);
	indices();
	names();
	CHECK(hv_version(XENVER_version, NULL) >> 16 >= 4, "-");
}
