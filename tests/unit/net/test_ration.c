/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest whose queue overflows is given packets in portions, at its own pace; nothing that waits is lost or reordered by it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "numbered.h"
#include "vif_case.h"

#define MS      1000000u
#define LOOK    2100000u /* watched rings are looked at within this */
#define AT_MOST 82u /* a portion of 64 slots and one long packet */

static void frames_come(unsigned int n)
{
	numbered_come(n, 60);
}

/* The guest gives its buffers anew, and they are noticed. */
static unsigned int take(void)
{
	unsigned int n = numbered_take(g);

	world_pass(LOOK);
	return n;
}

/* The ring was full and taken, more than the queue holds has come, and a portion is in the ring. */
static int overflown(void **state)
{
	int rc = set_up(state);

	numbered_start();
	g->d.busy = true;
	guest_post_rx(g, NETIF_RING);
	frames_come(5000);
	assert_int_equal(take(), NETIF_RING);
	return rc;
}

static int calm(void **state)
{
	g->d.busy = false;
	return tear_down(state);
}

static void busy_guest_gets_one_portion(void **state)
{
	assert_in_range(take(), 64, AT_MOST);
	for (unsigned int i = 0; i < 3; i++) {
		frames_come(10);
		assert_int_equal(take(), 0);
	}
}

static void sleeping_guest_gets_the_next_at_once(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		assert_in_range(take(), 64, AT_MOST);
		g->d.busy = false; /* it has used them */
		world_pass(LOOK);
		g->d.busy = true;
	}
}

static void guest_that_never_sleeps_gets_them_in_time(void **state)
{
	unsigned int portions = 0, most = 0;

	for (unsigned int looks = 0; looks < 50; looks++) {
		unsigned int n;

		frames_come(20);
		n = take();
		most = n > most ? n : most;
		portions += n > 0;
	}
	assert_in_range(most, 64, AT_MOST);
	assert_in_range(portions, 5, 25); /* every 20 ms at the latest, and not each time it looks */
}

static void all_that_waits_arrives_once_the_flood_is_over(void **state)
{
	struct net_vif_info info;
	unsigned int n = 0;

	read_vif(&info);
	n += take();
	assert_true(info.queued_packets > AT_MOST);
	for (unsigned int i = 0; i < 30; i++) {
		world_pass(25 * MS);
		n += take();
	}
	read_vif(&info);
	assert_int_equal(info.queued_packets, 0);
	assert_int_equal(NETIF_RING + n + info.dir[VFR_IN].drops[NET_DROP_VIF_RING_FULL], numbered_sent());
	frames_come(200); /* and portions are a thing of the past */
	assert_int_equal(take(), 200);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, overflown, calm)
	const struct CMUnitTest tests[] = {
		T(busy_guest_gets_one_portion),
		T(sleeping_guest_gets_the_next_at_once),
		T(guest_that_never_sleeps_gets_them_in_time),
		T(all_that_waits_arrives_once_the_flood_is_over),
	};

	return cmocka_run_group_tests_name("ration", tests, NULL, NULL);
}
