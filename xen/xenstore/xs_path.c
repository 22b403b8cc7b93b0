/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths: what a valid one is, relative ones made absolute, and the hash of a path and of each of its prefixes. */
#include <xenstore/xs_private.h>

#include <stdio.h>

static const char home_prefix[] = "/local/domain/";

static bool valid_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '@' || c == '/';
}

/* Length of the leading "/local/domain/<digits>/", 0 without one: what lies behind it counts as relative. */
static size_t home_len(const char *s, size_t len)
{
	size_t n = sizeof(home_prefix) - 1;
	if (len <= n || memcmp(s, home_prefix, n))
		return 0;
	size_t digits = n;
	while (n < len && s[n] >= '0' && s[n] <= '9')
		n++;
	return n > digits && n < len && s[n] == '/' ? n + 1 : 0;
}

static bool well_formed(const char *s, size_t len)
{
	if (len == 1)
		return true;
	if (s[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!valid_char(s[i]) || (s[i] == '/' && s[i + 1] == '/'))
			return false;
	return true;
}

/* `s` need not be closed by a NUL. -EINVAL, or -EACCES for the events that only a control domain may watch. */
int xs_path_parse(const struct xs_dom *dom, const char *s, size_t len, struct xs_path *out)
{
	if (len == 0 || len > XENSTORE_ABS_PATH_MAX)
		return -EINVAL;
	if (s[0] == '@') {
		static const char in[] = "@introduceDomain", gone[] = "@releaseDomain";
		bool known = (len == sizeof(in) - 1 && !memcmp(s, in, len)) || (len == sizeof(gone) - 1 && !memcmp(s, gone, len));
		return known ? -EACCES : -EINVAL;
	}
	out->shown = 0;
	if (s[0] != '/') {
		if (len > XENSTORE_REL_PATH_MAX)
			return -EINVAL;
		out->shown = (uint32_t)snprintf(out->s, sizeof(out->s), "%s%u/", home_prefix, dom->domid);
	}
	memcpy(out->s + out->shown, s, len);
	out->len = out->shown + (uint32_t)len;
	out->s[out->len] = '\0';
	if (out->len - home_len(out->s, out->len) > XENSTORE_REL_PATH_MAX && dom->domid != XS_DOM0)
		return -EINVAL;
	return well_formed(out->s, out->len) ? 0 : -EINVAL;
}

static_assert(sizeof(home_prefix) + 5 + XENSTORE_REL_PATH_MAX < XENSTORE_ABS_PATH_MAX, "a relative path fits behind its home");

/* The hash of a path from that of its parent: a change looks up the watches of each of its prefixes on the way. */
uint64_t xs_hash_next(uint64_t hash, const char *name, size_t len)
{
	const uint64_t k = 0x9e3779b97f4a7c15ull;
	uint64_t word;
	for (; len >= sizeof(word); len -= sizeof(word), name += sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		hash = (hash ^ word) * k;
		hash ^= hash >> 29;
	}
	word = (uint64_t)(len + 1) << 56;
	memcpy(&word, name, len);
	hash = (hash ^ word) * k;
	return hash ^ hash >> 32;
}

uint64_t xs_hash(const struct xenstore *xs, const char *s, size_t len)
{
	uint64_t h = xs->seed;
	for (size_t at = 1, n; at < len; at += n + 1) {
		const char *slash = memchr(s + at, '/', len - at);
		n = slash ? (size_t)(slash - s) - at : len - at;
		h = xs_hash_next(h, s + at, n);
	}
	return h;
}

/* Length of the parent's path. => not the root. */
size_t xs_parent_len(const char *path, size_t len)
{
	while (path[len - 1] != '/')
		len--;
	return len > 1 ? len - 1 : 1;
}

/* The last component. */
const char *xs_name(const char *path, size_t len, size_t *name_len)
{
	size_t at = len;
	while (at > 0 && path[at - 1] != '/')
		at--;
	*name_len = len - at;
	return path + at;
}
