/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels and ramdisks that clients bring: one upload at a time, in order, of a session that is alive. */
#include "internal.h"

void blob_upload_drop(struct control *c)
{
	if (!c->upload.owner)
		return;
	c->p.ops->blob_drop(c->p.machine, c->upload.name);
	memset(&c->upload, 0, sizeof(c->upload));
}

static int need_upload(struct request *rq, const char *name)
{
	struct control *c = rq->c;

	if (c->upload.owner == rq->s && !strncmp(c->upload.name, name, VC_MODULE))
		return 0;
	return control_refuse(rq->err, EINVAL, "no-upload", "no upload of that name is open in this session");
}

static uint32_t blob_users(struct control *c, const char *name)
{
	const struct config *cf = config_current(c);
	uint32_t end = config_first(cf, VC_DOM_CREATE + 1), users = 0;

	for (uint32_t i = config_first(cf, VC_DOM_CREATE); i < end; i++) {
		const struct vc_dom_create *m = (const void *)cf->v[i]->body;

		users += !strncmp(m->kernel, name, VC_MODULE) || !strncmp(m->ramdisk, name, VC_MODULE);
	}
	return users;
}

int blob_begin(struct request *rq)
{
	const struct vc_blob_begin *q = rq->body;
	struct control *c = rq->c;
	uint64_t size;
	int rc = check_name(q->name, sizeof(q->name), "module", false, rq->err);

	if (rc)
		return rc;
	if (!c->p.ops->blob_begin)
		return refuse_enosys(rq->err, "uploads");
	if (c->upload.owner && c->upload.owner != rq->s)
		return control_refuse(rq->err, EBUSY, "upload-open", "%s is uploading %s", c->upload.owner->client, c->upload.name);
	if (!c->p.ops->blob_find(c->p.machine, q->name, &size))
		return control_refuse(rq->err, EEXIST, "module-exists", "there is a module %s already", q->name);
	if (!q->size)
		return control_refuse(rq->err, EINVAL, "bad-value", "%s is empty", q->name);
	blob_upload_drop(c);
	rq->err->code = 0;
	rc = c->p.ops->blob_begin(c->p.machine, q->name, q->size, rq->err);
	if (rc)
		return rq->err->code ? rc : control_refuse(rq->err, -rc, "no-memory", "no memory for %s (%llu bytes)", q->name,
							   (unsigned long long)q->size);
	copy_name(c->upload.name, sizeof(c->upload.name), q->name);
	c->upload.size = q->size;
	c->upload.done = 0;
	c->upload.owner = rq->s;
	return 0;
}

int blob_put(struct request *rq)
{
	const struct vc_blob_put *q = rq->body;
	struct control *c = rq->c;
	size_t n = rq->n - sizeof(*q);
	int rc = check_name(q->name, sizeof(q->name), "module", false, rq->err);

	if (!rc)
		rc = need_upload(rq, q->name);
	if (rc)
		return rc;
	if (q->offset != c->upload.done || n > c->upload.size - c->upload.done)
		return control_refuse(rq->err, EINVAL, "bad-offset", "%zu bytes at %llu of %s: %llu of %llu are here", n,
				      (unsigned long long)q->offset, q->name, (unsigned long long)c->upload.done,
				      (unsigned long long)c->upload.size);
	rc = c->p.ops->blob_put(c->p.machine, q->name, q->offset, q + 1, n);
	if (rc)
		return control_refuse(rq->err, -rc, "machine", "a part of %s was not taken (error %d)", q->name, -rc);
	c->upload.done += n;
	return 0;
}

int blob_end(struct request *rq)
{
	const struct vc_blob_name *q = rq->body;
	struct control *c = rq->c;
	int rc = check_name(q->name, sizeof(q->name), "module", false, rq->err);

	if (!rc)
		rc = need_upload(rq, q->name);
	if (rc)
		return rc;
	if (c->upload.done != c->upload.size)
		return control_refuse(rq->err, EINVAL, "not-complete", "%llu of %llu bytes of %s are here",
				      (unsigned long long)c->upload.done,
				      (unsigned long long)c->upload.size, q->name);
	rq->err->code = 0;
	rc = c->p.ops->blob_end(c->p.machine, q->name, rq->err);
	memset(&c->upload, 0, sizeof(c->upload));
	if (rc && !rq->err->code)
		return control_refuse(rq->err, -rc, "machine", "%s was refused (error %d)", q->name, -rc);
	return rc;
}

int blob_del(struct request *rq)
{
	const struct vc_blob_name *q = rq->body;
	struct control *c = rq->c;
	struct control_blob_info info;
	uint32_t users;
	int rc = check_name(q->name, sizeof(q->name), "module", false, rq->err);

	if (rc)
		return rc;
	for (unsigned int i = 0; !c->p.ops->blob_info(c->p.machine, i, &info); i++) {
		if (strncmp(info.name, q->name, VC_MODULE))
			continue;
		if (info.boot)
			return control_refuse(rq->err, EPERM, "boot-module", "%s came with the boot loader and stays", q->name);
		users = blob_users(c, q->name);
		if (users || c->upload.owner)
			return control_refuse(rq->err, EBUSY, "module-in-use", "%s is used by %u domains", q->name, users);
		c->p.ops->blob_drop(c->p.machine, q->name);
		return 0;
	}
	return control_refuse(rq->err, ENOENT, "no-module", "there is no module %s", q->name);
}

int blob_list(struct request *rq)
{
	const struct vc_page *q = rq->body;
	struct control *c = rq->c;
	struct vc_page_reply *p = reply_add(rq->r, sizeof(*p));
	struct control_blob_info info;

	p->next = VC_CURSOR_END;
	p->record = sizeof(struct vc_blob_rec);
	for (uint64_t i = q->cursor; i < 100000 && !c->p.ops->blob_info(c->p.machine, i, &info); i++) {
		struct vc_blob_rec *r = reply_add(rq->r, sizeof(*r));

		if (!r) {
			p->next = i;
			break;
		}
		copy_name(r->name, sizeof(r->name), info.name);
		r->size = info.size;
		r->users = blob_users(c, info.name);
		r->flags = (info.boot ? 1 : 0) | (info.complete ? 0 : 2);
		p->count++;
	}
	return 0;
}
