/* SPDX-License-Identifier: BSD-2-Clause */
/* Grant table version 1 with ourselves as the other side, and everything that must be refused. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "grant.h"
#include "hypercall.h"
#include "store.h"

const char test_title[] = "grants";
static uint8_t page_a[4096] __page_aligned, page_b[4096] __page_aligned, window[4096] __page_aligned;

static int copy_op(grant_ref_t ref, unsigned int offset, unsigned int len, void *to)
{
	struct gnttab_copy c = { .source = { .u.ref = ref, .domid = DOMID_SELF, .offset = (uint16_t)offset },
				 .dest = { .u.gmfn = to_gfn(to), .domid = DOMID_SELF },
				 .len = (uint16_t)len, .flags = GNTCOPY_source_gref };
	int rc = hv_grant(GNTTABOP_copy, &c, 1);

	return rc ? rc : c.status;
}

static void versions(void)
{
	struct gnttab_get_version get = { .dom = DOMID_SELF };
	struct gnttab_set_version set = { .version = 2 };
	struct gnttab_query_size size = { .dom = DOMID_SELF };

	CHECK_EQ(hv_grant(GNTTABOP_get_version, &get, 1), 0);
	CHECK_EQ(get.version, 1);
	CHECK(hv_grant(GNTTABOP_set_version, &set, 1) < 0, "version 2 was accepted");
	CHECK_EQ(hv_grant(GNTTABOP_get_version, &get, 1), 0);
	CHECK_EQ(get.version, 1);
	CHECK_EQ(hv_grant(GNTTABOP_query_size, &size, 1), 0);
	CHECK_EQ(size.status, GNTST_okay);
	CHECK(size.nr_frames >= GRANT_FRAMES && size.max_nr_frames >= size.nr_frames, "%u of %u", size.nr_frames, size.max_nr_frames);
}

static void copies(void)
{
	grant_ref_t ref;
	unsigned int i;

	for (i = 0; i < 4096; i++)
		page_a[i] = (uint8_t)(i * 7);
	ref = grant_page((domid_t)store_own_domid(), page_a, true);
	CHECK_EQ(copy_op(ref, 0, 4096, page_b), GNTST_okay);
	CHECK(!memcmp(page_a, page_b, 4096), "-");
	memset(page_b, 0, 4096);
	CHECK_EQ(copy_op(ref, 4095, 1, page_b), GNTST_okay);
	CHECK(page_b[0] == page_a[4095] && page_b[1] == 0, "-");
	CHECK_EQ(copy_op(ref, 4095, 2, page_b), GNTST_bad_copy_arg);
	CHECK_EQ(copy_op(ref, 1, 4096, page_b), GNTST_bad_copy_arg);
	CHECK_EQ(copy_op(ref, 0, 65535, page_b), GNTST_bad_copy_arg);
	CHECK_EQ(copy_op(100000, 0, 16, page_b), GNTST_bad_gntref);
	CHECK_EQ(copy_op(GRANT_REFS - 1, 0, 16, page_b) < 0, 1);
	CHECK(grant_end(ref), "-");
	CHECK(copy_op(ref, 0, 16, page_b) < 0, "an ended grant still works");
}

/* Another domain's grants, a count beyond memory, pointers to nowhere. */
static void refusals(void)
{
	struct gnttab_map_grant_ref map = { .host_addr = (uint64_t)window, .flags = GNTMAP_host_map, .ref = 0x7fffffff, .dom = DOMID_SELF };
	struct gnttab_unmap_grant_ref unmap = { .host_addr = (uint64_t)window, .handle = 0x1234567 };
	struct gnttab_copy c = { .source = { .u.ref = 9, .domid = 0 }, .dest = { .u.gmfn = to_gfn(page_b), .domid = DOMID_SELF },
				 .len = 16, .flags = GNTCOPY_source_gref };
	void *nowhere = NOWHERE;

	CHECK_EQ(hv_grant(GNTTABOP_map_grant_ref, &map, 1), 0);
	CHECK(map.status < 0, "%d", map.status);
	map.dom = 0x7000;
	CHECK_EQ(hv_grant(GNTTABOP_map_grant_ref, &map, 1), 0);
	CHECK(map.status < 0, "%d", map.status);
	CHECK_EQ(hv_grant(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	CHECK(unmap.status < 0, "%d", unmap.status);
	CHECK_EQ(hv_grant(GNTTABOP_copy, &c, 1), 0);
	CHECK(c.status < 0, "copied from another domain: %d", c.status);
	CHECK_EQ(hv_grant(GNTTABOP_copy, nowhere, 1), -EFAULT);
	CHECK_EQ(hv_grant(GNTTABOP_map_grant_ref, nowhere, 1), -EFAULT);
	CHECK_EQ(hv_grant(GNTTABOP_copy, nowhere, 0), 0);
	CHECK(hv_grant(GNTTABOP_copy, nowhere, ~0u) < 0, "-");
	CHECK(hv_grant(GNTTABOP_map_grant_ref, nowhere, 1u << 31) < 0, "-");
	CHECK_EQ(hv_grant(77, &c, 1), -ENOSYS);
	CHECK(hv_grant(GNTTABOP_transfer, nowhere, 1) < 0, "-");
}

/* Our table's flag word is ours: what we write there must not make the host trust more than the entry says. */
static void readonly(void)
{
	grant_ref_t ref = grant_page((domid_t)store_own_domid(), page_a, true);
	struct gnttab_copy c = { .source = { .u.gmfn = to_gfn(page_b), .domid = DOMID_SELF },
				 .dest = { .u.ref = ref, .domid = DOMID_SELF }, .len = 16, .flags = GNTCOPY_dest_gref };

	CHECK_EQ(hv_grant(GNTTABOP_copy, &c, 1), 0);
	CHECK(c.status < 0, "wrote a read-only page: %d", c.status);
	grant_entry(ref)->frame = 0xfffffff;
	CHECK(copy_op(ref, 0, 16, page_b) < 0, "a frame that is not ours");
	grant_entry(ref)->frame = (uint32_t)to_gfn(page_a);
	grant_entry(ref)->domid = 0;
	CHECK(copy_op(ref, 0, 16, page_b) < 0, "a grant that is not for us");
	CHECK(grant_end(ref), "-");
}

void test_main(void)
{
	versions();
	copies();
	refusals();
	readonly();
}
