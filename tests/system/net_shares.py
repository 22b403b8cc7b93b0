#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Network shares on a running machine: guests that all send as much as they can on one line of 30 Mbit/s.

Three have guarantees of 1:2:7 and weights of 1:2:7, so that whatever the fourth, a flood without any, leaves of the line they
share as 1:2:7 too; a fifth is asked questions meanwhile. Shares decide (bytes on the wire within a window, up to three windows
where the host is busy), and so does the latency beside the flood against the latency alone. All other times are only told.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import site, vfr
from harness.progress import Verdicts, say

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "blast.py")
ADDRESS = site.BENCH_ADDRESS
LINE = 30_000_000
FLOODS = {"one": (20000, 2_400_000, 10), "two": (20100, 4_800_000, 20), "seven": (20200, 16_800_000, 70), "flood": (20300, 0, 100)}
QUIET = 20400
WINDOWS = 3
TURNS = 5


def guest(port, rate):
    words = f"ip={ADDRESS}/24 gw={site.BENCH_GATEWAY} blast={port} echo={port + 1} stream={port + 2} http={port + 3}"
    return site.domain("build/guest/blast.elf", words, f"{port}-{port + 99}", rate=rate)


def start(workdir):
    domains = {name: guest(port, "{" + (f"guarantee: {bps // 1000}kbit, " if bps else "") + f"weight: {weight}" + "}")
               for name, (port, bps, weight) in FLOODS.items()}
    domains["quiet"] = guest(QUIET, "{guarantee: 2mbit}")
    path = site.write(f"{workdir}/site.yaml", domains, address=ADDRESS, gateway=site.BENCH_GATEWAY)
    m = vfr.boot(path, workdir, net="tap", memory=512, cpus=2)
    for port in [*(f[0] for f in FLOODS.values()), QUIET]:
        if m.wait_http(f"{ADDRESS}:{port + 3}", 40, "/") is None:
            m.stop()
            raise RuntimeError(f"the guest at port {port} does not answer; the log ends:\n" + m.text()[-2000:])
    return m


def client(m, *words):
    return m.enter([CLIENT, *map(str, words)])


def ask(m, *words, timeout=60):
    return json.loads(m.run([CLIENT, *map(str, words)], timeout) or "null")


def begin(m, *words):
    return subprocess.Popen(client(m, *words), stdout=subprocess.PIPE, text=True)


def line(m, policy, rate=LINE):
    status, _, err = m.ctl("sched", "set", "net", "net0", policy, "--rate", f"{rate // 1000000}mbit")
    return None if status == 0 else err.strip()


def expected():
    """What each gets while all four send: its guarantee, and by weight what the guarantees leave."""
    rest = LINE - sum(bps for _, bps, _ in FLOODS.values())
    weights = sum(weight for _, _, weight in FLOODS.values())
    return {name: (bps + rest * weight / weights) / LINE for name, (_, bps, weight) in FLOODS.items()}


def one_window(m):
    got = ask(m, "shares", ADDRESS, 1, 4, *(port for port, _, _ in FLOODS.values()))
    total = sum(got["bytes"].values())
    worst = 0
    for name, share in expected().items():
        have = got["bytes"][str(FLOODS[name][0])]
        off = have / total / share - 1
        worst = max(worst, abs(off)) if name != "flood" else worst
        say(f"        {name:6} {have * 8 / got['seconds'] / 1e6:7.3f} Mbit/s, share {have / total:7.4f} of {share:7.4f}, off {off * 100:+6.2f} %")
    say(f"        together {total * 8 / got['seconds'] / 1e6:.3f} Mbit/s of frames without their 24 bytes a frame on the wire")
    return worst


def shares(m):
    for _ in range(WINDOWS):
        worst = one_window(m)
        if worst <= 0.02:
            return None
    return f"a share is off by {worst * 100:.2f} %"


def told(what, trips):
    say(f"        {what:24}" + ", ".join(f"{key} {value:.2f}" for key, value in trips.items()))
    return trips.get("calm p99", 1e9)


