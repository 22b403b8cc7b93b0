/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests without reading the replies, requests that lie about their length, ring indices that make no sense. */
#include "test.h"
#include <string.h>
#include "hypercall.h"
#include "store.h"

const char test_title[] = "hostile-xenstore-flood";
static struct xenstore_domain_interface *ring;

static void put(const void *data, unsigned int len)
{
	const char *s = data;
	XENSTORE_RING_IDX prod = ring->req_prod;

	while (len-- && prod - READ_ONCE(ring->req_cons) < XENSTORE_RING_SIZE)
		ring->req[MASK_XENSTORE_IDX(prod++)] = *s++;
	wmb();
	WRITE_ONCE(ring->req_prod, prod);
	hv_notify(store_port());
}

static void never_read(void)
{
	struct {
		struct xsd_sockmsg head;
		char path[8];
	} req = { { .type = XS_DIRECTORY, .req_id = 1000, .len = 8 }, "data/..." };
	unsigned int i;

	memcpy(req.path, "/local\0", 7);
	req.head.len = 7;
	for (i = 0; i < 2000; i++)
		put(&req, sizeof(req.head) + 7);
	test_count(i);
}

static void lying_lengths(void)
{
	static const uint32_t lens[] = { XENSTORE_PAYLOAD_MAX + 1, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };
	struct xsd_sockmsg head = { .type = XS_READ, .req_id = 2000 };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(lens); i++) {
		head.len = lens[i];
		put(&head, sizeof(head));
		test_count(1);
	}
}

static void indices(void)
{
	static const uint32_t steps[] = { 1025, 5000, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		WRITE_ONCE(ring->req_prod, READ_ONCE(ring->req_cons) + steps[i]);
		WRITE_ONCE(ring->rsp_cons, READ_ONCE(ring->rsp_prod) + steps[i]);
		hv_notify(store_port());
		WAIT_UNTIL_TIMEOUT(false, 20 * MSEC);
		test_count(1);
	}
}

void test_main(void)
{
	ring = store_ring();
	CHECK(ring != NULL, "-");
	never_read();
	lying_lengths();
	indices();
}
