/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction bytes of the guest: lengths of intercepted instructions, and the MOV forms that reach device registers. The
 * bytes are read once; another vcpu may have changed them since, so what does not match is simply run again.
 */
#include "svm.h"

#include <string.h>

#include <hv/guest_mem.h>
#include <hv/log.h>

#include "../x86.h"

#define INSN_MAX 15

void svm_skip(struct vcpu *v, unsigned len)
{
	struct vmcb *b = v->arch->vmcb;
	uint64_t rip = b->rip + len;

	b->rip = (b->efer & EFER_LMA) && (b->cs.attrib & 0x200) ? rip : (uint32_t)rip;
	b->interrupt_shadow = 0;
}

static unsigned fetch(struct vcpu *v, uint8_t *buf)
{
	const struct vmcb *b = v->arch->vmcb;
	uint64_t at = (b->efer & EFER_LMA) && (b->cs.attrib & 0x200) ? b->rip : (uint32_t)(b->cs.base + b->rip);
	unsigned first = (unsigned)(PAGE_SIZE - (at & (PAGE_SIZE - 1)));

	if (first > INSN_MAX)
		first = INSN_MAX;
	if (gva_read(v, buf, (gva_t){ at }, first))
		return 0;
	if (first < INSN_MAX && !gva_read(v, buf + first, (gva_t){ at + first }, INSN_MAX - first))
		return INSN_MAX;
	return first;
}

static bool is_prefix(uint8_t c)
{
	return c == 0x66 || c == 0x67 || c == 0xf2 || c == 0xf3 || c == 0x2e || c == 0x36 || c == 0x3e || c == 0x26 || c == 0x64 ||
	       c == 0x65 || c == 0xf0;
}

unsigned svm_insn_length(struct vcpu *v, const uint8_t *opcode, unsigned n)
{
	uint8_t buf[INSN_MAX];
	unsigned have = fetch(v, buf), at = 0;
	bool long_mode = v->arch->vmcb->cs.attrib & 0x200;

	while (at < have && (is_prefix(buf[at]) || (long_mode && (buf[at] & 0xf0) == 0x40)))
		at++;
	if (at + n > have || memcmp(buf + at, opcode, n))
		return 0;
	return at + n;
}

struct mov {
	unsigned len, size;
	bool write, zero_extend;
	bool immediate;
	uint32_t imm;
	unsigned reg;
	bool high_byte; /* ah, ch, dh, bh */
};

/* Bytes that ModRM, SIB and displacement take; 0: register form or out of bytes. */
static unsigned modrm_length(const uint8_t *p, unsigned have)
{
	unsigned mod, rm, n = 1;

	if (!have)
		return 0;
	mod = p[0] >> 6, rm = p[0] & 7;
	if (mod == 3)
		return 0;
	if (rm == 4) {
		if (have < 2)
			return 0;
		if (mod == 0 && (p[1] & 7) == 5)
			n += 4;
		n++;
	} else if (mod == 0 && rm == 5) {
		n += 4;
	}
	n += mod == 1 ? 1 : mod == 2 ? 4 : 0;
	return n <= have ? n : 0;
}

/* MOV between the accumulator and an address that follows the opcode: the size of that address. */
static unsigned moffs_length(bool long_mode, bool other_size)
{
	return long_mode ? (other_size ? 4 : 8) : (other_size ? 2 : 4);
}

static bool decode_mov(struct vcpu *v, struct mov *m)
{
	uint8_t buf[INSN_MAX], rex = 0;
	unsigned have = fetch(v, buf), at = 0, n;
	bool op16 = false, addr_size = false, long_mode = v->arch->vmcb->cs.attrib & 0x200;

	*m = (struct mov){ 0 };
	for (; at < have && (is_prefix(buf[at]) || (long_mode && (buf[at] & 0xf0) == 0x40)); at++) {
		op16 |= buf[at] == 0x66;
		addr_size |= buf[at] == 0x67;
		rex = (buf[at] & 0xf0) == 0x40 ? buf[at] : 0;
	}
	if (at + 2 > have)
		return false;
	unsigned full = rex & 8 ? 8 : op16 ? 2 : 4;
	uint8_t op = buf[at++];
	switch (op) {
	case 0x88: case 0x89: case 0xc6: case 0xc7:
		m->write = true;
		m->size = op & 1 ? full : 1;
		m->immediate = op >= 0xc6;
		break;
	case 0x8a: case 0x8b:
		m->size = op & 1 ? full : 1;
		break;
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		m->write = op & 2;
		m->size = op & 1 ? full : 1;
		m->len = at + moffs_length(long_mode, addr_size);
		return m->len <= have;
	case 0x0f: /* MOVZX */
		op = buf[at++];
		if (op != 0xb6 && op != 0xb7)
			return false;
		m->size = op == 0xb6 ? 1 : 2;
		m->zero_extend = true;
		break;
	default:
		return false;
	}
	n = modrm_length(buf + at, have - at);
	if (!n)
		return false;
	m->reg = (buf[at] >> 3 & 7) | (rex & 4 ? 8 : 0);
	m->high_byte = m->size == 1 && !m->zero_extend && !rex && m->reg >= 4;
	at += n;
	if (m->immediate) {
		unsigned bytes = m->size == 8 ? 4 : m->size;
		if (at + bytes > have)
			return false;
		memcpy(&m->imm, buf + at, bytes);
		at += bytes;
	}
	m->len = at;
	return true;
}

static uint32_t source(struct vcpu *v, const struct mov *m)
{
	if (m->immediate)
		return m->imm;
	return (uint32_t)(m->high_byte ? v->arch->regs[m->reg - 4] >> 8 : v->arch->regs[m->reg]);
}

static void set_dest(struct vcpu *v, const struct mov *m, uint64_t val)
{
	uint64_t *r = &v->arch->regs[m->high_byte ? m->reg - 4 : m->reg];
	unsigned shift = m->high_byte ? 8 : 0;
	uint64_t mask = m->size == 8 ? ~0UL : (1UL << m->size * 8) - 1;

	if (m->size >= 4 || m->zero_extend)
		*r = val & mask;
	else
		*r = (*r & ~(mask << shift)) | (val & mask) << shift;
}

bool svm_mmio(struct vcpu *v, uint64_t addr)
{
	struct vlapic *l = &v->arch->lapic;
	bool apic = (addr & PAGE_MASK) == VLAPIC_PAGE && (l->base_msr >> 10 & 3) == 2;
	uint32_t reg = (uint32_t)(addr & 0xff0), val = ~0u;
	struct mov m;

	if (!decode_mov(v, &m))
		return false;
	svm_skip(v, m.len);
	/* Registers are 32 bits wide at multiples of 16; all else there, and everywhere else, is nothing: ones. */
	apic = apic && m.size == 4 && !(addr & 0xf);
	if (m.write) {
		if (apic)
			vlapic_write(l, reg, source(v, &m));
	} else {
		if (apic)
			vlapic_read(l, reg, &val);
		set_dest(v, &m, apic ? val : ~0UL);
	}
	return true;
}