def latency_beside(m, *ports):
    noise = begin(m, "shares", ADDRESS, 0, 5, *ports)
    trips = ask(m, "latency", ADDRESS, QUIET + 1, 300)
    noise.communicate()
    return trips


def beside(m):
    """Round trips of the quiet guest, alone, beside one flood and beside four, in turns: a busy host only ever adds, so the
    least p99 of any hundred in a row counts."""
    crowds = {"one flood": [FLOODS["flood"][0]], "four floods": [port for port, _, _ in FLOODS.values()]}
    alone, busy = 1e9, dict.fromkeys(crowds, 1e9)
    for _ in range(TURNS):
        alone = min(alone, told("alone", ask(m, "latency", ADDRESS, QUIET + 1, 300)))
        for name, ports in crowds.items():
            busy[name] = min(busy[name], told(f"beside {name}", latency_beside(m, *ports)))
        if max(busy.values()) < 2 * alone:
            break
    quiet = next(c for d in m.json("stats") if d["domain"] == "quiet" for c in d["classes"] if c["link"] == "net0")
    say(f"        of that in the scheduler: {quiet['delay_s'] * 1e3:.3f} ms of late, {quiet['delay_max_s'] * 1e3:.3f} ms at worst")
    return None if max(busy.values()) < 2 * alone else f"p99 alone {alone:.2f} ms, beside " + ", ".join(f"{n} {t:.2f}" for n, t in busy.items())


def seen(m):
    """What the operator sees beside the flood."""
    noise = begin(m, "shares", ADDRESS, 1, 3, *(port for port, _, _ in FLOODS.values()))
    try:
        noise.wait(2)
    except subprocess.TimeoutExpired:
        pass
    classes = {d["domain"]: c for d in m.json("stats") or [] for c in d["classes"] if c["link"] == "net0"}
    status, text, err = m.ctl("stats")
    _, prom, _ = m.ctl("stats", "--prom")
    noise.communicate()
    _, drops, _ = m.ctl("drops", "flood")
    print("\n".join("        " + row for row in (text + drops).splitlines() if row))
    if status or not classes:
        return err or "no classes in stats --json"
    if not all(classes[name]["stops"] for name in FLOODS):
        return "a flooding guest's ring was never stopped"
    if classes["flood"]["drops"] and "sched-" not in drops:
        return f"{classes['flood']['drops']} drops without a name: {drops}"
    if not all(classes[name]["backlog_bytes"] for name in FLOODS):
        return "a flooding guest has no backlog: " + str({n: classes[n]["backlog_bytes"] for n in FLOODS})
    slow = [n for n, (_, bps, _) in FLOODS.items() if classes[n]["guarantee_bps"] != bps or classes[n]["rate_bps"] < bps * 0.8]
    if slow:
        return f"{slow}: {[(classes[n]['rate_bps'], classes[n]['guarantee_bps']) for n in slow]}"
    return None if 'vfr_class_backlog_bytes{domain="flood",link="net0"}' in prom else "no such line in --prom"


def switching(m):
    """Policies change under TCP streams: nothing is lost, none is cut."""
    ports = [port + 2 for port, _, _ in FLOODS.values()]
    flows = begin(m, "streams", ADDRESS, 8, *ports)
    for policy in ["rr", "drr", "hfq", "tbf"] * 3 + ["hfq"]:
        problem = line(m, policy)
        if problem:
            return problem
        try:
            flows.wait(0.4)
        except subprocess.TimeoutExpired:
            pass
    result = json.loads(flows.communicate()[0] or "{}")
    say("        " + ", ".join(f"{port}: {what} bytes" for port, what in result.items()))
    broken = [f"{port}: {what}" for port, what in result.items() if not isinstance(what, int) or what < 10000]
    return "; ".join(broken) if broken else None if len(result) == len(ports) else "streams are missing"


