/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch and pcap: packets as they pass the router. The filter is compiled here by libpcap and checked there; the pcapng file carries
 * the reason of a drop in the packet's comment, and the direction in its flags.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fit.h"

#define SNAPLEN 65535
#define POLL_US 100000

static volatile sig_atomic_t stop;

struct capture {
	struct cli *cli;
	struct vc_drop_rec *names;
	size_t nnames;
	struct domains domains;		/* as they were at the start; one that came later has a number only */
	FILE *pcapng;			/* NULL: text */
	uint64_t left;			/* packets still wanted */
	int (*show)(struct capture *c, const struct vc_capture_rec *rec, const uint8_t *bytes);
};

static void on_signal(int sig)
{
	stop = 1;
}

static const char *drop_name(const struct capture *c, unsigned int reason)
{
	return reason < c->nnames ? c->names[reason].name : "?";
}

/* "-" stands for what no domain owns. */
static const char *domain_name(const struct capture *c, unsigned int id, char number[16])
{
	for (size_t i = 0; i < c->domains.n; i++)
		if (id && c->domains.v[i].domid == id)
			return c->domains.v[i].name;
	snprintf(number, 16, id ? "domain %u" : "-", id);
	return number;
}

/* --- pcapng ----------------------------------------------------------------------------------------------------------- */

struct block {
	uint8_t b[SNAPLEN + 1024];
	uint32_t n;
};

static void put(struct block *k, const void *p, uint32_t n)
{
	memcpy(k->b + k->n, p, n);
	k->n += n;
	while (k->n % 4)
		k->b[k->n++] = 0;
}

static void put32(struct block *k, uint32_t v)
{
	put(k, &v, 4);
}

static void put_option(struct block *k, uint16_t code, const void *p, uint16_t n)
{
	put32(k, code | (uint32_t)n << 16);
	put(k, p, n);
}

static int write_block(FILE *f, struct block *k)
{
	uint32_t total = k->n + 4;

	memcpy(k->b + 4, &total, 4);
	put32(k, total);
	return fwrite(k->b, 1, k->n, f) == k->n && !fflush(f) ? 0 : -1;
}

static void start_block(struct block *k, uint32_t type)
{
	k->n = 0;
	put32(k, type);
	put32(k, 0);
}

static int write_head(FILE *f)
{
	static struct block k;
	uint8_t ns = 9;

	start_block(&k, 0x0a0d0d0a);
	put32(&k, 0x1a2b3c4d);
	put32(&k, 1);			/* version 1.0 */
	put32(&k, ~0u);
	put32(&k, ~0u);			/* length of the section: unknown */
	put_option(&k, 4, "vfrctl", 6);
	put32(&k, 0);
	if (write_block(f, &k))
		return -1;
	start_block(&k, 1);
	put32(&k, DLT_EN10MB);
	put32(&k, SNAPLEN);
	put_option(&k, 2, "vfr", 3);
	put_option(&k, 9, &ns, 1);
	put32(&k, 0);
	return write_block(f, &k);
}

static int write_packet(struct capture *c, const struct vc_capture_rec *rec, const uint8_t *bytes)
{
	static struct block k;
	uint32_t flags = rec->dir == VC_RULE_IN ? 1 : 2;
	char comment[80];
	int n = snprintf(comment, sizeof(comment), rec->reason ? "dropped: %.32s" : "forwarded", drop_name(c, rec->reason));

	start_block(&k, 6);
	put32(&k, 0);
	put32(&k, rec->utc_ns >> 32);
	put32(&k, rec->utc_ns);
	put32(&k, rec->caplen);
	put32(&k, rec->len);
	put(&k, bytes, rec->caplen);
	put_option(&k, 1, comment, n);
	put_option(&k, 2, &flags, 4);
	put32(&k, 0);
	return write_block(c->pcapng, &k);
}

/* --- text ------------------------------------------------------------------------------------------------------------- */

static unsigned int get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void end_text(const uint8_t *addr, bool v6, const uint8_t *l4, bool ports, char *out, size_t n)
{
	char ip[64];
	struct vc_ip a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

	memcpy(v6 ? a.b : a.b + 12, addr, v6 ? 16 : 4);
	vfrc_format_ip(&a, ip, sizeof(ip));
	snprintf(out, n, ports ? (v6 ? "[%s]:%u" : "%s:%u") : "%s", ip, ports ? get16(l4) : 0);
}

