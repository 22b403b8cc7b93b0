/* SPDX-License-Identifier: BSD-2-Clause */
/* Small checks that every message needs, and the words of a refusal. */
#include "internal.h"

int control_refuse(struct control_error *err, int code, const char *name, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	copy_name(err->name, sizeof(err->name), name);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -code;
}

void copy_name(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

int check_name(const char *name, size_t size, const char *what, bool empty_ok, struct control_error *err)
{
	size_t i, n = strnlen(name, size);

	if (n == size)
		return control_refuse(err, EINVAL, "bad-name", "the name of the %s is not closed by a zero byte", what);
	if (!n && !empty_ok)
		return control_refuse(err, EINVAL, "bad-name", "the %s has no name", what);
	for (i = 0; i < n; i++)
		if (!name_char(name[i]))
			return control_refuse(err, EINVAL, "bad-name",
					      "the name of the %s may hold letters, digits, dot, dash and underscore only", what);
	for (; i < size; i++)
		if (name[i])
			return control_refuse(err, EINVAL, "bad-name", "the name of the %s is not padded with zero bytes", what);
	return 0;
}

int check_zero(const void *p, size_t n, struct control_error *err)
{
	const uint8_t *b = p;

	while (n--)
		if (*b++)
			return control_refuse(err, EINVAL, "reserved", "a reserved byte is not zero");
	return 0;
}

int refuse_enosys(struct control_error *err, const char *what)
{
	return control_refuse(err, ENOSYS, "not-offered", "this hypervisor does not offer: %s", what);
}
