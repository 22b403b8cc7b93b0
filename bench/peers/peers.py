# SPDX-License-Identifier: BSD-2-Clause
"""The machines we are measured against, each serving 192.0.2.7: HTTP on 8001, iperf3 on 5201, UDP echo on 7007.

xen     Debian's Xen 4.17, a dom0 that translates ports, one PVH guest: the same kernel, initramfs and memory as ours
native  the same kernel and initramfs straight on QEMU: what no hypervisor can beat
"""
import os

from harness import iso
from harness.machine import Machine

SHARED = "192.0.2.7"
# QEMU 7.2's SMAP trips a PV dom0; the other bits only lengthen its start.
XEN_CPU = "max,-smap,-smep,-umip,-la57,-pku,-pks"
XEN_OPTIONS = "console=com1 com1=115200 dom0_mem=768M loglvl=warning guest_loglvl=warning"


def xen(build, workdir, extra=(), net="tap", overlay=None, memory=1500, options="", machine="q35"):
    """Xen through GRUB from an ISO, as ours is. overlay is an initramfs laid over dom0's."""
    os.makedirs(workdir, exist_ok=True)
    image = f"{workdir}/xen.iso"
    dom0 = f"{build}/peers/dom0.cpio.gz"
    if overlay is not None:
        dom0 = join(dom0, overlay, f"{workdir}/dom0.cpio")
    iso.build(image, f"{build}/peers/xen", f"{XEN_OPTIONS} {options}",
              [(f"{build}/peers/dom0-kernel", "console=hvc0 quiet"), (dom0, "")])
    return Machine(workdir, ["-cdrom", image, *extra], memory=memory, net=net, cpu=XEN_CPU, machine=machine)


def native(build, workdir, extra=(), net="tap"):
    words = (f"console=ttyS0 quiet vfr.name=native vfr.ip={SHARED}/24 vfr.gw=192.0.2.1 vfr.http=8001 vfr.iperf=5201 vfr.echo=7007")
    return Machine(workdir, ["-kernel", f"{build}/debian/vmlinuz", "-initrd", f"{build}/debian/guest.initrd", "-append", words, *extra],
                   memory=256, net=net)


def join(first, second, path):
    """Two initramfs archives as one file: the kernel unpacks one after the other."""
    with open(path, "wb") as out:
        for source in (first, second):
            with open(source, "rb") as f:
                out.write(f.read())
            out.write(b"\0" * (-out.tell() % 4))
    return path
