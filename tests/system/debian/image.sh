# SPDX-License-Identifier: BSD-2-Clause
# Functions that put an initramfs together out of installed Debian packages; sourced by the image scripts.

# kernel_find DIR: set KERNEL (the bzImage), KVER and MODROOT. Installed packages first, the package archive otherwise.
kernel_find() {
	local dir=$1 pkg
	MODROOT=/
	KERNEL=$(find /boot -maxdepth 1 -name 'vmlinuz-*-amd64' ! -name '*cloud*' ! -name '*rt-*' 2>/dev/null | sort -V | tail -n 1)
	if [ -n "$KERNEL" ] && [ -d "/lib/modules/${KERNEL##*/vmlinuz-}" ] && [ -r "$KERNEL" ]; then
		KVER=${KERNEL##*/vmlinuz-}
		return
	fi
	MODROOT=$dir/package
	if ! ls "$MODROOT"/boot/vmlinuz-* >/dev/null 2>&1; then
		pkg=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ {print $2; exit}')
		[ -n "$pkg" ] || { echo "No kernel is installed and none is in the package lists: install linux-image-amd64, or run apt-get update" >&2; exit 1; }
		echo "Fetching $pkg"
		# By another name until it is whole: an interrupted run begins anew.
		rm -rf "$dir/fetch" && mkdir -p "$dir/fetch"
		(cd "$dir/fetch" && apt-get download -q "$pkg" >/dev/null && dpkg-deb -x "$pkg"_*.deb ../fetch && rm -f "$pkg"_*.deb) ||
			{ echo "$pkg could not be fetched" >&2; exit 1; }
		rm -rf "$MODROOT" && mv "$dir/fetch" "$MODROOT"
	fi
	KERNEL=$(ls "$MODROOT"/boot/vmlinuz-* | tail -n 1)
	KVER=${KERNEL##*/vmlinuz-}
	PATH=$PATH:/sbin:/usr/sbin depmod -b "$MODROOT" "$KVER"
}

# image_base TREE: a root directory with busybox under all its names.
image_base() {
	local tree=$1 name
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,sbin,dev,proc,sys,etc,run,tmp,www,usr/bin,mods}
	echo "hosts: files" >"$tree/etc/nsswitch.conf" # a static busybox crashes in the resolver's other modules
	echo "127.0.0.1 localhost" >"$tree/etc/hosts"
	cp /bin/busybox "$tree/bin/"
	for name in $(/bin/busybox --list); do
		[ "$name" = busybox ] || ln -s busybox "$tree/bin/$name"
	done
}

# image_modules DEST MODULE...: the modules and what they depend on, numbered in load order.
image_modules() {
	local dest=$1 i=100 f
	shift
	mkdir -p "$dest"
	for f in $(for m in "$@"; do
		PATH=$PATH:/sbin:/usr/sbin modprobe -d "$MODROOT" -S "$KVER" --show-depends "$m" | awk '$1 == "insmod" {print $2}'
	done | awk '!seen[$0]++'); do
		cp "$f" "$dest/$i-$(basename "$f")"
		i=$((i + 1))
	done
}

# image_programs TREE FILE...: programs with the shared libraries they name.
image_programs() {
	local tree=$1 f lib
	shift
	for f in "$@"; do
		mkdir -p "$tree$(dirname "$f")"
		rm -f "$tree$f"
		cp -L "$f" "$tree$f"
		for lib in $(ldd "$f" 2>/dev/null | grep -oE '/[^ )]+'); do
			mkdir -p "$tree$(dirname "$lib")"
			cp -Lu "$lib" "$tree$lib"
		done
	done
}

# image_pack TREE FILE [COMPRESSOR...]: the archive the kernel unpacks, in lz4 because that costs an emulated CPU 0.4 s less than
# gzip; but Linux reads nothing after an lz4 archive. All files belong to root whoever builds it; no time stamp of the packer.
image_pack() {
	local tree=$1 file=$2
	shift 2
	[ $# -gt 0 ] || set -- lz4 -l -9 -q
	(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 -o -H newc | "$@") >"$file.new"
	mv "$file.new" "$file"
}
