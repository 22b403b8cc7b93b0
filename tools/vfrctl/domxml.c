/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom create: a domain from libvirt's XML. Of <domain> it takes name, memory, vcpu, os/kernel, initrd and cmdline, the first interface's
 * MAC and MTU, on_poweroff, on_reboot, on_crash, disks by name, and one element of ours for what XML of others cannot say:
 *
 *	<ports xmlns="urn:vfr:domain">80/tcp, 203.0.113.7:20000-20999</ports>
 *
 * The parser loads nothing from elsewhere: no network, no entities, no DTD.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct import {
	struct cli *cli;
	struct site site;
	const char *file;
	struct vc_dom_create m;
	char cmdline[VC_CMDLINE_MAX + 1];
	int line;
};

static void trim(char *s)
{
	size_t n = strlen(s), lead = strspn(s, " \t\r\n");

	while (n > lead && strchr(" \t\r\n", s[n - 1]))
		n--;
	memmove(s, s + lead, n - lead);
	s[n - lead] = 0;
}

static char *text_of(xmlNode *n)
{
	xmlChar *t = xmlNodeGetContent(n);
	char *s = strdup(t ? (char *)t : "");

	xmlFree(t);
	trim(s);
	return s;
}

static char *attribute(xmlNode *n, const char *name)
{
	xmlChar *t = xmlGetProp(n, (const xmlChar *)name);
	char *s = t ? strdup((char *)t) : NULL;

	xmlFree(t);
	return s;
}

static xmlNode *child(xmlNode *n, const char *name)
{
	for (xmlNode *k = n ? n->children : NULL; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE && !strcmp((char *)k->name, name))
			return k;
	return NULL;
}

static void bad(struct import *im, const xmlNode *n, const char *what)
{
	site_error(&im->site, n ? (int)xmlGetLineNo((xmlNode *)n) : im->line, 1, "%s", what);
}

static void read_memory(struct import *im, xmlNode *n)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = {
		{"b", 1}, {"bytes", 1}, {"KB", 1000}, {"k", 1024}, {"KiB", 1024}, {"MB", 1000000}, {"M", 1 << 20}, {"MiB", 1 << 20},
		{"GB", 1000000000},
		{"G", 1 << 30}, {"GiB", 1 << 30},
	};
	char *t = text_of(n), *unit = attribute(n, "unit");
	uint64_t v = 0, factor = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit ? unit : "KiB", units[i].name))
			factor = units[i].factor;
	if (!factor || vfrc_parse_count(t, VC_MEM_MAX / factor, &v) || v * factor < VC_MEM_MIN)
		bad(im, n, "<memory> is a number with a unit of b, KiB, MiB or GiB, from 2 MiB to 1 TiB");
	else
		im->m.mem_bytes = v * factor & ~4095ull;
	free(t);
	free(unit);
}

static void read_module(struct import *im, xmlNode *n, char *out, bool kernel)
{
	char *path = text_of(n);
	struct module *m = site_module(&im->site, path, kernel, xmlGetLineNo(n), 1);

	memcpy(out, m->name, VC_MODULE);
	free(path);
}

static void read_os(struct import *im, xmlNode *os)
{
	xmlNode *kernel = child(os, "kernel"), *initrd = child(os, "initrd"), *cmdline = child(os, "cmdline");
	char *t;

	if (!kernel) {
		bad(im, os, "<os> has no <kernel>: a domain starts from a kernel file");
		return;
	}
	read_module(im, kernel, im->m.kernel, true);
	if (initrd)
		read_module(im, initrd, im->m.ramdisk, false);
	if (!cmdline)
		return;
	t = text_of(cmdline);
	if (strlen(t) > VC_CMDLINE_MAX)
		bad(im, cmdline, "<cmdline> is too long");
	else
		strcpy(im->cmdline, t);
	free(t);
}

