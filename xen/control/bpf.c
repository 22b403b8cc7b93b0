/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic filter machine (McCanne and Jacobson, 1993): an accumulator, an index, sixteen words of memory, jumps that only go
 * forward.
 */
#include <control/tap.h>

#define MEM_WORDS 16

enum { LD, LDX, ST, STX, ALU, JMP, RET, MISC };
enum { IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0 };

static bool check_memory(const struct vc_bpf_insn *i)
{
	unsigned int cls = i->code & 7;

	if (cls == ST || cls == STX || ((cls == LD || cls == LDX) && (i->code & 0xe0) == MEM))
		return i->k < MEM_WORDS;
	return true;
}

static bool check_jump(const struct vc_bpf_insn *i, unsigned int left)
{
	if ((i->code & 7) != JMP)
		return true;
	if (!(i->code & 0xf0))
		return i->k < left;
	return i->jt < left && i->jf < left;
}

bool bpf_check(const struct vc_bpf_insn *prog, unsigned int n)
{
	for (unsigned int pc = 0; pc < n; pc++) {
		const struct vc_bpf_insn *i = &prog[pc];
		unsigned int op = i->code & 0xf0;

		if (!check_memory(i) || !check_jump(i, n - pc - 1))
			return false;
		/* A division by a constant zero. */
		if ((i->code & 7) == ALU && (op == 0x30 || op == 0x90) && !(i->code & 8) && !i->k)
			return false;
	}
	return n && (prog[n - 1].code & 7) == RET;
}

/* A load of 4, 2 or 1 bytes in network order; false: beyond what is here. */
static bool load(const uint8_t *p, uint32_t linear, uint64_t at, unsigned int code, uint32_t *out)
{
	unsigned int size = (code & 0x18) == 0x00 ? 4 : (code & 0x18) == 0x08 ? 2 : 1;

	if (at + size > linear)
		return false;
	*out = size == 4 ? env_get32(p + at) : size == 2 ? env_get16(p + at) : p[at];
	return true;
}

static bool alu(unsigned int op, uint32_t *a, uint32_t v)
{
	switch (op) {
	case 0x00: *a += v; return true;
	case 0x10: *a -= v; return true;
	case 0x20: *a *= v; return true;
	case 0x30: return v ? (*a /= v, true) : false;
	case 0x40: *a |= v; return true;
	case 0x50: *a &= v; return true;
	case 0x60: *a = v < 32 ? *a << v : 0; return true;
	case 0x70: *a = v < 32 ? *a >> v : 0; return true;
	case 0x80: *a = -*a; return true;
	case 0x90: return v ? (*a %= v, true) : false;
	case 0xa0: *a ^= v; return true;
	default: return false;
	}
}

static bool jump(unsigned int op, uint32_t a, uint32_t v)
{
	return op == 0x10 ? a == v : op == 0x20 ? a > v : op == 0x30 ? a >= v : (a & v) != 0;
}

struct machine {
	uint32_t a, x, mem[MEM_WORDS];
	const uint8_t *p;
	uint32_t linear, len;
};

static bool do_load(struct machine *m, const struct vc_bpf_insn *i)
{
	bool index = (i->code & 7) == LDX;
	uint32_t *to = index ? &m->x : &m->a;

	switch (i->code & 0xe0) {
	case IMM: *to = i->k; return true;
	case MEM: *to = m->mem[i->k]; return true;
	case LEN: *to = m->len; return true;
	case ABS: return !index && load(m->p, m->linear, i->k, i->code, to);
	case IND: return !index && load(m->p, m->linear, (uint64_t)m->x + i->k, i->code, to);
	case MSH:
		if (!index || i->k >= m->linear)
			return false;
		*to = (m->p[i->k] & 15) * 4;
		return true;
	default: return false;
	}
}

uint32_t bpf_run(const struct vc_bpf_insn *prog, unsigned int n, const uint8_t *p, uint32_t linear, uint32_t len)
{
	struct machine m = {.p = p, .linear = linear, .len = len};

	for (unsigned int pc = 0; pc < n; pc++) {
		const struct vc_bpf_insn *i = &prog[pc];
		uint32_t v = i->code & 8 ? m.x : i->k;

		switch (i->code & 7) {
		case LD:
		case LDX:
			if (!do_load(&m, i))
				return 0;
			break;
		case ST: m.mem[i->k] = m.a; break;
		case STX: m.mem[i->k] = m.x; break;
		case ALU:
			if (!alu(i->code & 0xf0, &m.a, v))
				return 0;
			break;
		case JMP: pc += !(i->code & 0xf0) ? i->k : jump(i->code & 0xf0, m.a, v) ? i->jt : i->jf; break;
		case RET: return i->code & 0x10 ? m.a : i->k;
		default:
			if (i->code & 0x80)
				m.a = m.x;
			else
				m.x = m.a;
		}
	}
	return 0;
}
