/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control port under arbitrary bytes. The input is a list of records {kind, type, length, body}: a kind says whether the body goes in
 * as a proper message of that type, as raw stream bytes, as a boot plan, or as time that passes. Proper frames let the fuzzer reach
 * the handlers without having to guess a check sum.
 */
#include <stdlib.h>
#include <string.h>

#include <env_host.h>

#include "../../unit/control/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct client cl;

static void start(struct world *w)
{
	struct vc_addr_add a = m_addr(0x0a00020f);
	struct vc_dom_create d = m_dom("web1");
	struct vc_slice_add s = m_slice(0x0a00020f, "web1", 20000, 20999);

	if (world_open(w, 120) || client_open(&cl, w))
		abort();
	client_call(&cl, w, VC_ADDR_ADD, &a, sizeof(a));
	client_call(&cl, w, VC_DOM_CREATE, &d, sizeof(d));
	client_call(&cl, w, VC_SLICE_ADD, &s, sizeof(s));
}

/* Every message has an answer, but for a WAIT without news. */
static void message(struct world *w, uint16_t type, const uint8_t *body, size_t n)
{
	static uint8_t stream[OUT_MAX];
	size_t len = client_encode(&cl, type, body, n, stream);

	if (control_input(cl.s, stream, len, w->now) != len)
		abort();
	if (!client_reply(&cl) && type != VC_WAIT)
		abort();
	if (type == VC_HELLO)
		client_hello(&cl, w, 7);
}

static void record(struct world *w, unsigned int kind, uint16_t type, const uint8_t *body, size_t n)
{
	switch (kind % 8) {
	case 0:
		control_input(cl.s, body, n, w->now);
		control_input(cl.s, "", 1, w->now);
		cl.len = 0;
		client_hello(&cl, w, 7);
		break;
	case 1:
		w->now += (uint64_t)type << 22;
		control_timer(w->c, w->now);
		cl.len = 0;
		break;
	case 2:
		control_dom_exited(w->c, type & 7, n ? body[0] & 3 : 0, "fuzz", w->now);
		break;
	default:
		message(w, type, body, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	env_host_log_level(-1);
	start(&w);
	if (size && data[0] == 0xff) {
		control_boot_plan(w.c, data + 1, size - 1, w.now);
		size = 0;
	}
	while (size >= 5) {
		size_t n = data[3] | data[4] << 8;

		if (n > size - 5)
			n = size - 5;
		record(&w, data[0], data[1] | data[2] << 8, data + 5, n);
		data += 5 + n;
		size -= 5 + n;
	}
	world_close(&w);
	if (env_host_live_blocks())
		abort();
	return 0;
}
