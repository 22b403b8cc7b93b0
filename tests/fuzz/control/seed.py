#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for the control port's fuzz target: each request once with a body of the right size, and a transaction. Usage: seed.py HEADER DIR"""
import os
import re
import struct
import sys

header, out = sys.argv[1:]
text = open(header).read()
types = {name: int(value, 16) for name, value in re.findall(r"\tVC_(\w+)\s*= (0x\w+),", text)}
sizes = {name: int(n) for name, n in re.findall(r"static_assert\(sizeof\(struct vc_(\w+)\) == (\d+)", text)}
os.makedirs(out, exist_ok=True)


def record(kind, body):
    return struct.pack("<BHH", 3, kind, len(body)) + body


def name(s, n=32):
    return s.encode().ljust(n, b"\0")


ip = bytes(10) + b"\xff\xff" + bytes([10, 0, 2, 15])
dom = name("web2") + struct.pack("<QHH", 4 << 20, 1, 0) + bytes(6) + bytes(4) + bytes(4) + name("k", 64) + bytes(64) + struct.pack("<HH", 0, 4) + b"quit"
slice_ = ip + name("web2") + struct.pack("<BBBBHHBBHII", 0, 7, 0, 0, 30000, 30099, 0, 0, 0, 0, 0)
mape = ip + name("web1") + struct.pack("<BBBBHHBBHII", 1, 7, 0, 0, 0, 0, 6, 8, 52, 0, 0)
rule = bytes([1, 0, 0, 4, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) + bytes(32) + bytes(16) + struct.pack("<HH", 80, 443) + bytes(12) + bytes(8)
rules = name("web1") + struct.pack("<HBBI", 1, 0, 0, 0) + rule
bodies = {
    "INFO": b"", "DOM_CREATE": dom, "SLICE_ADD": slice_, "RULE_SET": rules, "WHOIS": ip + struct.pack("<QHB5x", 0, 20080, 1),
    "TRACE": ip[:12] + bytes([8, 8, 8, 8]) + ip + struct.pack("<HHBBH", 5555, 20080, 6, 2, 40) + bytes(32),
    "CONSOLE_READ": name("web1") + bytes(16), "CONSOLE_WRITE": name("web1") + b"ping", "CONFIG_READ": bytes(24), "HISTORY": bytes(24),
    "STATS": bytes(24), "DROPS": bytes(24), "DOM_LIST": bytes(24), "UPLINK_LIST": bytes(24), "SCHED_LIST": bytes(24), "BLOB_LIST": bytes(24),
    "LOG_READ": bytes(16), "AUDIT_READ": bytes(8), "ROLLBACK": bytes(16), "RATE_SET": name("web1") + bytes(sizes["rate_set"] - 32),
    "DOM_PAUSE": name("web1") + bytes(8), "DOM_REBOOT": name("web1") + bytes(8), "WAIT": bytes(sizes["wait_req"]),
    "BLOB_BEGIN": name("m", 64) + struct.pack("<Q", 4), "BLOB_PUT": name("m", 64) + struct.pack("<Q", 0) + b"abcd", "BLOB_END": name("m", 64),
    "CAPTURE_START": bytes(32) + struct.pack("<IHH", 0, 100, 1) + struct.pack("<HBBI", 6, 0, 0, 100), "CAPTURE_READ": struct.pack("<II", 1, 0),
}
for key, body in bodies.items():
    open(f"{out}/{key.lower()}", "wb").write(record(types[key], body))
txn = record(types["TXN_BEGIN"], bytes(sizes["txn_begin"])) + record(types["DOM_CREATE"], dom) + record(types["SLICE_ADD"], slice_)
commit = record(types["TXN_COMMIT"], struct.pack("<II", 0, 1000))
open(f"{out}/txn", "wb").write(txn + record(types["SLICE_ADD"], mape) + commit + record(types["CONFIRM"], b""))
open(f"{out}/unconfirmed", "wb").write(txn + commit + struct.pack("<BHH", 1, 0xffff, 0) + record(types["DOM_CREATE"] | 0x800, dom))
open(f"{out}/blob", "wb").write(b"".join(record(types[k], bodies[k]) for k in ("BLOB_BEGIN", "BLOB_PUT", "BLOB_END")))
