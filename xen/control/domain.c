/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: names, numbers, and how they come and go with the configuration. What becomes of one that stops is domlife.c.
 *
 * A domain keeps its number as long as it is in the configuration, restarts included; so its slices, rules and rates stay with it
 * while it is down. Numbers are given in turn, so that one freed is not soon another domain's.
 */
#include <vfr/vfr.h>

#include "internal.h"

static unsigned int hash_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < VC_NAME && name[i]; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	return (h ^ h >> 16) % DOM_HASH;
}

struct dom *dom_by_id(struct control *c, uint16_t domid)
{
	return domid < c->p.domains_max ? c->dom[domid] : NULL;
}

struct dom *dom_by_name(struct control *c, const char *name)
{
	for (uint16_t id = c->dom_hash[hash_name(name)]; id; id = c->dom[id]->next)
		if (!strncmp(c->dom[id]->name, name, VC_NAME))
			return c->dom[id];
	return NULL;
}

const char *control_dom_name(const struct control *c, uint16_t domid)
{
	return domid < c->p.domains_max && c->dom[domid] ? c->dom[domid]->name : "";
}

static struct dom *dom_add(struct control *c, const char *name)
{
	unsigned int h = hash_name(name);
	struct dom *d;
	uint16_t id = c->last_domid;

	if (c->doms + 1 >= c->p.domains_max)
		return NULL;
	do {
		id = id + 1 < c->p.domains_max ? id + 1 : 1;
	} while (c->dom[id]);
	d = env_alloc(sizeof(*d));
	if (!d)
		return NULL;
	copy_name(d->name, sizeof(d->name), name);
	d->domid = id;
	d->state = VC_DOM_STOPPED;
	d->next = c->dom_hash[h];
	c->dom_hash[h] = id;
	c->dom[id] = d;
	c->last_domid = id;
	c->doms++;
	return d;
}

static void dom_remove(struct control *c, struct dom *d)
{
	uint16_t *link = &c->dom_hash[hash_name(d->name)];

	while (*link != d->domid)
		link = &c->dom[*link]->next;
	*link = d->next;
	c->dom[d->domid] = NULL;
	c->doms--;
	env_free(d, sizeof(*d));
}

/* A MAC made from the name: locally administered, in Xen's 00:16:3e pattern of three free bytes. */
static void mac_from_name(const char *name, uint8_t mac[6])
{
	uint32_t crc = control_crc(0, name, strnlen(name, VC_NAME));

	mac[0] = 0x02;
	mac[1] = 0x16;
	mac[2] = 0x3e;
	mac[3] = crc >> 16 & 0xff;
	mac[4] = crc >> 8 & 0xff;
	mac[5] = crc & 0xff;
}

static bool mac_is_zero(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !memcmp(mac, zero, 6);
}

int dom_build(struct control *c, struct dom *d, struct control_error *err)
{
	const struct vc_dom_create *m = (const void *)d->obj->body;
	char cmdline[VC_CMDLINE_MAX + 1];
	struct control_dom_spec spec = {
		.name = m->name, .mem_bytes = m->mem_bytes, .vcpus = m->vcpus, .flags = m->flags,
		.mtu = m->mtu ? m->mtu : 1500, .cpu_weight = m->cpu_weight ? m->cpu_weight : 256, .cpu_cap = m->cpu_cap,
		.kernel = m->kernel, .ramdisk = m->ramdisk, .cmdline = cmdline,
	};
	int rc;

	memcpy(spec.mac, m->mac, 6);
	if (mac_is_zero(spec.mac))
		mac_from_name(m->name, spec.mac);
	memcpy(cmdline, m + 1, m->cmdline_len);
	cmdline[m->cmdline_len] = 0;
	err->code = 0;
	rc = c->p.ops->dom_create(c->p.machine, d->domid, &spec, err);
	if (rc && !err->code)
		return control_refuse(err, -rc, "dom-create", "the domain %s could not be built (error %d)", d->name, -rc);
	if (rc)
		return rc;
	if (d->rate && c->p.ops->rate_set && c->p.ops->rate_set(c->p.machine, d->domid, (const void *)d->rate->body, err))
		env_log(ENV_ERROR, "control: the rates of %s are not in force: %s", d->name, err->text);
	subs_renew(c, d);
	d->built = true;
	d->state = VC_DOM_PAUSED;
	d->fresh = !(m->flags & VC_DOM_START_PAUSED);
	d->reason[0] = 0;
	return 0;
}

void dom_unbuild(struct control *c, struct dom *d, const char *reason)
{
	if (!d->built)
		return;
	c->p.ops->dom_destroy(c->p.machine, d->domid);
	d->built = false;
	d->fresh = false;
	d->state = VC_DOM_STOPPED;
	copy_name(d->reason, sizeof(d->reason), reason);
	note_dom(c, d, false, reason);
}