def inbound(m):
    """A ceiling towards a guest holds, on the way in only, and goes as it came."""
    for words, low, high in ((["in=2mbit", "in-burst=90k"], 1.6e6, 2e6 + 90e3 * 8 / 3), (["in=none"], 5e6, 9e6)):
        status, _, err = m.ctl("rate", "set", "quiet", *words)
        if status:
            return err
        got = ask(m, "receive", ADDRESS, QUIET + 1, 3, 8_000_000)
        say(f"        {words[0]}: 8 Mbit/s sent, {got['bps'] / 1e6:.3f} Mbit/s came back")
        if not low < got["bps"] < high:
            return f"{words[0]}: {got['bps'] / 1e6:.3f} Mbit/s"
    return None


def packets(m):
    """Packets a second, of either way: 690 a second are sent, and that many come back."""
    most = (100 * 3 + 3) * 1442 * 8 / 3
    for words in ("in-packets=100", "packets=100"):
        status, _, err = m.ctl("rate", "set", "quiet", words)
        if status:
            return err
        got = ask(m, "receive", ADDRESS, QUIET + 1, 3, 8_000_000)["bps"]
        m.ctl("rate", "set", "quiet", words.split("=")[0] + "=none")
        say(f"        {words}: {got / 1442 / 8:.1f} a second came back")
        if not most / 2 < got <= most:
            return f"{words}: {got / 1442 / 8:.1f} a second"
    got = ask(m, "receive", ADDRESS, QUIET + 1, 3, 8_000_000)["bps"]
    return None if got > 2 * most else f"without a limit {got / 1442 / 8:.1f} a second"


def inbound_guarantee(m):
    """8 Mbit/s are sent to each of two guests, 6 go in: one is guaranteed 4 of them, and the rest is halved."""
    for words in (["sched", "set", "net", "guests", "hfq", "--rate", "6mbit"], ["rate", "set", "quiet", "in-guarantee=4mbit"],
                  ["rate", "set", "flood", "in=100mbit"]):
        status, _, err = m.ctl(*words)
        if status:
            return err
    both = [begin(m, "receive", ADDRESS, port + 1, 6, 8_000_000) for port in (QUIET, FLOODS["flood"][0])]
    kept, other = [json.loads(child.communicate()[0])["bps"] for child in both]
    for words in (["sched", "set", "net", "guests", "hfq", "--rate", "1000mbit"], ["rate", "set", "quiet", "in-guarantee=none"],
                  ["rate", "set", "flood", "in=none"]):
        m.ctl(*words)
    say(f"        guaranteed 4 of 6 Mbit/s: {kept / 1e6:.3f}, the other {other / 1e6:.3f}")
    return None if kept > 4e6 and 0.5e6 < other < 2e6 else "the guarantee does not hold"


def guests_policy(m):
    for policy in ("drr", "hfq"):
        status, _, err = m.ctl("sched", "set", "net", "guests", policy)
        _, out, _ = m.ctl("sched", "ls")
        if status or not any(row.split()[1:3] == ["guests", policy] for row in out.splitlines()):
            return err or out
    return None


CASES = [
    ("the line is set to 30 Mbit/s, hfq", lambda m: line(m, "hfq")),
    ("guarantees of 1:2:7 beside a flood, within 2 %", shares),
    ("p99 beside one flood and beside four under twice that alone", beside),
    ("stats show backlog, rates, guarantees, stopped rings and named drops", seen),
    ("policies change under TCP", switching),
    ("the line is set back", lambda m: line(m, "hfq", 1_000_000_000)),
    ("a ceiling towards a guest", inbound),
    ("packet rates, either way", packets),
    ("a guarantee towards a guest", inbound_guarantee),
    ("the policy towards the guests", guests_policy),
]


def main():
    workdir = f"{vfr.BUILD}/check/net-shares"
    os.makedirs(workdir, exist_ok=True)
    verdicts = Verdicts()
    m = start(workdir)
    say("five guests answer")
    for title, case in CASES:
        verdicts.add(title, case(m))
    verdicts.add("no panic", "panic" if "panic" in m.text().lower() else None)
    m.stop()
    return verdicts.close()


sys.exit(main())
