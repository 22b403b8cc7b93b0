#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Debian guest: an unmodified kernel of the package archive and one initramfs that serves on any of the three
# machines we compare (our hypervisor, Xen, plain QEMU). Needs no root rights and writes nothing outside DIR.
#
#   build.sh DIR     makes DIR/vmlinuz, DIR/guest.initrd and DIR/tree, the latter for others to build images upon, and
#                    DIR/stacks.initrd: the same with the ping that can be told its identifier
#
# The kernel is the installed linux-image package when there is one, otherwise the package is fetched and unpacked in DIR.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh DIR}
mkdir -p "$out"
. "$here/image.sh"

kernel_find "$out"
tree=$out/tree
image_base "$tree"
image_modules "$tree/mods/xen" xen-netfront xen-blkfront
image_modules "$tree/mods/virtio" virtio_pci virtio_net
image_programs "$tree" /usr/bin/iperf3
# busybox has an ip of its own, which knows no rules by port and which its shell prefers: iproute2's is called by its path.
ip=$(readlink -f /sbin/ip)
image_programs "$tree" "$ip"
ln -s "$ip" "$tree/sbin/iproute2"
ln -s ../bin/busybox "$tree/sbin/poweroff" # where the kernel looks when its host asks it to end
ln -s ../bin/busybox "$tree/sbin/reboot"
gcc -O2 -s -o "$tree/bin/udpecho" "$here/udpecho.c"
cp "$here/init" "$tree/init"
install -m 755 "$here/lease" "$tree/bin/lease"
mkdir -p "$tree/www/cgi-bin"
for page in whoami fetch kallsyms; do cp "$here/$page.cgi" "$tree/www/cgi-bin/$page"; done
chmod 755 "$tree/init" "$tree"/www/cgi-bin/*
cp -L "$KERNEL" "$out/vmlinuz.new" && chmod 644 "$out/vmlinuz.new" && mv "$out/vmlinuz.new" "$out/vmlinuz"
image_pack "$tree" "$out/guest.initrd"
rm -rf "$out/stacks" && cp -a "$tree" "$out/stacks"
image_programs "$out/stacks" "$(command -v ping)"
image_pack "$out/stacks" "$out/stacks.initrd"
rm -rf "$out/stacks"
echo "Debian guest: kernel $KVER, initramfs $(stat -c %s "$out/guest.initrd") bytes"
