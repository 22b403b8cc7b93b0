/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload of a bzImage: gzip, xz, lz4 (legacy frames), zstd. Each stops at the end of its stream; Linux appends the size. */
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "vfrc.h"

#define OUT_MAX ((size_t)1 << 30)
#define LZ4_BLOCK ((size_t)8 << 20)

struct out {
	uint8_t *p;
	size_t len, room;
};

/* => room for `want` more bytes; -1: no memory, or beyond what a kernel can be */
static int out_room(struct out *o, size_t want)
{
	size_t room = o->room ? o->room : (size_t)32 << 20;
	uint8_t *p;

	if (want > OUT_MAX || o->len > OUT_MAX - want)
		return -1;
	while (room < o->len + want)
		room *= 2;
	if (room == o->room)
		return 0;
	p = realloc(o->p, room);
	if (!p)
		return -1;
	o->p = p;
	o->room = room;
	return 0;
}

static int unpack_gzip(const uint8_t *in, size_t n, struct out *o)
{
	z_stream z = {.next_in = (void *)in, .avail_in = n};
	int rc = inflateInit2(&z, 15 + 16);

	while (rc == Z_OK && !out_room(o, 1)) {
		z.next_out = o->p + o->len;
		z.avail_out = o->room - o->len;
		rc = inflate(&z, Z_NO_FLUSH);
		o->len = z.next_out - o->p;
		if (rc == Z_OK && !z.avail_in && z.avail_out)
			rc = Z_BUF_ERROR;
	}
	inflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -1;
}

static int unpack_xz(const uint8_t *in, size_t n, struct out *o)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret rc = lzma_stream_decoder(&z, UINT64_MAX, 0);

	z.next_in = in;
	z.avail_in = n;
	while (rc == LZMA_OK && !out_room(o, 1)) {
		z.next_out = o->p + o->len;
		z.avail_out = o->room - o->len;
		rc = lzma_code(&z, LZMA_RUN);
		o->len = z.next_out - o->p;
		if (rc == LZMA_OK && !z.avail_in && z.avail_out)
			rc = LZMA_BUF_ERROR;
	}
	lzma_end(&z);
	return rc == LZMA_STREAM_END ? 0 : -1;
}

static int unpack_lz4(const uint8_t *in, size_t n, struct out *o)
{
	size_t at = 4;

	while (n - at > 4) {
		uint32_t len;
		int got;

		memcpy(&len, in + at, 4);
		at += 4;
		if (len > n - at || out_room(o, LZ4_BLOCK))
			return -1;
		got = LZ4_decompress_safe((const char *)in + at, (char *)o->p + o->len, len, LZ4_BLOCK);
		if (got < 0)
			return -1;
		o->len += got;
		at += len;
	}
	return o->len ? 0 : -1;
}

static int unpack_zstd(const uint8_t *in, size_t n, struct out *o)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer src = {in, n, 0};
	size_t rc = 1;

	if (!z)
		return -1;
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, 31);
	while (rc && !ZSTD_isError(rc) && !out_room(o, 1)) {
		ZSTD_outBuffer dst = {o->p, o->room, o->len};

		rc = ZSTD_decompressStream(z, &dst, &src);
		o->len = dst.pos;
		if (rc && !ZSTD_isError(rc) && src.pos == n && dst.pos < dst.size)
			break;
	}
	ZSTD_freeDStream(z);
	return rc == 0 ? 0 : -1;
}

static const struct {
	const char *name;
	uint8_t magic[6];
	uint8_t len;
	int (*fn)(const uint8_t *in, size_t n, struct out *o);
} packers[] = {
	{"gzip", {0x1f, 0x8b}, 2, unpack_gzip},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_xz},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, unpack_lz4},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd},
	{"bzip2", {'B', 'Z', 'h'}, 3, NULL},
	{"lzo", {0x89, 'L', 'Z', 'O'}, 4, NULL},
	{"lzma", {0x5d, 0, 0}, 3, NULL},
};

int unpack_payload(const uint8_t *in, size_t n, uint8_t **out, size_t *size, char *why, size_t whysize)
{
	struct out o = {0};

	for (size_t i = 0; i < sizeof(packers) / sizeof(*packers); i++) {
		if (n < packers[i].len || memcmp(in, packers[i].magic, packers[i].len))
			continue;
		if (!packers[i].fn)
			return snprintf(why, whysize, "the kernel is packed with %s, which is not supported: gzip, xz, lz4, zstd are",
					packers[i].name), -1;
		if (packers[i].fn(in, n, &o)) {
			free(o.p);
			return snprintf(why, whysize, "the kernel's %s payload is damaged or cut off", packers[i].name), -1;
		}
		*out = o.p;
		*size = o.len;
		return 0;
	}
	return snprintf(why, whysize, "the kernel's payload is packed in no way known here (first bytes %02x %02x %02x %02x)",
			n > 0 ? in[0] : 0,
			n > 1 ? in[1] : 0, n > 2 ? in[2] : 0, n > 3 ? in[3] : 0), -1;
}
