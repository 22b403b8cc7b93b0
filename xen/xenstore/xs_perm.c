/* SPDX-License-Identifier: BSD-2-Clause */
/* Permissions: a list of (domain, right); the first names the owner, who may do all, and the right of everybody unnamed. */
#include <xenstore/xs_private.h>

#include <stdio.h>

static const char letters[] = { [XS_MODE_NONE] = 'n', [XS_MODE_READ] = 'r', [XS_MODE_WRITE] = 'w', [XS_MODE_READ | XS_MODE_WRITE] = 'b' };

unsigned int xs_perm_mode(const struct xs_perms *perms, const struct xs_dom *dom)
{
	const unsigned int all = XS_MODE_READ | XS_MODE_WRITE | XS_MODE_OWNER;
	if (dom->domid == XS_DOM0)
		return all;
	for (uint32_t i = 0; i < perms->n; i++)
		if (perms->p[i].domid == dom->domid && perms->p[i].epoch == dom->epoch)
			return i == 0 ? all : perms->p[i].mode;
	return perms->p[0].mode;
}

bool xs_perm_live(struct xenstore *xs, const struct xs_perm *p)
{
	const struct xs_dom *dom = xs_dom_find(xs, p->domid);
	return dom && dom->epoch == p->epoch;
}

/* "r5": a letter and a domain. One that is not known is kept, and stays void when it appears later. */
int xs_perm_parse(struct xenstore *xs, const char *s, size_t len, struct xs_perm *out)
{
	if (len < 2 || len > 6)
		return -EINVAL;
	unsigned int mode = 0;
	while (mode < sizeof(letters) && letters[mode] != s[0])
		mode++;
	uint32_t id = 0;
	for (size_t i = 1; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		id = id * 10 + (uint32_t)(s[i] - '0');
	}
	if (mode == sizeof(letters) || id > UINT16_MAX)
		return -EINVAL;
	const struct xs_dom *dom = xs_dom_find(xs, (uint16_t)id);
	*out = (struct xs_perm){ .domid = (uint16_t)id, .mode = (uint8_t)mode, .epoch = dom ? dom->epoch : 0 };
	return 0;
}

/* The wire form, each closed with a NUL; void ones are left out. => max is enough for XS_PERMS_MAX * 8. */
size_t xs_perm_format(struct xenstore *xs, const struct xs_perms *perms, char *out, size_t max)
{
	size_t n = 0;
	for (uint32_t i = 0; i < perms->n; i++) {
		const struct xs_perm *p = &perms->p[i];
		if (i == 0 || xs_perm_live(xs, p))
			n += (size_t)snprintf(out + n, max - n, "%c%u", letters[p->mode], p->domid) + 1;
	}
	return n;
}
