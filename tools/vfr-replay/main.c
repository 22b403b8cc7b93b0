/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vfr-replay: run a capture through the router, the very objects that ship, and see what comes out.
 *
 * A packet comes in on the guest port that has its source MAC, else on the first uplink. Time is the capture's. What is forwarded
 * and what the router makes itself go to the output in order.
 */
#include "replay.h"

#include <getopt.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t gateway[6] = REPLAY_GATEWAY;
static pcap_dumper_t *out;
static struct timeval now;
static int only_port = -1;
static uint64_t written, given_back;

static void usage(FILE *to)
{
	fputs("usage: vfr-replay CONFIG IN.pcap [-w OUT.pcap] [-p PORT] [-l] [-v]\n"
	      "  -w FILE  write what leaves (forwarded, and made by the router)\n"
	      "  -p PORT  only what leaves by this port\n"
	      "  -l       set each packet's link addresses to fit its port: for captures from elsewhere\n"
	      "  -v       one line a packet\n"
	      "CONFIG has one directive a line:\n"
	      "  port ID uplink MAC [MTU]           port ID guest MAC DOMAIN [MTU]\n"
	      "  shared ADDR    self ADDR           dedicated|internal ADDR DOMAIN    prefix6 ADDR/LEN DOMAIN\n"
	      "  slice ADDR PROTOS SET DOMAIN       PROTOS: all or tcp,udp,icmp,sctp; SET: 80, 1000-1999, map:A/K/PSID\n"
	      "  route PREFIX/LEN PORT [NEXT-HOP]   neigh PORT ADDR MAC               nat DOMAIN SHARED-ADDR\n"
	      "Guests see the gateway MAC 02:00:00:00:ff:01.\n", to);
}

static void write_frame(int port, const uint8_t *f, uint32_t len)
{
	struct pcap_pkthdr h = { .ts = now, .caplen = len, .len = len };

	if (!out || (only_port >= 0 && port != only_port))
		return;
	pcap_dump((u_char *)out, &h, f);
	written++;
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	write_frame(port, f, len);
}

static void on_release(void *host, struct vfr_pkt *p)
{
	if (p->verdict == VFR_FORWARD)
		write_frame(p->out_port, p->head, p->len);
	given_back++;
	free(p->head);
	free(p);
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };

static int port_of(const struct replay *r, const uint8_t *frame, uint32_t len)
{
	int uplink = 0;

	for (int i = REPLAY_PORTS - 1; i >= 0; i--) {
		if (r->used[i] && !r->guest[i])
			uplink = i;
		if (r->used[i] && r->guest[i] && len >= 12 && !memcmp(frame + 6, r->mac[i], 6))
			return i;
	}
	return uplink;
}

static void fit_link(const struct replay *r, int port, uint8_t *f, uint32_t len)
{
	if (len < 12 || (f[0] & 1))
		return;
	memcpy(f, r->guest[port] ? gateway : r->mac[port], 6);
}

static void verbose_line(uint64_t nr, int port, const struct vfr_pkt *p)
{
	static const char *const verdicts[] = { "?", "forward", "drop", "held", "consumed" };

	if (!p)
		printf("%lu port %d: held\n", nr, port);
	else if (p->verdict == VFR_DROP)
		printf("%lu port %d: drop %s\n", nr, port, vfr_drop_name(p->drop));
	else if (p->verdict == VFR_FORWARD)
		printf("%lu port %d: forward to %u\n", nr, port, p->out_port);
	else
		printf("%lu port %d: %s\n", nr, port, verdicts[p->verdict]);
}

static void summary(struct vfr *v)
{
	struct vfr_counters c;
	struct vfr_totals t;

	vfr_totals_read(v, &t);
	printf("%lu in: %lu forwarded, %lu dropped, %lu consumed, %lu held; %lu made by the router\n", t.input, t.forwarded, t.dropped,
	       t.consumed, t.held, t.emitted);
	for (uint32_t d = 0; d < VFR_GLOBAL; d++) {
		uint16_t domid = d ? (uint16_t)d : VFR_NODOM;

		if (vfr_counters_read(v, domid, &c))
			continue;
		for (int dir = 0; dir < 2; dir++)
			for (unsigned int i = 0; i < VFR_DROP_COUNT; i++)
				if (c.dir[dir].drop[i])
					printf("  domain %s%.0u %s: %s %lu\n", d ? "" : "-", d, dir ? "out" : "in", vfr_drop_name(i),
						c.dir[dir].drop[i]);
	}
}

static void run(struct replay *r, pcap_t *in, bool link, bool verbose)
{
	struct pcap_pkthdr *h;
	const u_char *bytes;
	uint64_t nr = 0, last = 0;

	while (pcap_next_ex(in, &h, &bytes) == 1) {
		struct vfr_pkt *p = calloc(1, sizeof(*p));
		uint64_t ns = (uint64_t)h->ts.tv_sec * 1000000000u + (uint64_t)h->ts.tv_usec * 1000u;
		int port = port_of(r, bytes, h->caplen);

		now = h->ts;
		/* The router's clock never goes back, whatever a capture's does, and a year without packets is not played out. */
		ns = ns > last ? ns : last;
		for (uint64_t step = 250000000u + (last ? ns - last : 0) / 1000; last && last + step < ns; last += step)
			vfr_timer(r->v, last);
		last = ns;
		p->head = malloc(h->caplen ? h->caplen : 1);
		memcpy(p->head, bytes, h->caplen);
		p->len = h->caplen;
		p->head_len = (uint16_t)(p->len > 65535 ? 65535 : p->len);
		if (link)
			fit_link(r, port, p->head, p->len);
		struct vfr_pkt *batch[1] = { p };
		vfr_input(r->v, 0, ns, (uint16_t)port, batch, 1);
		nr++;
		if (verbose)
			verbose_line(nr, port, batch[0]);
		if (!batch[0])
			continue;
		if (p->verdict == VFR_FORWARD)
			write_frame(p->out_port, p->head, p->len);
		free(p->head);
		free(p);
	}
}

int main(int argc, char **argv)
{
	struct vfr_params par = { .cpus = 1, .max_ports = REPLAY_PORTS, .gateway_mac = REPLAY_GATEWAY };
	const char *out_path = NULL;
	bool link = false, verbose = false;
	char error[PCAP_ERRBUF_SIZE];
	struct replay r = { 0 };
	pcap_t *dead = NULL;
	int o;

	while ((o = getopt(argc, argv, "w:p:lvh")) != -1) {
		switch (o) {
		case 'w':
			out_path = optarg;
			break;
		case 'p':
			only_port = atoi(optarg);
			break;
		case 'l':
			link = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return 2;
	}
	pcap_t *in = pcap_open_offline(argv[optind + 1], error);
	if (!in || pcap_datalink(in) != DLT_EN10MB) {
		fprintf(stderr, "vfr-replay: %s: %s\n", argv[optind + 1], in ? "not an Ethernet capture" : error);
		if (in)
			pcap_close(in);
		return 1;
	}
	r.v = vfr_create(&par, &ops, NULL);
	if (!r.v || !replay_config(&r, argv[optind]))
		return 1;
	if (out_path) {
		dead = pcap_open_dead(DLT_EN10MB, 262144);
		out = dead ? pcap_dump_open(dead, out_path) : NULL;
		if (!out) {
			fprintf(stderr, "vfr-replay: cannot write %s\n", out_path);
			return 1;
		}
	}
	run(&r, in, link, verbose);
	summary(r.v);
	vfr_destroy(r.v);
	if (out) {
		pcap_dump_close(out);
		pcap_close(dead);
	}
	pcap_close(in);
	return 0;
}
