#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Instructions per packet of Debian's qdiscs and of ours, in one guest: a Debian kernel under QEMU that counts instructions
# (-icount shift=0: the guest's clock advances 1 ns for each). Then the delays of a sparse sender beside floods in those qdiscs, on a line of
# 100 Mbit/s: as the clock is the count, a busy host does not show in them. usage: peers.sh BUILD-DIR [OUT]
# Writes lines "name classes instructions" and "delay_name ms part".
set -eu
here=$(dirname "$0") dir=$1 out=${2:-$1/peers.txt}
kernel=$(ls -1 /boot/vmlinuz-*-amd64 | sort -V | tail -n 1)
version=${kernel#/boot/vmlinuz-}
tree=$dir/tree
rm -rf "$tree"
mkdir -p "$tree"/{bin,sbin,proc,sys,dev,modules}
cp /bin/busybox "$tree/bin/busybox"
cp "$here/guest-init" "$tree/init"
cp "$dir/flood" "$dir/cost" "$dir/delay" "$tree/bin/"
for m in drivers/net/dummy net/sched/sch_drr net/sched/sch_qfq net/sched/sch_htb net/sched/sch_tbf; do
	cp "/lib/modules/$version/kernel/$m.ko" "$tree/modules/"
done
for tool in ip tc; do
	cp "$(command -v $tool)" "$tree/sbin/$tool"
	ldd "$tree/sbin/$tool" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$tree$(dirname "$lib")"
		cp -nL "$lib" "$tree$lib"
	done
done
(cd "$tree" && find . | cpio --quiet -o -H newc) | gzip -1 > "$dir/initrd.gz"
log=$dir/console.log
timeout 1200 qemu-system-x86_64 -machine pc -cpu max -accel tcg -icount shift=0,sleep=off -m 768 -display none -no-reboot -net none \
	-kernel "$kernel" -initrd "$dir/initrd.gz" -append "console=ttyS0 quiet panic=-1 mitigations=off" -serial "file:$log" < /dev/null
tr -d '\r' < "$log" | sed -n 's/^COST \([a-z_]* [0-9]* [0-9.]*\)$/\1/p; s/^DELAY \([a-z_]* [0-9.]* [0-9.]*\)$/delay_\1/p' > "$out"
tr -d '\r' < "$log" | grep -q '^COST-END' || { echo "the guest did not finish: $log" >&2; exit 1; }