static void read_interface(struct import *im, xmlNode *n)
{
	xmlNode *mac = child(n, "mac"), *mtu = child(n, "mtu");
	char *a = mac ? attribute(mac, "address") : NULL, *s = mtu ? attribute(mtu, "size") : NULL;
	uint64_t v;

	if (mac && (!a || vfrc_parse_mac(a, im->m.mac) || im->m.mac[0] & 1))
		bad(im, mac, "<mac address> is six bytes as 02:16:3e:00:00:01, not a group address");
	if (mtu && (!s || vfrc_parse_count(s, 9000, &v) || v < 576))
		bad(im, mtu, "<mtu size> is 576 to 9000");
	else if (mtu)
		im->m.mtu = v;
	free(a);
	free(s);
}

static void read_disk(struct import *im, xmlNode *n)
{
	xmlNode *source = child(n, "source");
	char *name = source ? attribute(source, "volume") : NULL;
	struct vc_disk_set d = {0};

	if (!name && source)
		name = attribute(source, "dev");
	if (!name || !vfrc_name_ok(name, sizeof(d.volume))) {
		bad(im, n, "<disk> needs <source volume='NAME'/>");
	} else {
		memcpy(d.dom, im->m.name, sizeof(d.dom));
		strcpy(d.volume, name);
		for (size_t i = 0; i < im->site.objects.n; i++)
			d.index += im->site.objects.v[i]->type == VC_DISK_SET;
		objects_add(&im->site.objects, VC_DISK_SET, &d, sizeof(d), xmlGetLineNo(n), 1);
	}
	free(name);
}

static void read_devices(struct import *im, xmlNode *devices)
{
	bool seen = false;

	for (xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (!strcmp((char *)n->name, "interface") && seen)
			bad(im, n, "a domain has one interface");
		else if (!strcmp((char *)n->name, "interface"))
			read_interface(im, n), seen = true;
		else if (!strcmp((char *)n->name, "disk"))
			read_disk(im, n);
	}
	if (!seen)
		im->m.flags |= VC_DOM_NO_NET;
}

static unsigned int read_on(struct import *im, xmlNode *root, const char *name, unsigned int otherwise)
{
	static const char *const words[] = {"destroy", "restart", "preserve"};
	xmlNode *n = child(root, name);
	char *t = n ? text_of(n) : NULL;

	for (unsigned int i = 0; t && i < 3; i++)
		if (!strcmp(t, words[i]))
			return free(t), i;
	if (t)
		bad(im, n, "destroy, restart or preserve is wanted here");
	free(t);
	return otherwise;
}

static void read_ports(struct import *im, xmlNode *n)
{
	char *t = text_of(n), *save;

	for (char *w = strtok_r(t, ",\n", &save); w; w = strtok_r(NULL, ",\n", &save)) {
		struct vc_slice_add s = {.kind = VC_SLICE_RANGE};
		unsigned int found;
		bool given;

		trim(w);
		if (!*w)
			continue;
		memcpy(s.dom, im->m.name, sizeof(s.dom));
		if (vfrc_parse_slice(w, &s, &given))
			bad(im, n, "<ports> holds ports as 80/tcp or ADDRESS:20000-20999, with commas between");
		else if (!given && shared_address(im->cli, &s.addr, &found))
			bad(im, n, "<ports>: which address? There is not exactly one shared address: write ADDRESS:PORTS");
		else
			objects_add(&im->site.objects, VC_SLICE_ADD, &s, sizeof(s), xmlGetLineNo(n), 1);
	}
	free(t);
}

static void read_vcpu(struct import *im, xmlNode *n)
{
	char *t = n ? text_of(n) : strdup("1");
	uint64_t v = 0;

	if (vfrc_parse_count(t, VC_VCPUS_MAX, &v) || !v)
		bad(im, n, "<vcpu> is 1 to 64");
	im->m.vcpus = v;
	free(t);
}

