# SPDX-License-Identifier: BSD-2-Clause
"""Our hypervisor as the benchmark sees it, and what is measured on it alone."""
import concurrent.futures
import os
import time

import figures
import icount
import packetcost
from harness import site, vfr

PORTS = {"http": 8001, "iperf": 5201, "echo": 7007}
SMALL_ECHO = 22007


def bench_site(path):
    """The peers' guest under the peers' address, and a small guest beside it that echoes."""
    shared = {"address": site.BENCH_ADDRESS, "gateway": site.BENCH_GATEWAY}
    words = f"vfr.iperf={PORTS['iperf']} vfr.echo={PORTS['echo']}"
    return site.write(path, {
        "g": site.debian("g", PORTS["http"], "5201,7007,8001,20000-20999", memory="256M", words=words, **shared),
        "small": site.small(22080, "22000-22999", echo=SMALL_ECHO, **shared),
    }, **shared)


def boot(build, workdir, path, extra=(), memory=1500, cpus=1):
    return vfr.Vfr(workdir, vfr.compile_site(path, f"{workdir}/modules"), net="tap", memory=memory, cpus=cpus, extra=extra)


def serving(build, workdir):
    """One CPU, as the peers have."""
    os.makedirs(workdir, exist_ok=True)
    return boot(build, workdir, bench_site(f"{workdir}/site.yaml"))


def echo_small(m, build):
    out = m.run([f"{build}/bench/udpload", figures.SHARED, str(SMALL_ECHO), "4", "256"])
    return float(out) if out.strip() else None


TAKEN = {"udp64_echo_small_pps": echo_small}


def small_site(path, number):
    shared = {"address": site.BENCH_ADDRESS, "gateway": site.BENCH_GATEWAY}
    return site.write(path, {f"s{i}": site.small(30000 + 10 * i, f"{30000 + 10 * i}-{30009 + 10 * i}", **shared) for i in range(number)}, **shared)


def free_memory(build, workdir, number):
    """Bytes free with so many small guests serving."""
    m = boot(build, workdir, small_site(f"{workdir}/site.yaml", number)).start()
    last = 30000 + 10 * (number - 1)
    m.wait_http(f"{figures.SHARED}:{last}", 40, "/")
    info = m.json("info") or {}
    m.stop()
    return info.get("memory_free_bytes")


def memory_per_guest(build, work, samples, note):
    few, many = (free_memory(build, f"{work}/ours", number) for number in (2, 34))
    value = None
    if few is not None and many is not None:
        value = (few - many) / 32 / 1024 - 4096
    samples.add("ours", "memory_per_small_guest_kib", value)
    note(f"ours memory_per_small_guest_kib {value}")


def crowd_site(path, debians, smalls):
    shared = {"address": site.BENCH_ADDRESS, "gateway": site.BENCH_GATEWAY}
    domains, ports = {}, []
    for i in range(debians):
        at = 20000 + 100 * i
        domains[f"d{i}"] = site.debian(f"d{i}", at, f"{at}-{at + 99}", memory="128M", **shared)
        ports.append(at)
    for i in range(smalls):
        at = 30000 + 10 * i
        domains[f"s{i}"] = site.small(at, f"{at}-{at + 9}", **shared)
        ports.append(at)
    return site.write(path, domains, **shared), ports


def crowd(build, work, samples, note, debians=16, smalls=100, limit=900):
    """16 Debian guests and 100 small ones at once: how many answer, and when the last does."""
    workdir = f"{work}/crowd"
    os.makedirs(workdir, exist_ok=True)
    path, ports = crowd_site(f"{workdir}/site.yaml", debians, smalls)
    waiting, total = ports, len(ports)
    m = boot(build, workdir, path, memory=4096, cpus=2).start()
    last = None
    while waiting and m.age() < limit and m.alive():
        with concurrent.futures.ThreadPoolExecutor(4) as askers:
            got = list(askers.map(lambda port: m.http(f"{figures.SHARED}:{port}/", 2), waiting))
        still = [port for port, body in zip(waiting, got) if body is None]
        if len(still) < len(waiting):
            last = m.age()
            note(f"ours {total - len(still)} of {total} guests answer at {last:.0f} s")
        waiting = still
    if not m.alive():
        note(f"the machine with {total} guests ended by itself, see {m.serial}")
    # All at once: the first must still answer when the last does.
    again = not waiting and all(m.http(f"{figures.SHARED}:{port}/", 5) for port in ports)
    m.stop()
    answering = total if again else 0
    samples.add("ours", "many_guests_answering", answering)
    samples.add("ours", "many_guests_all_answer_s", last if not waiting else None)


def handover(build, work, samples, note, runs):
    """By the hypervisor's own clock: entry from the boot loader to the first guest instruction."""
    m = serving(build, f"{work}/ours").start()
    m.wait_http(f"{figures.SHARED}:8001", 60)
    info = m.json("info") or {}
    m.stop()
    note(f"ours hand-over to first guest by its own clock: {info.get('boot_to_first_guest_s')} s")


def packet_instructions(build, work, samples, note):
    workdir = f"{work}/ours"
    os.makedirs(workdir, exist_ok=True)
    packetcost.ours(boot(build, workdir, bench_site(f"{workdir}/site.yaml"), extra=packetcost.COUNTED), samples, note)


def measure_alone(build, work, samples, runs, note):
    handover(build, work, samples, note, runs)
    for step in (memory_per_guest, crowd, icount.ours, packet_instructions):
        begin = time.monotonic()
        try:
            step(build, work, samples, note)
        except Exception as e:  # one figure missing must not cost the others
            note(f"{step.__name__} failed after {time.monotonic() - begin:.0f} s: {e}")
