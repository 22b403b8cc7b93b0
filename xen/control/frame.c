/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames on a byte stream: COBS (Cheshire and Baker, 1999) and CRC-32C. */
#include "internal.h"

/* The reflected Castagnoli polynomial, by half bytes: 64 bytes of table are enough for a control port. */
static const uint32_t crc_nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t control_crc(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	while (n--) {
		crc ^= *p++;
		crc = crc >> 4 ^ crc_nibble[crc & 15];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
	}
	return ~crc;
}

size_t control_cobs_encode(const void *in, size_t n, void *out)
{
	const uint8_t *p = in, *end = p + n;
	uint8_t *o = out, *code = o++;

	*code = 1;
	for (; p < end; p++) {
		if (*p) {
			*o++ = *p;
			++*code;
		}
		/* A full block needs no successor unless more bytes follow. */
		if (!*p || (*code == 255 && p + 1 < end)) {
			code = o++;
			*code = 1;
		}
	}
	return (size_t)(o - (uint8_t *)out);
}

void deframer_reset(struct deframer *d)
{
	d->len = 0;
	d->left = 0;
	d->code = 0;
	d->broken = false;
}

static void deframer_byte(struct deframer *d, uint8_t b)
{
	if (d->len >= sizeof(d->buf))
		d->broken = true;
	else
		d->buf[d->len++] = b;
}

/* The code byte of the next block stands for the zero between the blocks, unless the block before was a full one. */
static void deframer_code(struct deframer *d, uint8_t b)
{
	if (d->code && d->code != 255)
		deframer_byte(d, 0);
	d->code = b;
	d->left = b - 1;
}

/* The closing zero: whole only where it does not cut a block. */
static bool deframer_close(struct deframer *d)
{
	bool whole = !d->broken && d->left == 0;

	d->left = 0;
	d->code = 0;
	d->broken = false;
	if (!whole)
		d->len = 0;
	return whole;
}

size_t deframer_take(struct deframer *d, const uint8_t *in, size_t n, bool *done)
{
	size_t i = 0;

	*done = false;
	while (i < n) {
		uint8_t b = in[i++];

		if (!b) {
			if (deframer_close(d)) {
				*done = true;
				return i;
			}
		} else if (d->broken) {
			continue;
		} else if (d->left) {
			d->left--;
			deframer_byte(d, b);
		} else {
			deframer_code(d, b);
		}
	}
	return i;
}
