#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Throw frames of any length and content at the machine on tap0: noise.py MAC ADDRESS SECONDS SEED. Prints how many went out.

Half are plain noise after a destination that the machine takes; the others are good TCP, UDP, ICMP, ARP or fragments with a
few bytes changed and their end cut off, so that they get further.
"""
import random
import socket
import struct
import sys
import time

ETH_IP, ETH_ARP = 0x0800, 0x0806


def ip_packet(rng, src, dst, proto, body):
    flags = rng.choice([0, 0, 0x4000, 0x2000, 0x2000 | rng.randrange(0x2000)])
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), rng.randrange(65536), flags, 64, proto, 0, src, dst)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xffff) + head[12:] + body


def good(rng, src, dst):
    """A frame's ethertype and content that a stack would take."""
    port = rng.choice([22080, 22007, 22000, rng.randrange(65536)])
    kind = rng.randrange(5)
    if kind == 0:
        return ETH_IP, ip_packet(rng, src, dst, 6, struct.pack("!HHIIBBHHH", rng.randrange(65536), port, rng.getrandbits(32), 0,
                                                                   0x50, rng.randrange(64), 1000, 0, 0) + rng.randbytes(rng.randrange(64)))
    if kind == 1:
        body = rng.randbytes(rng.randrange(1400))
        return ETH_IP, ip_packet(rng, src, dst, 17, struct.pack("!HHHH", rng.randrange(65536), port, 8 + len(body), 0) + body)
    if kind == 2:
        return ETH_IP, ip_packet(rng, src, dst, 1, struct.pack("!BBHHH", rng.choice([0, 3, 8, 11]), 0, 0, port, 1) + rng.randbytes(rng.randrange(100)))
    if kind == 3:
        quoted = ip_packet(rng, dst, src, 17, struct.pack("!HHHH", port, 9, 8, 0))
        return ETH_IP, ip_packet(rng, src, dst, 1, struct.pack("!BBHI", 3, 3, 0, 0) + quoted)
    return ETH_ARP, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, rng.choice([1, 2, 3]), rng.randbytes(6), src, bytes(6), dst)


def damage(rng, data):
    out = bytearray(data)
    for _ in range(rng.randrange(4)):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out[:rng.randrange(len(out) + 1)]) if rng.random() < 0.3 else bytes(out)


def frame(rng, mac, own, src, dst):
    to = rng.choice([mac, mac, mac, b"\xff" * 6, rng.randbytes(6)])
    if rng.random() < 0.5:
        return (to + own + rng.randbytes(rng.choice([0, 2, rng.randrange(100), rng.randrange(1500)])))[:1514]
    ethertype, content = good(rng, src, dst)
    return (to + own + struct.pack("!H", ethertype) + damage(rng, content))[:1514]


def main():
    mac = bytes.fromhex(sys.argv[1].replace(":", ""))
    dst, seconds, rng = socket.inet_aton(sys.argv[2]), float(sys.argv[3]), random.Random(int(sys.argv[4]))
    src = socket.inet_aton("192.0.2.1")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("tap0", 0))
        own, sent, end = s.getsockname()[4], 0, time.monotonic() + seconds
        while time.monotonic() < end:
            data = frame(rng, mac, own, src, dst)
            try:
                s.send(data if len(data) >= 14 else data.ljust(14, b"\0"))
                sent += 1
            except OSError:
                time.sleep(0.001)
    print(sent)


main()
