/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a new domain finds: its home, and its interfaces with both their ends. The names and permissions are those that
 * stock Linux looks for and writes to (xenbus, the shutdown handler, the balloon, xen-netfront).
 */
#include <xenstore/xs_private.h>

#include <stdio.h>

enum who {
	READS, /* the hypervisor's node, readable by the domain */
	OWNS,  /* the domain's own */
};

struct home_node {
	const char *name;
	const char *value;
	enum who who;
};

/* Nodes with a fixed value. */
static const struct home_node fixed[] = {
	{ "device", "", READS },
	{ "device/vif", "", READS },
	{ "control", "", READS },
	{ "control/shutdown", "", OWNS },
	{ "control/feature-poweroff", "", OWNS },
	{ "control/feature-reboot", "", OWNS },
	{ "control/feature-suspend", "", OWNS },
	{ "control/feature-sysrq", "", OWNS },
	{ "control/sysrq", "", OWNS },
	{ "control/platform-feature-multiprocessor-suspend", "1", READS },
	{ "control/platform-feature-xs_reset_watches", "1", READS },
	{ "data", "", OWNS },
	{ "drivers", "", OWNS },
	{ "feature", "", OWNS },
	{ "attr", "", OWNS },
	{ "error", "", OWNS },
	{ "console/limit", "1048576", READS },
	{ "console/type", "xenconsoled", READS },
};

/* Write below the home; parents that are made on the way inherit "readable by the domain". */
static int put(struct xenstore *xs, const char *home, uint16_t domid, const char *name, enum who who, const char *value)
{
	char path[96], perms[24];
	int err = xs_printf(xs, home, name, "%s", value);
	if (err || who == READS)
		return err;
	snprintf(path, sizeof(path), "%s/%s", home, name);
	snprintf(perms, sizeof(perms), "n%u", domid);
	return xs_set_perms(xs, path, perms);
}

static int put_number(struct xenstore *xs, const char *home, const char *name, uint64_t value)
{
	return xs_printf(xs, home, name, "%lu", (unsigned long)value);
}

static int add_vm(struct xenstore *xs, const char *home, const struct xs_home *h, const char *perms)
{
	const uint8_t *u = h->uuid;
	char uuid[40], vm[48];
	snprintf(uuid, sizeof(uuid), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4],
		 u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	int err = xs_printf(xs, home, "vm", "%s", vm);
	if (!err)
		err = xs_mkdir(xs, vm);
	if (!err)
		err = xs_set_perms(xs, vm, perms);
	if (!err)
		err = xs_printf(xs, vm, "uuid", "%s", uuid);
	if (!err)
		err = xs_printf(xs, vm, "name", "%s", h->name);
	return err;
}

static int add_numbers(struct xenstore *xs, const char *home, const struct xs_home *h)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "domid", h->domid },
		{ "memory/target", h->memory_kib },
		{ "memory/static-max", h->memory_kib },
		{ "store/ring-ref", h->store_gfn },
		{ "store/port", h->store_port },
		{ "console/ring-ref", h->console_gfn },
		{ "console/port", h->console_port },
	};
	int err = 0;
	for (size_t i = 0; !err && i < ENV_ARRAY_SIZE(numbers); i++)
		err = put_number(xs, home, numbers[i].name, numbers[i].value);
	for (uint32_t cpu = 0; !err && cpu < h->vcpus; cpu++) {
		char name[32];
		snprintf(name, sizeof(name), "cpu/%u/availability", cpu);
		err = xs_printf(xs, home, name, "online");
	}
	return err;
}

