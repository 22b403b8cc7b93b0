/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches that fire all the time and are never read; watches on what others own must tell nothing. */
#include "test.h"
#include <stdio.h>
#include <string.h>
#include "hypercall.h"
#include "store.h"

const char test_title[] = "hostile-xenstore-watch";

static void others(void)
{
	static const char *const foreign[] = { "/local/domain", "/local/domain/0", "/local/domain/0/backend", "/vm", "/tool" };
	char token[16];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(foreign); i++) {
		snprintf(token, sizeof(token), "f%u", i);
		if (store_watch(foreign[i], token))
			continue;
		/* The event of the registration itself, then silence, though this write changes nodes of ours only. */
		store_wait_event(token, 100 * MSEC);
		store_write("data/mine", "1");
		CHECK(!strcmp(foreign[i], "/local/domain") || !store_wait_event(token, 50 * MSEC), "an event for %s", foreign[i]);
		store_unwatch(foreign[i], token);
	}
	store_watch("@introduceDomain", "s1");
	store_watch("@releaseDomain", "s2");
	test_count(2);
}

/* Many watches on one node, which is written without reading a single event in between. */
static void flood(void)
{
	static char payload[64];
	struct xenstore_domain_interface *ring = store_ring();
	struct xsd_sockmsg head = { .type = XS_WRITE, .req_id = 5000, .len = 8 };
	char token[16];
	unsigned int i, n;

	for (i = 0; i < 64; i++) {
		snprintf(token, sizeof(token), "w%u", i);
		if (store_watch("data/w", token))
			break;
	}
	printk("%u watches\n", i);
	memcpy(payload, &head, sizeof(head));
	memcpy(payload + sizeof(head), "data/w\0x", 8);
	for (n = 0; n < 500; n++) {
		XENSTORE_RING_IDX prod = ring->req_prod;

		if (prod - READ_ONCE(ring->req_cons) > XENSTORE_RING_SIZE - sizeof(head) - 8) {
			hv_sched(SCHEDOP_yield, NULL);
			continue;
		}
		for (i = 0; i < sizeof(head) + 8; i++)
			ring->req[MASK_XENSTORE_IDX(prod++)] = payload[i];
		wmb();
		WRITE_ONCE(ring->req_prod, prod);
		hv_notify(store_port());
		test_count(1);
	}
}

void test_main(void)
{
	others();
	flood();
}
