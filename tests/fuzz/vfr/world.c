/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One router serves many inputs, because building one costs a hundred times what an input does. Between inputs hours pass, so all
 * that is remembered of packets is over, and what the input has configured is taken back. Now and then a new router is made.
 */
#include <string.h>

#include "fuzz.h"

const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0xff, 1 };
struct vfr *v;
uint64_t now;
unsigned int outstanding;
unsigned int version;
uint8_t owner[4][65536];
struct touched touched;
static uint8_t first_owner[4][65536];

void fuzz_model_set(unsigned int protos, const struct vfr_portset *ps, uint8_t dom)
{
	version++;
	touched.slices = true;
	for (unsigned int n = 0; n < (unsigned int)vfr_portset_ranges(ps); n++) {
		uint16_t first, last;

		vfr_portset_range(ps, n, &first, &last);
		for (unsigned int i = 0; i < 4; i++)
			if (protos & 1u << i)
				memset(&owner[i][first], dom, last - first + 1u);
	}
}

void fuzz_attach(unsigned int port)
{
	struct vfr_port_cfg cfg = { .kind = port ? VFR_PORT_GUEST : VFR_PORT_UPLINK, .mac = { 2, 0, 0, 0, 1, (uint8_t)port },
		.domid = (uint16_t)port };

	touched.ports |= (uint8_t)(1u << port);
	vfr_port_attach(v, (uint16_t)port, &cfg);
}

/* What a domain has beside its slice; the model takes all of it for granted, so one that is removed gets it back at once. */
static void furnish(unsigned int dom)
{
	uint8_t pfx[16] = { 0x20, 1, 0x0d, 0xb8, 0, 1 };
	struct vfr_dhcp_cfg dhcp = { .addr = SHARED, .mask = UINT32_MAX, .router = SELF, .lease_s = 60, .port_params = true,
				     .psid_offset = 4, .psid_len = 6, .psid = 7 };
	struct vfr_ra_cfg ra = { .on = true };
	struct vfr_domain_cfg cfg;

	vfr_domain_defaults(&cfg);
	cfg.nat_addr = dom == 4 ? SHARED : 0;
	vfr_domain_set(v, (uint16_t)dom, &cfg);
	switch (dom) {
	case 1:
		vfr_prefix6_add(v, pfx, 64, 1, NULL);
		vfr_ra_set(v, 1, &ra);
		break;
	case 2:
		vfr_dhcp_set(v, 2, &dhcp);
		break;
	case 3:
		vfr_dedicated_add(v, DEDICATED, 3, NULL);
		break;
	default:
		vfr_internal_add(v, INTERNAL, 4, NULL);
		break;
	}
}

void fuzz_remove_domain(unsigned int dom)
{
	/* It is slow, and twice in one input shows nothing new. */
	if (touched.removed || vfr_domain_del(v, (uint16_t)dom, now))
		return;
	touched.removed = true;
	version++;
	touched.slices = true;
	touched.ports |= (uint8_t)(1u << dom);
	for (uint8_t *o = &owner[0][0]; (o = memchr(o, (int)dom, sizeof(owner) - (size_t)(o - &owner[0][0])));)
		*o = 0;
	furnish(dom);
}

void fuzz_build(void)
{
	struct vfr_params par = { .cpus = 1, .max_ports = 8, .max_domains = 16, .max_conns = 64, .max_frags = 16, .max_nat = 16,
		.seed = { 9 } };
	uint8_t none[16] = { 0 }, gw[16] = { 0xfe, 0x80, [15] = 1 };

	memcpy(par.gateway_mac, gateway_mac, 6);
	now = 1000000000000ull;
	v = vfr_create(&par, &fuzz_ops, NULL);
	memset(owner, 0, sizeof(owner));
	for (unsigned int p = 0; p <= GUESTS; p++)
		fuzz_attach(p);
	vfr_shared_add(v, SHARED);
	for (uint8_t d = 1; d <= GUESTS; d++) {
		struct vfr_portset ps = { .kind = VFR_PS_RANGE, .first = (uint16_t)(d * 1000), .last = (uint16_t)(d * 1000 + 49) };

		vfr_slice_claim(v, now, SHARED, VFR_PROTOS_ALL, &ps, d, NULL);
		fuzz_model_set(VFR_PROTOS_ALL, &ps, d);
		furnish(d);
	}
	memcpy(first_owner, owner, sizeof(owner));
	vfr_self_add(v, SELF);
	vfr_route_add(v, 0, 0, 0, GATEWAY, 0);
	vfr_route6_add(v, none, 0, 0, gw);
	vfr_neigh_static(v, 0, GATEWAY, NULL, gateway_mac);
	memset(&touched, 0, sizeof(touched));
}

/* Hours pass: whatever was remembered of packets is over, and is swept a sixteenth at a time. */
static void let_time_pass(void)
{
	struct vfr_totals t;

	now += 10000000000000ull;
	for (unsigned int i = 0; i < 17; i++)
		vfr_timer(v, now + i);
	/* A neighbour is asked four times. */
	for (unsigned int i = 0; outstanding && i < 8; i++)
		vfr_timer(v, now += 2000000000u);
	vfr_totals_read(v, &t);
	CHECK(!outstanding && !t.held);
}

/* => how many ports from here on have the same owner now, and had the same one at first. */
static uint32_t alike(const uint8_t *is, const uint8_t *was, uint32_t most)
{
	uint32_t n = 1;

	while (n < most && is[n] == is[0] && was[n] == was[0])
		n++;
	return n;
}

static void restore_slices(void)
{
	for (unsigned int i = 0; i < 4; i++)
		for (uint32_t port = 0, n; port < 65536; port += n) {
			uint8_t is = owner[i][port], was = first_owner[i][port];

			n = alike(&owner[i][port], &first_owner[i][port], 65536 - port);
			struct vfr_portset ps = { .kind = VFR_PS_RANGE, .first = (uint16_t)port, .last = (uint16_t)(port + n - 1) };
			if (is == was)
				continue;
			if (is)
				CHECK(!vfr_slice_free(v, now, SHARED, 1u << i, &ps, is));
			vfr_slice_settle(v, SHARED, 1u << i, &ps);
			if (was)
				CHECK(!vfr_slice_claim(v, now, SHARED, 1u << i, &ps, was, NULL));
		}
	memcpy(owner, first_owner, sizeof(owner));
}

void fuzz_restore(void)
{
	let_time_pass();
	if (touched.slices)
		restore_slices();
	for (unsigned int n = 0; n <= GUESTS + 1; n++) {
		if (touched.ports >> n & 1) {
			vfr_port_detach(v, (uint16_t)n, now);
			fuzz_attach(n);
		}
		if (touched.rules >> n & 1)
			vfr_rules_set(v, n == GUESTS + 1 ? VFR_GLOBAL : (uint16_t)n, NULL, 0, NULL);
		if (touched.domains >> n & 1)
			furnish(n);
	}
	if (touched.neighbour || touched.ports & 1)
		vfr_neigh_static(v, 0, GATEWAY, NULL, gateway_mac);
	memset(&touched, 0, sizeof(touched));
}
