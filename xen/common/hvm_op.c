/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HVMOP_*: the domain's parameters (where its rings and event channels are, how it wants to be called back), the upcall
 * vector of a vcpu, the time. A const table says which parameter a guest may read and which it may set.
 */
#include <hv/hypercall.h>

#include "abi.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

static_assert(HVM_NR_PARAMS <= HVM_NR_PARAMS_KEPT, "parameters are indexed by number");

#define MAY_GET 1
#define MAY_SET 2

static const uint8_t param_rights[HVM_NR_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = MAY_GET | MAY_SET,
	[HVM_PARAM_STORE_PFN] = MAY_GET,
	[HVM_PARAM_STORE_EVTCHN] = MAY_GET | MAY_SET,
	[HVM_PARAM_CONSOLE_PFN] = MAY_GET,
	[HVM_PARAM_CONSOLE_EVTCHN] = MAY_GET | MAY_SET,
	[HVM_PARAM_VM86_TSS] = MAY_GET | MAY_SET,
	[HVM_PARAM_VM86_TSS_SIZED] = MAY_GET | MAY_SET,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = MAY_GET | MAY_SET,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = MAY_GET | MAY_SET,
	[HVM_PARAM_X87_FIP_WIDTH] = MAY_GET | MAY_SET,
	[HVM_PARAM_ALTP2M] = MAY_GET,
};

static int param_check(struct vcpu *v, const struct xen_hvm_param *op, uint8_t right)
{
	if (op->index >= HVM_NR_PARAMS)
		return -EINVAL;
	int rc = abi_self(v, op->domid);
	if (rc)
		return rc;
	return param_rights[op->index] & right ? 0 : -EPERM;
}

static int64_t set_param(struct vcpu *v, gva_t at)
{
	struct domain *d = v->domain;
	struct xen_hvm_param op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	int rc = param_check(v, &op, MAY_SET);
	if (rc)
		return rc;
	__atomic_store_n(&d->hvm_params[op.index], op.value, __ATOMIC_RELEASE);
	/* Events that came before there was a way to deliver them. */
	if (op.index == HVM_PARAM_CALLBACK_IRQ) {
		for (uint32_t i = 0; i < d->nr_vcpus; i++)
			vcpu_wake(d->vcpus[i]);
	}
	return 0;
}

static int64_t get_param(struct vcpu *v, gva_t at)
{
	struct xen_hvm_param op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	int rc = param_check(v, &op, MAY_GET);
	if (rc)
		return rc;
	op.value = __atomic_load_n(&v->domain->hvm_params[op.index], __ATOMIC_ACQUIRE);
	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : 0;
}

static int64_t set_upcall_vector(struct vcpu *v, gva_t at)
{
	struct xen_hvm_evtchn_upcall_vector op;

	if (gva_read(v, &op, at, sizeof(op)))
		return -EFAULT;
	if (op.vector < 0x10)
		return -EINVAL;
	struct vcpu *target = abi_vcpu(v->domain, op.vcpu);
	if (!target)
		return -ENOENT;
	__atomic_store_n(&target->upcall_vector, op.vector, __ATOMIC_RELEASE);
	vcpu_wake(target);
	return 0;
}

static int64_t get_time(struct vcpu *v, gva_t at)
{
	struct xen_hvm_get_time op = { .now = time_now_ns() };

	return gva_write(v, at, &op, sizeof(op)) ? -EFAULT : 0;
}

int64_t do_hvm_op(struct vcpu *v, struct hypercall_args *args)
{
	gva_t at = gva(args->a[1]);

	switch ((uint32_t)args->a[0]) {
	case HVMOP_set_param:
		return set_param(v, at);
	case HVMOP_get_param:
		return get_param(v, at);
	case HVMOP_set_evtchn_upcall_vector:
		return set_upcall_vector(v, at);
	case HVMOP_get_time:
		return get_time(v, at);
	default:
		return -ENOSYS;
	}
}