static void read_root(struct import *im, xmlNode *root)
{
	xmlNode *name = child(root, "name"), *memory = child(root, "memory"), *os = child(root, "os");
	uint8_t body[sizeof(im->m) + VC_CMDLINE_MAX];
	char *t = name ? text_of(name) : strdup("");

	if (!vfrc_name_ok(t, VC_NAME))
		bad(im, name ? name : root, "<name> is 1 to 31 letters, digits, dots, dashes or underscores");
	else
		strcpy(im->m.name, t);
	if (!strcmp(t, "all"))
		bad(im, name, "no domain can be called 'all': commands mean every domain by it");
	free(t);
	if (memory)
		read_memory(im, memory);
	else
		bad(im, root, "there is no <memory>");
	if (os)
		read_os(im, os);
	else
		bad(im, root, "there is no <os> with a <kernel>");
	read_vcpu(im, child(root, "vcpu"));
	im->m.on_poweroff = read_on(im, root, "on_poweroff", VC_ON_DESTROY);
	im->m.on_reboot = read_on(im, root, "on_reboot", VC_ON_RESTART);
	im->m.on_crash = read_on(im, root, "on_crash", VC_ON_DESTROY);
	read_devices(im, child(root, "devices"));
	for (xmlNode *n = root->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && !strcmp((char *)n->name, "ports"))
			read_ports(im, n);
	im->m.cmdline_len = strlen(im->cmdline);
	memcpy(body, &im->m, sizeof(im->m));
	memcpy(body + sizeof(im->m), im->cmdline, im->m.cmdline_len);
	objects_add(&im->site.objects, VC_DOM_CREATE, body, sizeof(im->m) + im->m.cmdline_len, im->line, 1);
	objects_sort(&im->site.objects);
}

static void xml_error(void *ctx, xmlErrorPtr e)
{
	struct import *im = ctx;
	char text[300];

	snprintf(text, sizeof(text), "%s", e->message ? e->message : "not XML");
	trim(text);
	site_error(&im->site, e->line, e->int2 > 0 ? e->int2 : 1, "%s", text);
}

static void read_file(struct import *im)
{
	uint8_t *text;
	size_t size;
	char why[200];
	xmlDoc *doc;

	if (file_read(im->file, &text, &size, why, sizeof(why))) {
		site_error(&im->site, 0, 0, "%s", why);
		return;
	}
	xmlSetStructuredErrorFunc(im, (xmlStructuredErrorFunc)xml_error);
	doc = xmlReadMemory((const char *)text, size, im->file, NULL, XML_PARSE_NONET);
	free(text);
	if (!doc) {
		if (!im->site.errors)
			site_error(&im->site, 1, 1, "the file cannot be read as XML");
	} else if (doc->intSubset) {
		site_error(&im->site, 1, 1, "a document type is not allowed here");
	} else {
		xmlNode *root = xmlDocGetRootElement(doc);

		im->line = xmlGetLineNo(root);
		if (strcmp((char *)root->name, "domain"))
			bad(im, root, "the outermost element is <domain>");
		else
			read_root(im, root);
	}
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeDoc(doc);
	xmlCleanupParser();
}

static int exists(struct import *im, bool *out)
{
	struct objects all;
	struct vfrc_reply r;
	int rc = cli_result(im->cli, objects_read(im->cli->c, 0, VC_DOM_CREATE, &all, &r), &r);

	*out = false;
	for (size_t i = 0; i < all.n; i++)
		*out = *out || !strcmp(object_domain(all.v[i]), im->m.name);
	objects_free(&all);
	return rc;
}

static int create(struct import *im)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	struct vfrc_reply r;
	bool there;
	int rc = exists(im, &there);

	if (!rc && there)
		return cli_refuse(im->cli, "exists", EEXIST, "there is a domain %s already", im->m.name);
	snprintf(b.note, sizeof(b.note), "dom create %.40s", im->m.name);
	if (!rc)
		rc = send_modules(im->cli, &im->site);
	if (!rc)
		rc = cli_call(im->cli, VC_TXN_BEGIN, &b, sizeof(b), &r);
	for (size_t i = 0; i < im->site.objects.n && !rc; i++)
		rc = cli_call(im->cli, im->site.objects.v[i]->type, im->site.objects.v[i]->body, im->site.objects.v[i]->length, &r);
	return rc ? rc : cli_call(im->cli, VC_TXN_COMMIT, &m, sizeof(m), &r);
}

int cmd_dom_create(struct cli *cli)
{
	static struct import im;
	int rc = cli_words(cli, 1, 1);

	if (rc)
		return rc;
	im.cli = cli;
	im.site.quiet = cli->json;
	im.file = im.site.file = cli->argv[0];
	read_file(&im);
	rc = im.site.errors ? site_refused(cli, &im.site) : create(&im);
	site_free(&im.site);
	return rc;
}
