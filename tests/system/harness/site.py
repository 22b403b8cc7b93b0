# SPDX-License-Identifier: BSD-2-Clause
"""Site files for tests, written from a few words: small guests, Debian guests, test guests on one address."""

ADDRESS, GATEWAY = "10.0.2.15", "10.0.2.2"
BENCH_ADDRESS, BENCH_GATEWAY = "192.0.2.7", "192.0.2.1"


def domain(kernel, cmdline, ports, memory="4M", ramdisk=None, **more):
    return {"kernel": kernel, "cmdline": cmdline, "ramdisk": ramdisk, "memory": memory, "ports": f"[{ports}]" if ports else None, **more}


def small(port, ports, address=ADDRESS, gateway=GATEWAY, kernel="build/guest/small.elf", echo=None, memory="4M", **more):
    words = f"ip={address}/24 gw={gateway} http={port}" + (f" echo={echo}" if echo else "")
    return domain(kernel, words, ports, memory, **more)


def debian(name, port, ports, address=ADDRESS, gateway=GATEWAY, memory="192M", words="", ramdisk="guest.initrd", **more):
    line = f"console=hvc0 quiet vfr.name={name} vfr.ip={address}/24 vfr.gw={gateway} vfr.ports={ports} vfr.http={port} {words}"
    return domain("build/debian/vmlinuz", line.strip(), ports, memory=memory, ramdisk=f"build/debian/{ramdisk}", **more)


def tester(kernel, words="", ports=None, memory="8M", **more):
    return domain(kernel, words or "test", ports, memory=memory, **more)


def write(path, domains, address=ADDRESS, gateway=GATEWAY, more=()):
    """domains: name -> what domain() gave; more: further lines under `addresses`."""
    with open(path, "w") as f:
        f.write(f"addresses:\n  {address}/24: {{uplink: net0, gateway: {gateway}, shared: true}}\n")
        f.write("".join(f"  {line}\n" for line in more))
        f.write("domains:\n")
        for name, words in domains.items():
            f.write(f"  {name}:\n")
            for key, value in words.items():
                if value is not None:
                    f.write(f"    {key}: {value}\n")
    return path
