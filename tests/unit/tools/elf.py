#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Kernel images for tests, good and bad: elf.py KIND FILE. KIND: elf, no-note, cut, other-arch, or PACKER:elf for a bzImage, PACKER as gzip, xz."""
import struct
import subprocess
import sys


def elf(note=True, machine=62):
    name = struct.pack("<III", 4, 8, 18 if note else 17) + b"Xen\0" + struct.pack("<Q", 0x100000)
    code = b"\xf4" * 4000
    phdrs = struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0x100000, 0x100000, len(code), 8192, 4096)
    phdrs += struct.pack("<IIQQQQQQ", 4, 4, 0x800, 0, 0, len(name), len(name), 4)
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x100000, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    return (head + phdrs).ljust(0x800, b"\0") + name.ljust(0x800, b"\0") + code + bytes(40000)


def bzimage(payload, cut=0):
    setup = bytearray(5 * 512)
    setup[0x1f1] = 4
    setup[0x202:0x206] = b"HdrS"
    setup[0x206:0x208] = struct.pack("<H", 0x20f)
    setup[0x248:0x250] = struct.pack("<II", 64, len(payload))
    image = bytes(setup) + bytes(64) + payload + bytes(100)
    return image[:len(image) - cut]


def pack(tool, data):
    flags = {"gzip": ["-nc"], "xz": ["--check=crc32", "-c"], "lz4": ["-lc"], "zstd": ["-c"], "bzip2": ["-c"]}[tool]
    return subprocess.run([tool, *flags], input=data, stdout=subprocess.PIPE, check=True).stdout + struct.pack("<I", len(data))


def make(kind):
    if ":" in kind:
        tool, inner = kind.split(":")
        return bzimage(pack(tool, make(inner)))
    return {
        "elf": elf, "no-note": lambda: elf(note=False), "other-arch": lambda: elf(machine=183), "cut": lambda: elf()[:5000],
        "text": lambda: b"this is no kernel\n" * 100, "cut-bzimage": lambda: bzimage(pack("xz", elf()), 200),
        "damaged": lambda: bzimage(pack("xz", elf())[:120] + bytes(100)), "raw": lambda: bzimage(b"\1\2\3\4" * 100), "empty": lambda: b"",
    }[kind]()


open(sys.argv[2], "wb").write(make(sys.argv[1]))
