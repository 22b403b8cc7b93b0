/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames with numbers: see numbered.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "numbered.h"

static uint32_t sent, seen;

void numbered_start(void)
{
	sent = seen = 0;
}

uint32_t numbered_next(void)
{
	return ++sent;
}

uint32_t numbered_sent(void)
{
	return sent;
}

void numbered_come(unsigned int n, uint32_t len)
{
	struct nic_meta meta = { 0 };
	uint8_t frame[2048] = { 0 };

	while (n--) {
		uint32_t number = numbered_next();

		memcpy(frame, &number, sizeof(number));
		card_receive(frame, len, &meta);
		world_run();
	}
}

unsigned int numbered_take(struct guest *to)
{
	static uint8_t out[70000];
	struct netif_extra_info extra;
	unsigned int n = 0;
	uint16_t flags;

	while (guest_rx_frame(to, out, &flags, &extra)) {
		uint32_t number;

		memcpy(&number, out, sizeof(number));
		assert_true(number > seen);
		seen = number;
		n++;
	}
	guest_post_rx(to, n);
	return n;
}
