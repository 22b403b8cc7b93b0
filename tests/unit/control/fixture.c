/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of each test, and short ways to ask it. */
#include "fixture.h"

#include "../../../tools/lib/vfrc.h"

struct world w;
struct client cl, other;

int open_world(void **state)
{
	return world_open(&w, 120) || client_open(&cl, &w) ? -1 : 0;
}

int close_world(void **state)
{
	world_close(&w);
	return 0;
}

void add_base(void)
{
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d1 = m_dom("web1"), d2 = m_dom("web2");
	struct vc_slice_add s1 = m_slice(A1, "web1", 20000, 20999), s2 = m_slice(A1, "web2", 21000, 21999);

	assert_int_equal(CALL(VC_ADDR_ADD, a), 0);
	assert_int_equal(CALL(VC_DOM_CREATE, d1), 0);
	assert_int_equal(CALL(VC_DOM_CREATE, d2), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s1), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s2), 0);
}

void assert_refused(int rc, int code, const char *name, const char *who)
{
	assert_int_equal(rc, code);
	assert_string_equal(client_error(&cl)->name, name);
	assert_string_equal(client_error(&cl)->owner, who);
}

uint64_t generation(void)
{
	const struct vc_info_reply *i;

	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
	i = (const void *)cl.body;
	return i->generation;
}

/* The configuration as CONFIG_READ shows it, in one piece. */
size_t read_config(uint8_t *out)
{
	struct vc_page q = {0};
	size_t n = 0;

	do {
		struct vc_page_reply p;

		assert_int_equal(CALL(VC_CONFIG_READ, q), 0);
		memcpy(&p, cl.body, sizeof(p));
		memcpy(out + n, cl.body + sizeof(p), cl.n - sizeof(p));
		n += cl.n - sizeof(p);
		q.cursor = p.next;
	} while (q.cursor != VC_CURSOR_END);
	return n;
}

uint16_t owner(unsigned int port)
{
	return vfr_slice_owner(w.sim->vfr, A1, VFR_TCP, port);
}