static int add_all(struct xenstore *xs, const char *home, const struct xs_home *h)
{
	char perms[24];
	snprintf(perms, sizeof(perms), "n0 r%u", h->domid);
	int err = xs_mkdir(xs, home);
	if (!err)
		err = xs_set_perms(xs, home, perms);
	if (!err)
		err = xs_printf(xs, home, "name", "%s", h->name);
	if (!err)
		err = add_vm(xs, home, h, perms);
	if (!err)
		err = add_numbers(xs, home, h);
	for (size_t i = 0; !err && i < ENV_ARRAY_SIZE(fixed); i++)
		err = put(xs, home, h->domid, fixed[i].name, fixed[i].who, fixed[i].value);
	return err;
}

int xs_home_add(struct xenstore *xs, const struct xs_home *h)
{
	char home[32], vm[64];
	if (!xs_domain_known(xs, h->domid))
		return -ENOENT;
	snprintf(home, sizeof(home), "/local/domain/%u", h->domid);
	int err = add_all(xs, home, h);
	if (!err)
		return 0;
	char path[48];
	snprintf(path, sizeof(path), "%s/vm", home);
	if (xs_read(xs, path, vm, sizeof(vm)) > 0)
		xs_rm(xs, vm);
	xs_rm(xs, home);
	return err;
}

struct vif {
	uint16_t domid;
	uint32_t n;
	char front[64], back[64];
};

static void vif_paths(struct vif *v, uint16_t domid, uint32_t n)
{
	v->domid = domid;
	v->n = n;
	snprintf(v->front, sizeof(v->front), "/local/domain/%u/device/vif/%u", domid, n);
	snprintf(v->back, sizeof(v->back), "/local/domain/0/backend/vif/%u/%u", domid, n);
}

/* An end's directory, owned by one side and readable by the other, with what both kinds have. */
static int add_end(struct xenstore *xs, const char *dir, uint16_t owner, uint16_t reader, const struct vif *v, const uint8_t mac[6])
{
	char perms[24];
	snprintf(perms, sizeof(perms), "n%u r%u", owner, reader);
	int err = xs_mkdir(xs, dir);
	if (!err)
		err = xs_set_perms(xs, dir, perms);
	if (!err)
		err = xs_printf(xs, dir, "handle", "%u", v->n);
	if (!err)
		err = xs_printf(xs, dir, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return err;
}

static int add_back(struct xenstore *xs, const struct vif *v, const uint8_t mac[6])
{
	int err = add_end(xs, v->back, XS_DOM0, v->domid, v, mac);
	if (!err)
		err = xs_printf(xs, v->back, "frontend", "%s", v->front);
	if (!err)
		err = xs_printf(xs, v->back, "frontend-id", "%u", v->domid);
	if (!err)
		err = xs_printf(xs, v->back, "online", "1");
	if (!err)
		err = xs_printf(xs, v->back, "state", "1");
	return err;
}

static int add_front(struct xenstore *xs, const struct vif *v, const uint8_t mac[6], uint32_t mtu)
{
	int err = add_end(xs, v->front, v->domid, XS_DOM0, v, mac);
	if (!err)
		err = xs_printf(xs, v->front, "backend", "%s", v->back);
	if (!err)
		err = xs_printf(xs, v->front, "backend-id", "0");
	if (!err)
		err = xs_printf(xs, v->front, "mtu", "%u", mtu);
	if (!err)
		err = xs_printf(xs, v->front, "state", "1");
	return err;
}

/* The backend's end first: a frontend that is already watching may come for it at once. */
int xs_vif_add(struct xenstore *xs, uint16_t domid, uint32_t n, const uint8_t mac[6], uint32_t mtu)
{
	struct vif v;
	if (!xs_domain_known(xs, domid))
		return -ENOENT;
	vif_paths(&v, domid, n);
	int err = add_back(xs, &v, mac);
	if (!err)
		err = add_front(xs, &v, mac, mtu);
	if (err)
		xs_vif_remove(xs, domid, n);
	return err;
}

void xs_vif_remove(struct xenstore *xs, uint16_t domid, uint32_t n)
{
	struct vif v;
	vif_paths(&v, domid, n);
	xs_rm(xs, v.front);
	xs_rm(xs, v.back);
}
