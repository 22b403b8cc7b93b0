# SPDX-License-Identifier: BSD-2-Clause
"""Boot plans taken apart and put together again, check sums right, for tests that spoil one thing only."""
import ipaddress
import struct

HEAD = struct.Struct("<IHHIIQ64s")      # struct vc_plan
MESSAGE = struct.Struct("<IHHIIII")     # struct vc_msg; the last field is the check sum
ADDR_ADD, DOM_CREATE, SLICE_ADD = 0x101, 0x102, 0x103


def table():
    rows = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        rows.append(i)
    return rows


TABLE = table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xffffffff


def messages(data):
    """[(type, body)] of a plan."""
    at, found = HEAD.size, []
    while at < len(data):
        _, _, kind, _, _, length, _ = MESSAGE.unpack_from(data, at)
        at += MESSAGE.size
        found.append((kind, data[at:at + length]))
        at += length
    return found


def first_network(data):
    """The network and the gateway of the first IPv4 address with both, or None."""
    for kind, body in messages(data):
        address, gateway, prefix = body[:16], body[16:32], body[96] if kind == ADDR_ADD else 0
        if kind == ADDR_ADD and address[:12] == gateway[:12] == bytes(10) + b"\xff\xff":
            return ipaddress.ip_interface((address[12:], prefix)).network, ipaddress.ip_address(gateway[12:])
    return None


def build(data, found):
    """The plan `data` with these messages instead of its own."""
    out = b""
    for seq, (kind, body) in enumerate(found):
        head = MESSAGE.pack(0x32524656, 1, kind, seq, 0, len(body), 0)
        out += head[:-4] + struct.pack("<I", crc32c(head + body)) + body
    magic, version, reserved, _, _, utc, note = HEAD.unpack_from(data)
    return HEAD.pack(magic, version, reserved, len(found), HEAD.size + len(out), utc, note) + out