static void packet_text(const uint8_t *p, uint32_t n, char *out, size_t size)
{
	unsigned int type = n >= 14 ? get16(p + 12) : 0, proto, l4;
	bool v6 = type == 0x86dd, ports;
	char src[80], dst[80], name[16];

	if ((type != 0x0800 && !v6) || n < (v6 ? 54u : 34u)) {
		snprintf(out, size, type == 0x0806 ? "arp" : "ethertype 0x%04x", type);
		return;
	}
	proto = v6 ? p[20] : p[23];
	l4 = 14 + (v6 ? 40 : (p[14] & 15) * 4);
	ports = (proto == 6 || proto == 17 || proto == 132) && n >= l4 + 4 && (v6 || !(get16(p + 20) & 0x1fff));
	end_text(p + (v6 ? 22 : 26), v6, p + l4, ports, src, sizeof(src));
	end_text(p + (v6 ? 38 : 30), v6, p + l4 + 2, ports, dst, sizeof(dst));
	snprintf(name, sizeof(name), "proto %u", proto);
	snprintf(out, size, "%s %s > %s", proto == 6 ? "tcp" : proto == 17 ? "udp" : proto == 1 ? "icmp" : proto == 58 ? "icmpv6" : name,
		 src, dst);
}

static int print_packet(struct capture *c, const struct vc_capture_rec *rec, const uint8_t *bytes)
{
	char when[48], text[200], number[16];
	const char *dom = domain_name(c, rec->domid, number);

	vfrc_format_time(rec->utc_ns, when, sizeof(when));
	packet_text(bytes, rec->caplen, text, sizeof(text));
	if (c->cli->json) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:o}", "utc", when, "direction",
				      rec->dir == VC_RULE_IN ? "in" : "out", "domain", dom == number ? "" : dom, "id", rec->domid,
				      "bytes", (int)rec->len, "packet", text, "dropped",
				      rec->reason ? json_string(drop_name(c, rec->reason)) : json_null());

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		fit_line(stdout, 29, "%s %-3s %-8s %s, %u bytes%s%s", when, rec->dir == VC_RULE_IN ? "in" : "out", dom, text, rec->len,
		       rec->reason ? ": dropped, " : "", rec->reason ? drop_name(c, rec->reason) : "");
	}
	return fflush(stdout) ? -1 : 0;
}

/* --- the loop --------------------------------------------------------------------------------------------------------- */

static int compile_filter(struct cli *cli, const char *text, struct vc_bpf_insn *out, uint16_t *n)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	struct bpf_program prog;
	int rc = 0;

	*n = 0;
	if (!*text)
		return pcap_close(p), 0;
	if (pcap_compile(p, &prog, text, 1, PCAP_NETMASK_UNKNOWN)) {
		rc = cli_usage(cli, "the filter '%s': %s", text, pcap_geterr(p));
	} else {
		if (prog.bf_len > VC_BPF_MAX)
			rc = cli_usage(cli, "the filter is too long: %u instructions, %d at most", prog.bf_len, VC_BPF_MAX);
		for (unsigned int i = 0; !rc && i < prog.bf_len; i++)
			out[i] = (struct vc_bpf_insn){prog.bf_insns[i].code, prog.bf_insns[i].jt, prog.bf_insns[i].jf, prog.bf_insns[i].k};
		*n = rc ? 0 : prog.bf_len;
		pcap_freecode(&prog);
	}
	pcap_close(p);
	return rc;
}

static int start(struct cli *cli, const char *dom, unsigned int flags, const char *filter, uint32_t *id)
{
	struct {
		struct vc_capture_start head;
		struct vc_bpf_insn prog[VC_BPF_MAX];
	} q = {.head = {.flags = flags, .snaplen = flags & VC_CAPTURE_DROPS_ONLY ? 256 : SNAPLEN}};
	struct vc_capture_id got;
	struct vfrc_reply r;
	uint16_t insns;
	int rc = compile_filter(cli, filter, q.prog, &insns);

	q.head.insns = insns;
	if (!rc && strcmp(dom, "all"))
		rc = cli_domain(cli, dom, q.head.dom);
	if (!rc)
		rc = cli_call(cli, VC_CAPTURE_START, &q, sizeof(q.head) + q.head.insns * sizeof(q.prog[0]), &r);
	if (rc)
		return rc;
	memcpy(&got, r.body, sizeof(got));
	*id = got.id;
	return 0;
}

