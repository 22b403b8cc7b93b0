/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port sets: what they contain, as ranges.
 *
 * A MAP-E set (RFC 7597 appendix B) splits a port number into A (a bits), PSID (k bits) and j (m = 16-a-k bits): all ports with
 * the set's PSID in the middle and, if a > 0, A above zero, so that the well-known ports belong to nobody.
 */
#include <vfr/priv.h>

static unsigned int suffix_bits(const struct vfr_portset *ps)
{
	return 16u - ps->offset - ps->psid_len;
}

int vfr_portset_ranges(const struct vfr_portset *ps)
{
	if (ps->kind == VFR_PS_RANGE)
		return ps->first <= ps->last ? 1 : -EINVAL;
	if (ps->kind != VFR_PS_MAP || ps->offset > 15 || ps->psid_len > 16 || ps->offset + ps->psid_len > 16)
		return -EINVAL;
	if (ps->psid >= 1u << ps->psid_len)
		return -EINVAL;
	/* With no PSID bits all ports from 2^(16-a) on are one range. */
	if (ps->offset == 0 || ps->psid_len == 0)
		return 1;
	return (1 << ps->offset) - 1;
}

void vfr_portset_range(const struct vfr_portset *ps, unsigned int i, uint16_t *first, uint16_t *last)
{
	if (ps->kind == VFR_PS_RANGE) {
		*first = ps->first;
		*last = ps->last;
		return;
	}
	unsigned int m = suffix_bits(ps);
	if (ps->psid_len == 0) {
		*first = (uint16_t)(ps->offset ? 1u << m : 0);
		*last = 65535;
		return;
	}
	unsigned int a = ps->offset ? i + 1 : 0;
	*first = (uint16_t)((ps->offset ? a << (16 - ps->offset) : 0) | (uint32_t)ps->psid << m);
	*last = (uint16_t)(*first + ((1u << m) - 1));
}

bool vfr_portset_has(const struct vfr_portset *ps, uint16_t port)
{
	if (ps->kind == VFR_PS_RANGE)
		return port >= ps->first && port <= ps->last;
	if (ps->offset && port >> (16 - ps->offset) == 0)
		return false;
	return ((port >> suffix_bits(ps)) & ((1u << ps->psid_len) - 1)) == ps->psid;
}

uint32_t vfr_portset_count(const struct vfr_portset *ps)
{
	int n = vfr_portset_ranges(ps);
	uint16_t first, last;

	if (n < 0)
		return 0;
	vfr_portset_range(ps, 0, &first, &last);
	return (uint32_t)n * (last - first + 1u);
}

int vfr_portset_split(uint16_t first, uint16_t last, uint16_t share, unsigned int index, struct vfr_portset *out)
{
	if (!share || first > last)
		return -EINVAL;
	uint64_t from = first + (uint64_t)index * share;
	if (from + share - 1 > last)
		return -ERANGE;
	*out = (struct vfr_portset){ .kind = VFR_PS_RANGE, .first = (uint16_t)from, .last = (uint16_t)(from + share - 1) };
	return 0;
}