void dom_start(struct control *c, struct dom *d)
{
	d->fresh = false;
	if (c->p.ops->dom_unpause(c->p.machine, d->domid)) {
		env_log(ENV_ERROR, "control: domain %s was built but cannot be started", d->name);
		return;
	}
	d->state = VC_DOM_RUNNING;
	d->started_ns = c->now_ns;
	d->started_utc_ns = c->p.ops->utc_ns(c->p.machine);
	note_dom(c, d, true, "");
}

void dom_start_fresh(struct control *c)
{
	for (unsigned int i = 1; i < c->p.domains_max; i++)
		if (c->dom[i] && c->dom[i]->fresh)
			dom_start(c, c->dom[i]);
}

int dom_check(const void *body, size_t n, struct control_error *err)
{
	const struct vc_dom_create *m = body;
	const char *cmdline = (const char *)(m + 1);
	int rc = check_name(m->name, sizeof(m->name), "domain", false, err);

	if (!rc)
		rc = check_name(m->kernel, sizeof(m->kernel), "kernel", false, err);
	if (!rc)
		rc = check_name(m->ramdisk, sizeof(m->ramdisk), "ramdisk", true, err);
	if (!rc)
		rc = check_zero(&m->reserved, sizeof(m->reserved), err);
	if (rc)
		return rc;
	if (m->cmdline_len > VC_CMDLINE_MAX || n != sizeof(*m) + m->cmdline_len)
		return control_refuse(err, EINVAL, "bad-length", "the command line of %s has %zu bytes, not %u (at most %u)", m->name,
				      n - sizeof(*m), m->cmdline_len, VC_CMDLINE_MAX);
	if (memchr(cmdline, 0, m->cmdline_len))
		return control_refuse(err, EINVAL, "bad-value", "the command line of %s holds a zero byte", m->name);
	if (m->mem_bytes < VC_MEM_MIN || m->mem_bytes > VC_MEM_MAX || m->mem_bytes % 4096)
		return control_refuse(err, ERANGE, "bad-memory", "%s asks for %llu bytes: 2 MiB to 1 TiB, in pages of 4096", m->name,
				      (unsigned long long)m->mem_bytes);
	if (!m->vcpus || m->vcpus > VC_VCPUS_MAX)
		return control_refuse(err, ERANGE, "bad-vcpus", "%s asks for %u vcpus: 1 to %d", m->name, m->vcpus, VC_VCPUS_MAX);
	if (m->flags & ~(VC_DOM_CONTROL | VC_DOM_START_PAUSED | VC_DOM_NO_NET))
		return control_refuse(err, EINVAL, "bad-value", "unknown flags 0x%x of %s", m->flags, m->name);
	if (m->on_poweroff >= VC_ON_MAX || m->on_reboot >= VC_ON_MAX || m->on_crash >= VC_ON_MAX)
		return control_refuse(err, EINVAL, "bad-value", "unknown on_poweroff, on_reboot or on_crash of %s", m->name);
	if (m->mac[0] & 1)
		return control_refuse(err, EINVAL, "bad-mac", "the MAC of %s is a group address", m->name);
	if (m->mtu && (m->mtu < 576 || m->mtu > 9000))
		return control_refuse(err, ERANGE, "bad-mtu", "the MTU of %s is %u: 576 to 9000", m->name, m->mtu);
	return 0;
}

static int check_module(struct control *c, const char *dom, const char *what, const char *name, struct control_error *err)
{
	uint64_t size;

	if (!name[0] || !c->p.ops->blob_find(c->p.machine, name, &size))
		return 0;
	return control_refuse(err, ENOENT, "no-module", "the %s of %s, %s, is neither a boot module nor was it uploaded", what, dom, name);
}

/* Two vifs with one MAC would answer for each other. Only changed domains come here, so this is n for each. */
static int check_mac_unique(const struct object *o, const struct transition *t, struct control_error *err)
{
	const struct vc_dom_create *m = (const void *)o->body;
	uint32_t end = config_first(t->to, VC_DOM_CREATE + 1);

	if (mac_is_zero(m->mac))
		return 0;
	for (uint32_t i = config_first(t->to, VC_DOM_CREATE); i < end; i++) {
		const struct vc_dom_create *other = (const void *)t->to->v[i]->body;

		if (t->to->v[i] == o || memcmp(other->mac, m->mac, 6) || !strncmp(other->name, m->name, VC_NAME))
			continue;
		copy_name(err->owner, sizeof(err->owner), other->name);
		return control_refuse(err, EEXIST, "mac-taken", "the MAC of %s is that of %s", m->name, other->name);
	}
	return 0;
}

/* Everything but what happens at its end needs a new start. */
static bool needs_restart(const struct object *old, const struct object *new)
{
	struct vc_dom_create a, b;

	if (old->length != new->length)
		return true;
	memcpy(&a, old->body, sizeof(a));
	memcpy(&b, new->body, sizeof(b));
	a.on_poweroff = b.on_poweroff;
	a.on_reboot = b.on_reboot;
	a.on_crash = b.on_crash;
	return memcmp(&a, &b, sizeof(a)) || memcmp(old->body + sizeof(a), new->body + sizeof(b), old->length - sizeof(a));
}