/* => packets of one reply, -1 on failure */
static int read_some(struct capture *c, uint32_t id, int *rc)
{
	struct vc_capture_id q = {.id = id};
	struct vc_capture_reply a;
	const uint8_t *at, *end;
	struct vfrc_reply r;

	*rc = cli_call(c->cli, VC_CAPTURE_READ, &q, sizeof(q), &r);
	if (*rc)
		return -1;
	memcpy(&a, r.body, sizeof(a));
	at = r.body + sizeof(a);
	end = r.body + r.n;
	if (a.lost)
		fprintf(stderr, "vfrctl: %u packets were lost\n", a.lost);
	for (uint32_t i = 0; i < a.count && c->left; i++, c->left--) {
		struct vc_capture_rec rec;

		if ((size_t)(end - at) < sizeof(rec))
			break;
		memcpy(&rec, at, sizeof(rec));
		at += sizeof(rec);
		if (rec.caplen > end - at || rec.caplen > SNAPLEN)
			break;
		if (c->show(c, &rec, at)) {
			*rc = EXIT_REFUSED;
			return -1;
		}
		at += rec.caplen;
	}
	return a.count;
}

static int run(struct capture *c, const char *dom, unsigned int flags, const char *filter)
{
	struct vfrc_reply r;
	uint32_t id = 0;
	int rc;

	c->names = drop_table(c->cli, &c->nnames);
	if (!c->names)
		return EXIT_REFUSED;
	rc = domains_read(c->cli, &c->domains);
	if (!rc)
		rc = start(c->cli, dom, flags, filter, &id);
	if (rc)
		return rc;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!rc && !stop && c->left) {
		int n = read_some(c, id, &rc);

		if (!rc && !n && c->left && !stop) {
			vfrc_close(c->cli->c);
			c->cli->c = NULL;
			usleep(POLL_US);
			rc = cli_connect(c->cli);
		}
	}
	if (c->cli->c)
		vfrc_call(c->cli->c, VC_CAPTURE_STOP, &(struct vc_capture_id){.id = id}, sizeof(struct vc_capture_id), &r);
	free(c->names);
	free(c->domains.v);
	return rc;
}

static int filter_text(struct cli *cli, int from, char *out, size_t n)
{
	*out = 0;
	for (int i = from; i < cli->argc; i++)
		snprintf(out + strlen(out), n - strlen(out), "%s%s", i > from ? " " : "", cli->argv[i]);
	return strlen(out) + 1 < n ? 0 : cli_usage(cli, "the filter is too long");
}

static int packet_count(struct cli *cli, uint64_t *n)
{
	const char *t = cli_value(cli, "-c");

	*n = UINT64_MAX;
	return t && (vfrc_parse_count(t, UINT64_MAX - 1, n) || !*n) ? cli_usage(cli, "'%s' is not a number of packets", t) : 0;
}

int cmd_watch(struct cli *cli)
{
	bool drops = cli_flag(cli, "--drops"), packets = cli_flag(cli, "--packets");
	struct capture c = {.cli = cli, .show = print_packet};
	char filter[1024];
	int rc = packet_count(cli, &c.left);

	if (!rc)
		rc = cli_words(cli, 0, 100);
	if (!rc && drops == packets)
		rc = cli_usage(cli, "--drops or --packets?");
	if (!rc)
		rc = filter_text(cli, 0, filter, sizeof(filter));
	return rc ? rc : run(&c, "all", drops ? VC_CAPTURE_DROPS_ONLY : 0, filter);
}

int cmd_pcap(struct cli *cli)
{
	const char *file = cli_value(cli, "-w");
	struct capture c = {.cli = cli, .show = write_packet};
	char filter[1024];
	int rc = packet_count(cli, &c.left);

	if (!rc)
		rc = cli_words(cli, 1, 100);
	if (!rc && !file)
		rc = cli_usage(cli, "where to? -w FILE is missing ('-' is standard output)");
	if (!rc)
		rc = filter_text(cli, 1, filter, sizeof(filter));
	if (rc)
		return rc;
	c.pcapng = strcmp(file, "-") ? fopen(file, "wb") : stdout;
	if (!c.pcapng || write_head(c.pcapng))
		return cli_refuse(cli, "file", errno, "%s: %m", file);
	rc = run(&c, cli->argv[0], 0, filter);
	if (c.pcapng != stdout && fclose(c.pcapng) && !rc)
		rc = EXIT_REFUSED;
	return rc;
}
