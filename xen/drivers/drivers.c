/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of PCI drivers, and the list of network cards they found.
 */
#include <env.h>
#include <hv/log.h>
#include <drivers/drivers.h>
#include <drivers/nic.h>
#include <drivers/pci.h>
#include <drivers/virtio_console.h>
#include <drivers/virtio_net.h>

static const struct pci_driver *const drivers[] = {
	&virtio_net_driver,
	&virtio_net_transitional_driver,
	&virtio_console_driver,
	&virtio_console_transitional_driver,
};

struct nic *nic_list;

void nic_register(struct nic *nic)
{
	struct nic **tail = &nic_list;

	while (*tail)
		tail = &(*tail)->next;
	nic->next = NULL;
	*tail = nic;
}

void drivers_init(void)
{
	pci_scan(drivers, ENV_ARRAY_SIZE(drivers));
	if (!nic_list)
		log_warn("net: no network card that a driver knows");
}
