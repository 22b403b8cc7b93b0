/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the control protocol, the client's side. */
#include <string.h>

#include "vfrc.h"

uint32_t vfrc_crc(uint32_t crc, const void *bytes, size_t n)
{
	static uint32_t table[256];
	const uint8_t *p = bytes;

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t x = i;

			for (int k = 0; k < 8; k++)
				x = x >> 1 ^ (x & 1 ? 0x82f63b78u : 0);
			table[i] = x;
		}
	}
	crc = ~crc;
	while (n--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return ~crc;
}

size_t vfrc_cobs(const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t *o = out, *code = o++;
	size_t run = 1;

	for (size_t i = 0; i < n; i++) {
		if (in[i]) {
			*o++ = in[i];
			run++;
		}
		if (!in[i] || (run == 255 && i + 1 < n)) {
			*code = run;
			code = o++;
			run = 1;
		}
	}
	*code = run;
	*o++ = 0;
	return o - out;
}

long vfrc_uncobs(const uint8_t *in, size_t n, uint8_t *out, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		size_t code = in[i++];

		if (!code || code - 1 > n - i || len + code > max)
			return -1;
		memcpy(out + len, in + i, code - 1);
		len += code - 1;
		i += code - 1;
		if (code != 255 && i < n)
			out[len++] = 0;
	}
	return len;
}

size_t vfrc_message(uint8_t *out, uint16_t type, uint32_t seq, uint32_t session, const void *body, size_t n)
{
	struct vc_msg *m = (void *)out;

	*m = (struct vc_msg){.magic = VC_MSG_MAGIC, .version = VC_VERSION, .type = type, .seq = seq, .session = session, .length = n};
	if (n)
		memcpy(m + 1, body, n);
	m->crc = vfrc_crc(0, out, sizeof(*m) + n);
	return sizeof(*m) + n;
}
