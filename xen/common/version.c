/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENVER_*: what a guest is told about the hypervisor. The numbers are those of the ABI that is implemented, Xen 4.17;
 * the extra version names this one. Buffers are written whole, tails zeroed.
 */
#include <hv/hypercall.h>

#include <string.h>

#include "abi.h"

#include <xen/features.h>
#include <xen/version.h>

static const xen_extraversion_t extraversion = "-vfr";
static const xen_capabilities_info_t capabilities = "hvm-3.0-x86_64 ";
static const xen_changeset_info_t changeset = "<denied>";
static const xen_commandline_t commandline = "<denied>";
static const struct xen_compile_info compile_info = {
	.compiler = "gcc",
	.compile_by = "vfr",
	.compile_domain = "",
	.compile_date = "",
};
static const struct xen_platform_parameters platform = { .virt_start = DIRECTMAP_BASE };

static const uint32_t features =
	1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
	1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock | 1u << XENFEAT_not_direct_mapped;

struct version_info {
	const void *bytes;
	size_t size;
};

static const struct version_info infos[] = {
	[XENVER_extraversion] = { &extraversion, sizeof(extraversion) },
	[XENVER_compile_info] = { &compile_info, sizeof(compile_info) },
	[XENVER_capabilities] = { &capabilities, sizeof(capabilities) },
	[XENVER_changeset] = { &changeset, sizeof(changeset) },
	[XENVER_platform_parameters] = { &platform, sizeof(platform) },
	[XENVER_commandline] = { &commandline, sizeof(commandline) },
};

static int64_t get_features(struct vcpu *v, gva_t at)
{
	struct xen_feature_info fi;

	if (gva_read(v, &fi, at, sizeof(fi)))
		return -EFAULT;
	if (fi.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	fi.submap = features;
	return gva_write(v, at, &fi, sizeof(fi)) ? -EFAULT : 0;
}

int64_t do_xen_version(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t cmd = (uint32_t)args->a[0];
	gva_t at = gva(args->a[1]);

	switch (cmd) {
	case XENVER_version:
		return 4 << 16 | 17;
	case XENVER_pagesize:
		return at.v ? -EINVAL : (int64_t)PAGE_SIZE;
	case XENVER_get_features:
		return get_features(v, at);
	case XENVER_guest_handle:
		return gva_write(v, at, v->domain->uuid, sizeof(v->domain->uuid)) ? -EFAULT : 0;
	case XENVER_build_id:
		return -EPERM;
	}
	if (cmd >= ENV_ARRAY_SIZE(infos) || !infos[cmd].size)
		return -ENOSYS;
	return gva_write(v, at, infos[cmd].bytes, infos[cmd].size) ? -EFAULT : 0;
}
