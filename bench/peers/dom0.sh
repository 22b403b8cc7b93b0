#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The peer that a user would run today: Debian's Xen 4.17 with a Debian dom0, which bridges, rewrites ports (nftables DNAT
# and masquerade) and hosts one PVH guest, the very Debian guest that we boot.
#
#   dom0.sh GUESTDIR DIR     GUESTDIR as made by tests/system/debian/build.sh; makes DIR/xen and DIR/dom0.cpio.gz
#
# Which guest is made and which ports lead to it stands in peer.conf inside the image; an initramfs appended to this one
# may replace it, and /boot/guest.cfg with it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
guest=${1:?usage: dom0.sh GUESTDIR DIR} out=${2:?usage: dom0.sh GUESTDIR DIR}
. "$here/../../tests/system/debian/image.sh"
mkdir -p "$out"
kernel_find "$guest"
tree=$out/dom0
image_base "$tree"
image_modules "$tree/mods" xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs xen-netback bridge virtio_pci virtio_net \
	nf_tables nft_chain_nat nft_nat nft_masq nf_conntrack nft_ct
tools=/usr/lib/xen-4.17/bin
image_programs "$tree" $tools/xl $tools/xenstored $tools/xenconsoled $tools/xen-init-dom0 $tools/libxl-save-helper \
	/usr/bin/xenstore-write "$(PATH=$PATH:/sbin:/usr/sbin command -v nft)"
mkdir -p "$tree"/{var/lib/xen,var/lib/xenstored,var/log/xen/console,run/xen,run/xenstored,etc/xen/scripts,boot,dev/pts}
ln -s ../run "$tree/var/run"
lib=lib/x86_64-linux-gnu
mkdir -p "$tree/$lib"
cp -L "/$lib/libgcc_s.so.1" "$tree/$lib/" # xl loads it when a thread ends
cp "$guest/vmlinuz" "$guest/guest.initrd" "$tree/boot/"
cp "$here/dom0-init" "$tree/init"
cp "$here/guest.cfg" "$here/peer.conf" "$tree/boot/"
cp "$here/vif-script" "$tree/etc/xen/scripts/vif"
chmod 755 "$tree/init" "$tree/etc/xen/scripts/vif"
image_pack "$tree" "$out/dom0.cpio.gz" gzip -1n
zcat /boot/xen-4.17-amd64.gz >"$out/xen"
cp "$guest/vmlinuz" "$out/dom0-kernel"
echo "Xen peer: dom0 initramfs $(stat -c %s "$out/dom0.cpio.gz") bytes"