/* The change as a whole must find room, for guests are stopped before the first of their successors is built. */
static int check_memory(struct control *c, const struct transition *t, struct control_error *err)
{
	uint64_t want = 0, back = 0, room;

	for (uint32_t i = 0; i < t->n; i++) {
		const struct object *old = t->steps[i].old, *new = t->steps[i].new;
		const struct dom *d;

		if ((new ? new : old)->type != VC_DOM_CREATE || (old && new && !needs_restart(old, new)))
			continue;
		d = old ? dom_by_name(c, (const char *)old->body) : NULL;
		if (d && new && d->state == VC_DOM_STOPPED)
			continue;
		if (d && d->built)
			back += ((const struct vc_dom_create *)old->body)->mem_bytes;
		if (new)
			want += ((const struct vc_dom_create *)new->body)->mem_bytes;
	}
	if (want <= back || !c->p.ops->mem_room)
		return 0;
	room = c->p.ops->mem_room(c->p.machine) + back;
	if (want <= room)
		return 0;
	return control_refuse(err, ENOMEM, "no-memory", "new and changed domains want %llu MiB, %llu MiB are there for them",
			      (unsigned long long)want >> 20, (unsigned long long)room >> 20);
}

/* Is it the first of the domains that this transition builds? */
static bool first_built(const struct object *o, const struct transition *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->steps[i].new && t->steps[i].new->type == VC_DOM_CREATE)
			return t->steps[i].new == o;
	return false;
}

int dom_check_refs(struct control *c, const struct object *o, const struct transition *t, struct control_error *err)
{
	const struct vc_dom_create *m = (const void *)o->body;
	int rc = t->dry ? 0 : check_module(c, m->name, "kernel", m->kernel, err);

	if (!rc && !t->dry)
		rc = check_module(c, m->name, "ramdisk", m->ramdisk, err);
	if (!rc && first_built(o, t))
		rc = check_memory(c, t, err);
	return rc ? rc : check_mac_unique(o, t, err);
}

static int dom_apply_add(struct control *c, const struct object *new, struct control_error *err)
{
	const struct vc_dom_create *m = (const void *)new->body;
	struct vfr_domain_cfg cfg;
	struct dom *d = dom_add(c, m->name);
	int rc;

	if (!d)
		return control_refuse(err, ENOSPC, "too-many-domains", "no room for %s: %u domains, %u at most", m->name, c->doms,
				      c->p.domains_max - 1);
	d->obj = new;
	vfr_domain_defaults(&cfg);
	rc = vfr_domain_set(c->p.vfr, d->domid, &cfg);
	if (rc)
		rc = control_refuse(err, -rc, "router", "the router has no room for %s (error %d)", m->name, -rc);
	else
		rc = dom_build(c, d, err);
	if (rc) {
		vfr_domain_del(c->p.vfr, d->domid, c->now_ns);
		dom_remove(c, d);
	}
	return rc;
}

/*
 * A change starts nobody who was stopped or paused by hand: he has the new form when he is started. Who crashed is built anew, for the
 * change may be the cure; where it is undone he lies down again.
 */
static int dom_rebuild(struct control *c, struct dom *d, const struct object *old, bool undoing, struct control_error *err)
{
	const struct vc_dom_create *was = (const void *)old->body;
	int rc;

	if (d->before == VC_DOM_STOPPED)
		return 0;
	dom_unbuild(c, d, "reconfigured");
	if (undoing && d->before == VC_DOM_CRASHED) {
		d->state = VC_DOM_CRASHED;
		return 0;
	}
	rc = dom_build(c, d, err);
	if (!rc && undoing)
		d->fresh = d->before == VC_DOM_RUNNING;
	else if (!rc && d->before == VC_DOM_PAUSED && !(was->flags & VC_DOM_START_PAUSED))
		d->fresh = false;
	return rc;
}

static int dom_apply_change(struct control *c, struct dom *d, const struct object *old, const struct object *new, bool undoing,
			    struct control_error *err)
{
	struct control_error ignored;
	int rc;

	if (!undoing)
		d->before = d->state;
	d->obj = new;
	rc = needs_restart(old, new) ? dom_rebuild(c, d, old, undoing, err) : 0;
	if (!rc)
		return 0;
	d->obj = old;
	if (dom_rebuild(c, d, new, true, &ignored))
		env_log(ENV_ERROR, "control: domain %s cannot be built as it was either: %s", d->name, ignored.text);
	return rc;
}

int dom_apply(struct control *c, const struct object *old, const struct object *new, const struct transition *t,
	      struct control_error *err)
{
	struct dom *d;

	if (!old)
		return dom_apply_add(c, new, err);
	d = dom_by_name(c, (const char *)old->body);
	ENV_ASSERT(d);
	if (new)
		return dom_apply_change(c, d, old, new, t->undoing, err);
	dom_unbuild(c, d, "destroyed");
	vfr_domain_del(c->p.vfr, d->domid, c->now_ns);
	dom_remove(c, d);
	return 0;
}
