/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4), for messages given whole or in pieces. Chosen over faster hashes because every system can check it. */
#include <audit/audit_private.h>

static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void expand(uint32_t w[64], const uint8_t *block)
{
	for (unsigned int i = 0; i < 16; i++)
		w[i] = env_get32(block + 4 * i);
	for (unsigned int i = 16; i < 64; i++) {
		uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void compress(struct audit_sha256 *s, const uint8_t *block)
{
	uint32_t w[64];
	uint32_t a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4], f = s->h[5], g = s->h[6], h = s->h[7];
	expand(w, block);
	for (unsigned int i = 0; i < 64; i++) {
		uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		h = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	const uint32_t v[8] = { a, b, c, d, e, f, g, h };
	for (unsigned int i = 0; i < 8; i++)
		s->h[i] += v[i];
}

void audit_sha256_begin(struct audit_sha256 *s)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	memcpy(s->h, start, sizeof(start));
	s->len = 0;
}

void audit_sha256_add(struct audit_sha256 *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	while (n) {
		size_t at = s->len % sizeof(s->block), now = sizeof(s->block) - at < n ? sizeof(s->block) - at : n;
		memcpy(s->block + at, p, now);
		s->len += now;
		p += now;
		n -= now;
		if (s->len % sizeof(s->block) == 0)
			compress(s, s->block);
	}
}

void audit_sha256_end(struct audit_sha256 *s, uint8_t out[AUDIT_HASH_SIZE])
{
	static const uint8_t pad[64] = { 0x80 };
	uint8_t bits[8];
	env_put64(bits, s->len * 8);
	audit_sha256_add(s, pad, 1 + (119 - s->len % 64) % 64);
	audit_sha256_add(s, bits, sizeof(bits));
	for (unsigned int i = 0; i < 8; i++)
		env_put32(out + 4 * i, s->h[i]);
}
