# SPDX-License-Identifier: BSD-2-Clause
"""Modules and boot plans that are wrong: each a named error, and the rest of the machine runs."""
import os
import struct

from expect import alive, answers, logs, never
from harness import plan, site, vfr

PORT = 22080
FORWARD = [(0, f"10.0.2.15:{PORT}")]
# Kernel's name in the site -> what becomes of its file before the ISO is made.
SPOILED = {
    "absent": lambda data: None,
    "empty": lambda data: b"",
    "truncated": lambda data: data[:len(data) // 2],
    "notelf": lambda data: b"#!/bin/sh\n" + data[10:],
    "nonote": lambda data: data.replace(b"Xen\0", b"Nex\0"),
    "toolarge": lambda data: segment(data, -1, "memsz", 64 << 20),
    "endless": lambda data: segment(data, -1, "memsz", 1 << 63),
    "overlapping": lambda data: segment(data, -1, "paddr", first_address(data)),
    "beyond": lambda data: segment(data, -1, "paddr", 1 << 33),
    "noentry": lambda data: segment(data, 0, "paddr", 1 << 33),
    "offset": lambda data: segment(data, 0, "offset", 1 << 62),
}
# Domain -> what must stand in the same line of the log as its name.
WORDS = {
    "absent": "neither a boot module", "empty": "not an ELF", "truncated": "truncated", "notelf": "not an ELF", "nonote": "no PVH entry",
    "toolarge": "memory", "endless": "memory", "overlapping": "overlap", "beyond": "memory", "noentry": "entry is not in", "offset": "truncated",
}
PT_LOAD = 1
FIELD = {"offset": 8, "paddr": 24, "memsz": 40}  # of an ELF64 program header


def segments(data):
    """Offsets of the program headers that load something."""
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [table + i * size for i in range(count)]
    return [at for at in headers if struct.unpack_from("<I", data, at)[0] == PT_LOAD]


def segment(data, which, field, value):
    """Change one field of one loadable segment."""
    out = bytearray(data)
    struct.pack_into("<Q", out, segments(data)[which] + FIELD[field], value)
    return bytes(out)


def first_address(data):
    return struct.unpack_from("<Q", data, segments(data)[0] + FIELD["paddr"])[0]


def bad_modules(workdir):
    """One machine, one good small guest, and a domain for every way in which a kernel module can be wrong."""
    good = f"{vfr.BUILD}/guest/small.elf"
    domains = {"good": site.small(PORT, "22000-22999")}
    for i, name in enumerate(SPOILED):
        copy = f"{workdir}/{name}.elf"
        with open(good, "rb") as source, open(copy, "wb") as target:
            target.write(source.read() + name.encode())
        domains[f"bad-{name}"] = site.small(1000 + i, f"{1000 + i}-{1000 + i}", kernel=copy)
    domains["giant"] = site.small(2000, "2000-2000", memory="64G")
    modules = vfr.compile_site(site.write(f"{workdir}/site.yaml", domains), f"{workdir}/modules")
    kept = []
    for file, name in modules:
        spoil = next((f for word, f in SPOILED.items() if word in name), None)
        if spoil is not None:
            with open(file, "rb") as f:
                data = spoil(f.read())
            if data is None:
                continue
            os.unlink(file)
            with open(file, "wb") as f:
                f.write(data)
        kept.append((file, name))
    return vfr.Vfr(workdir, kept, net="user", forwards=FORWARD, memory=512, cpus=2).start()


def bad_plan(spoil):
    """The plan of a good system, spoiled. Control answers whatever is left of it."""
    def start(workdir):
        modules = vfr.compile_site(site.write(f"{workdir}/site.yaml", {"small": site.small(PORT, "22000-22999")}), f"{workdir}/modules")
        plan = modules[0][0]
        with open(plan, "rb") as f:
            data = spoil(f.read())
        os.unlink(plan)
        if data is None:
            modules = modules[1:]
        else:
            with open(plan, "wb") as f:
                f.write(data)
        return vfr.Vfr(workdir, modules, net="user", forwards=FORWARD, memory=256, cpus=1).start()
    return start


def flip(data):
    out = bytearray(data)
    out[len(out) // 2] ^= 0x40
    return bytes(out)


def with_unknown(data):
    """A message of a type that nobody knows, among good ones."""
    found = plan.messages(data)
    return plan.build(data, found[:1] + [(0x1f0, b"what is this")] + found[1:])


def with_short(data):
    """A message whose body is shorter than its type wants."""
    found = plan.messages(data)
    return plan.build(data, found + [(plan.DOM_CREATE, b"stub")])


def with_conflict(data):
    """One port of the small guest's slice, for a domain created under another name."""
    found = plan.messages(data)
    create = next(body for kind, body in found if kind == plan.DOM_CREATE)
    slice_add = next(body for kind, body in found if kind == plan.SLICE_ADD)
    other = b"other".ljust(32, b"\0")
    stolen = slice_add[:16] + other + slice_add[48:52] + struct.pack("<HH", PORT, PORT) + slice_add[56:]
    return plan.build(data, found + [(plan.DOM_CREATE, other + create[32:]), (plan.SLICE_ADD, stolen)])


CALM = [("control answers", alive), ("no panic", never(r"(?i)\bpanic\b"))]
PLAN_CASES = [("the log names the boot plan", logs("plan", 15)), *CALM]
PLANS = {
    "plan-missing": lambda data: None,
    "plan-empty": lambda data: b"",
    "plan-short": lambda data: data[:-7],
    "plan-flipped": flip,
    "plan-garbage": lambda data: bytes(range(256)) * 16,
}
# One message is wrong: it is refused by name, and all the others count.
SERVES = ("the rest of the plan is served", answers(PORT, "small"))
MESSAGES = [
    ("plan-unknown-message", with_unknown, [("the log names the message", logs("plan, message 1:.*(unknown|type)")), SERVES, *CALM]),
    ("plan-short-message", with_short, [("the log names the message", logs("plan, message [0-9]+:.*(short|long|length|bytes)")), SERVES, *CALM]),
    ("plan-conflict", with_conflict, [("the log names the owner", logs("slice-taken.*small")), SERVES, *CALM]),
]

MODULE_CASES = [("the good guest serves", answers(PORT, "Hello from good"))]
MODULE_CASES += [(f"{name}: the log names domain and fault", logs(rf"bad-{name}\b.*{WORDS[name]}")) for name in SPOILED]
MODULE_CASES += [("a domain larger than memory is refused by name", logs("no-memory: 'giant'")), *CALM]

SCENES = [("bad-modules", bad_modules, MODULE_CASES)]
SCENES += [(name, bad_plan(spoil), PLAN_CASES) for name, spoil in PLANS.items()]
SCENES += [(name, bad_plan(spoil), cases) for name, spoil, cases in MESSAGES]
