# SPDX-License-Identifier: BSD-2-Clause
"""Real Linux stacks through the hypervisor: Debian guests, a host on the wire, a host behind a hop of 1280 bytes.

    a   shared address, ports 32768-36863 (busybox's traceroute sends from 32768 + its process id), 2001:db8:1::/64 by advertisement
    b   shared address, ports 21000-21999, one IPv6 address
    n   10.0.0.3 by DHCP, translated into ports 22000-22999
    d   all by DHCP, ports 23000-23999, a link of 1280 bytes
"""
import os
import re
import subprocess
import time

from expect import alive, never
from harness import behind, site, vfr
from harness.machine import deadline
from harness.progress import say
from harness.shell import shell

HOST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire_host.py")
S, NEAR = site.BENCH_ADDRESS, site.BENCH_GATEWAY
NEAR6, NET_A, B6 = "2001:db8:ff::1", "2001:db8:1", "2001:db8:2::7"
FAR, FAR6 = behind.HOST4, behind.HOST6
A, B, D = (32780, 32781, 32782), 21080, 23080
WEB6, SERVED, SINK, SIZE = 8082, 8080, 8081, 1_000_000
ROUTER, ROUTER6 = "192.0.0.8", "fe80::56:46ff:fe52:1%eth0"
GATEWAY = "10.0.0.1"  # of n, which has 10.0.0.3
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
TOLD = "No route|prohibited|denied"


# --- the stage -----------------------------------------------------------------------------------------------------------

def guest(name, port, ports, words="", **more):
    return site.debian(name, port, ports, S, NEAR, words=words, ramdisk="stacks.initrd", memory="128M", **more)


def guest_a():
    d = guest("a", A[0], "32768-36863", f"vfr.iperf={A[1]} vfr.echo={A[2]}", addresses=f"[{NET_A}::/64]")
    return {"a": d}


def guest_n():
    d = guest("n", 80, "22000-22999", internal="10.0.0.3")
    d["cmdline"] = "console=hvc0 quiet vfr.name=n vfr.dhcp=1"
    return {"n": d}


def guest_d():
    d = guest("d", D, "23000-23999", mtu=1280)
    d["cmdline"] = f"console=hvc0 quiet vfr.name=d vfr.dhcp=1 vfr.ports=23000-23999 vfr.http={D}"
    return {"d": d}


def guest_b():
    return {"b": guest("b", B, "21000-21999", f"vfr.ip6={B6}/128", addresses=f"[{B6}/128]")}


def boot(workdir, domains, memory):
    with open(f"{workdir}/served", "wb") as f:
        f.write(os.urandom(SIZE))
    more = [f"2001:db8:ff::7/64: {{uplink: net0, gateway: {NEAR6}, shared: false}}"]
    path = site.write(f"{workdir}/site.yaml", domains, S, NEAR, more)
    m = vfr.boot(path, workdir, net="tap", memory=memory, cpus=2)
    m.far = behind.Behind(m, 1280)
    m.helpers = []
    near(m, "sh", "-ec", f"""ip -6 addr add {NEAR6}/64 dev tap0 nodad
        ip -6 route add {NET_A}::/64 dev tap0; ip -6 route add {B6}/128 dev tap0""")
    for enter in (m.enter, m.far.enter):
        m.helpers.append(subprocess.Popen(enter([HOST, "serve", str(SERVED), f"{workdir}/served"]), stdin=subprocess.DEVNULL))
    return m


def sample(workdir):
    return boot(workdir, guest_a(), 512)


def whole(workdir):
    return boot(workdir, {**guest_a(), **guest_b(), **guest_n(), **guest_d()}, 1024)


# --- words ---------------------------------------------------------------------------------------------------------------

def run(command, timeout=60):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
                              timeout=deadline(timeout) - time.monotonic())
    except subprocess.TimeoutExpired as e:
        return 124, f"no end: {(e.stdout or b'')[-200:]}"
    return done.returncode, done.stdout


def near(m, *command, timeout=60):
    return run(m.enter(command), timeout)


def far(m, *command, timeout=60):
    return run(m.far.enter(command), timeout)


def says(got, pattern=""):
    """None when a command ended well and its output matches."""
    status, out = got
    if status:
        return f"exit {status}: {out.strip()[-300:]}"
    return None if re.search(pattern, out, re.M | re.S) else f"'{pattern}' is not in: {out.strip()[-300:]}"


def on_near(*command, pattern=""):
    return lambda m: says(near(m, *command), pattern)


def on_far(*command, pattern=""):
    return lambda m: says(far(m, *command), pattern)


def inside(name, script, pattern="", timeout=60):
    return lambda m: says(shell(m, name, script, timeout), pattern)


def ready(name, port=None):
    """The guest's console answers, so its services are up; it makes a file that nobody can guess."""
    def case(m):
        if not m.wait_text(r"vfr guest", 0.01) and port and m.wait_http(f"{S}:{port}", 60) is None:
            return "no answer"
        status, out = shell(m, name, f"head -c {SIZE} /dev/urandom >/www/random; md5sum </www/random", 60)
        if status:
            return out
        m.md5 = {**getattr(m, "md5", {}), name: out.split()[0]}
        return None
    return case


def fetches(where, host, port, name="a"):
    """curl on a host outside gets the guest's file whole."""
    def case(m):
        return says(where(m, "sh", "-c", f"curl -gsf -m 300 'http://{host}:{port}/random' | md5sum", timeout=90), m.md5[name])
    return case


def served(host):
    host = f"[{host}]" if ":" in host else host
    return f"wget -q -O /tmp/got http://{host}:{SERVED}/ && md5sum </tmp/got"


def guest_fetches(name, host):
    """The guest gets a host's file whole."""
    def case(m):
        with open(f"{m.dir}/served", "rb") as f:
            whole_file = run(["sh", "-c", f"md5sum <{f.name}"])[1].split()[0]
        return says(shell(m, name, served(host), 90), whole_file)
    return case


def uploads(name, enter, host, low, high):
    """The guest sends its file to a host, which sees the shared address and a port of the guest's own slice."""
    def case(m):
        server = subprocess.Popen(enter(m)([HOST, "sink", str(SINK)]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        server.stdout.readline()
        status, out = shell(m, name, f"nc {host} {SINK} </www/random", 90)
        got = server.communicate(timeout=400)[0].split()
        if len(got) != 3:
            return f"exit {status}: {out}, {got}"
        if not low <= int(got[1]) <= high or got[0] != S:
            return f"it came from {got[0]}:{got[1]}"
        return None if got[2] == m.md5[name] else "the bytes differ"
    return case


def pings(host, size=56, options=""):
    return f"/usr/bin/ping -n {options} -c 3 -i 0.2 -W 20 -s {size} {host}"


# Of three: the first may be lost while a neighbour is found, a stack holds few packets for one it looks for.
ALL = r" (0|33(\.\d+)?)% packet loss"


def iperf(where, *options):
    """Its server serves one client and is started anew: a client may come too early."""
    def case(m):
        end = deadline(10)
        got = where(m, "iperf3", "-c", S, "-p", str(A[1]), "-t", "2", *options)
        while got[0] and "refused" in got[1] and time.monotonic() < end:
            got = where(m, "iperf3", "-c", S, "-p", str(A[1]), "-t", "2", *options)
        found = re.search(r"(\S+ [KMG]bits/sec) .*receiver", got[1])
        say(f"        {found.group(1) if found else ''}")
        return says(got, "receiver")
    return case


def routes_to(name, host, pattern):
    """What the guest has learnt about the way."""
    return inside(name, f"/sbin/iproute2 route get {host}", pattern)


def address_of(m, name):
    """The IPv6 address that the guest made itself from the prefix, when it may be used: while tentative it answers nobody."""
    end = deadline(20)
    while time.monotonic() < end:
        found = re.search(r"inet6 (2001:\S+)/64 (?!.*tentative)", shell(m, name, "/sbin/iproute2 -6 addr show dev eth0")[1])
        if found:
            return found.group(1)
        time.sleep(1)
    return None


def autoconfigured(m):
    m.a6 = address_of(m, "a")
    return None if m.a6 else shell(m, "a", "/sbin/iproute2 -6 addr; /sbin/iproute2 -6 route")[1]


def to_a6(where, *command, pattern=""):
    def case(m):
        if not getattr(m, "a6", None):
            return "it has no address"
        return says(where(m, *(word.replace("A6", m.a6) for word in command)), pattern or getattr(m, "md5", {}).get("a", ""))
    return case


def hops(got, wanted):
    """The addresses a traceroute printed, in order."""
    status, out = got
    seen = re.findall(r"^ *\d+  (\S+)", out, re.M)
    return None if seen == wanted else f"exit {status}, {seen}, not {wanted}: {out[-300:]}"


def stop_helpers(m):
    for child in m.helpers:
        child.kill()
        child.wait()
    m.far.stop()
    return None


def marks_seen(table):
    """IpExt's InCEPkts of a stack: packets that came with congestion experienced."""
    names, values = [line.split() for line in table.splitlines() if line.startswith("IpExt:")]
    return int(values[names.index("InCEPkts")])


def marks_counted(m):
    """What `stats` says that a's classes have marked."""
    return sum(c["marks"] for d in m.json("stats") if d["domain"] == "a" for c in d["classes"])


def marked(rate, receiver, *options):
    """TCP with ECN through a rate of 4 Mbit/s: the receiving stack sees marks, `stats` counts them, and nothing has to be dropped for it."""
    def case(m):
        near(m, "sysctl", "-qw", "net.ipv4.tcp_ecn=1")
        shell(m, "a", "echo 1 >/proc/sys/net/ipv4/tcp_ecn")
        before, counted = marks_seen(receiver(m)), marks_counted(m)
        status, out, err = m.ctl("rate", "set", "a", f"{rate}=4mbit")
        problem = out + err if status else iperf(near, "-t", "4", *options)(m)
        counted = marks_counted(m) - counted
        m.ctl("rate", "set", "a", f"{rate}=none")
        seen = marks_seen(receiver(m)) - before
        say(f"        {seen} marks seen, {counted} counted")
        return problem or (None if seen and counted else "no mark came" if counted else "no class counted marks")
    return case


END = [("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive), ("the hosts are gone", stop_helpers)]

TRACE = "traceroute -n -w 5 -q 1 -m 6"

OUTSIDE = [
    ("a serves", ready("a", A[0])),
    ("curl from the wire gets a's file", fetches(near, S, A[0])),
    ("ping of the shared address", on_near("sh", "-c", pings(S), pattern=ALL)),
    ("ping -s 4000 of the shared address", on_near("sh", "-c", pings(S, 4000), pattern=ALL)),
    ("ping from a, in its slice", inside("a", pings(NEAR, options="-e 33001"), ALL)),
    ("ping -s 4000 from a: fragments out and in", inside("a", pings(NEAR, 4000, "-e 33002"), ALL)),
    ("a UDP datagram of 8000 bytes to a and back", on_near(HOST, "ask", S, str(A[2]), "8000")),
    ("traceroute from a to the far host", lambda m: hops(shell(m, "a", f"{TRACE} {FAR}", 60), [ROUTER, NEAR, FAR])),
    ("traceroute from the far host to a", lambda m: hops(far(m, "busybox", *TRACE.split(), "-p", "33434", S), [behind.HOP4, S, S])),
    ("PMTU: the far host gets a's file over the hop of 1280", fetches(far, S, A[0])),
    ("PMTU: a has learnt the size", routes_to("a", FAR, "mtu 1280")),
]

MORE_A = [
    ("a gets a host's file", guest_fetches("a", NEAR)),
    ("a gets the far host's file", guest_fetches("a", FAR)),
    ("a sends its file", uploads("a", lambda m: m.enter, NEAR, 32768, 36863)),
    ("a sends its file to the far host", uploads("a", lambda m: m.far.enter, FAR, 32768, 36863)),
    ("ping -s 4000 from the far host", on_far("sh", "-c", pings(S, 4000), pattern=ALL)),
    ("ping -s 4000 from a to the far host", inside("a", pings(FAR, 4000, "-e 33003"), ALL)),
    ("a UDP datagram of 8000 bytes from the far host and back", on_far(HOST, "ask", S, str(A[2]), "8000")),
    ("a UDP datagram of 60000 bytes to a and back", on_near(HOST, "ask", S, str(A[2]), "60000")),
    ("iperf3 to a", iperf(near)),
    ("iperf3 from a", iperf(near, "-R")),
    ("iperf3 from a to the far host", iperf(far, "-R")),
    ("iperf3 by UDP in datagrams of 4000 bytes", iperf(near, "-u", "-b", "2M", "-l", "4000")),
    ("a closed UDP port of a is heard of", on_near(HOST, "refused", S, "36000")),
    ("a closed UDP port of a is heard of behind the hop", on_far(HOST, "refused", S, "36001")),
    ("a closed TCP port of a", on_near(HOST, "connects", S, "36002", pattern="ECONNREFUSED")),
    ("a port of nobody", on_near(HOST, "connects", S, "9", pattern="EHOSTUNREACH|ECONNREFUSED")),
    ("a hears of a closed port", inside("a", f"nc -w 20 {NEAR} 9 </dev/null || true", "refused")),
    ("a may not send from a foreign port, and is told", inside(
        "a", f"echo 29990 29999 >{RANGE}; nc -w 20 {NEAR} {SERVED}; echo 32768 36863 >{RANGE}", TOLD)),
    ("egress 25/tcp is denied, and a is told", inside("a", f"nc -w 20 {NEAR} 25 || true", TOLD)),
]

ECN = [
    ("ECN: a rate on the way out marks, the host sees it", marked("out", lambda m: near(m, "cat", "/proc/net/netstat")[1], "-R")),
    ("ECN: a rate on the way in marks, a sees it", marked("in", lambda m: shell(m, "a", "cat /proc/net/netstat")[1])),
]

SHARED = [
    ("b serves", ready("b", B)),
    ("hairpin: a gets b's file by the shared address", lambda m: says(
        shell(m, "a", f"wget -q -O - http://{S}:{B}/random | md5sum", 90), m.md5["b"])),
    ("hairpin: b gets a's file", lambda m: says(shell(m, "b", f"wget -q -O - http://{S}:{A[0]}/random | md5sum", 90), m.md5["a"])),
    ("hairpin: a sees b's port", inside("b", f"wget -q -O - http://{S}:{A[0]}/cgi-bin/whoami", rf"client={re.escape(S)}:21\d\d\d")),
    ("ping of the shared address from b", inside("b", pings(S, options="-e 21001"), ALL)),
    ("both at once from the wire", lambda m: says(near(m, "sh", "-c", f"""for i in 1 2 3; do
        for p in {A[0]} {B}; do curl -sf -m 300 http://{S}:$p/random | md5sum & done; done; wait""", timeout=120),
        rf"(?=(.*{m.md5['a']}){{3}})(?=(.*{m.md5['b']}){{3}})")),
]

TRANSLATED = [
    ("n is up", ready("n")),
    ("n gets a host's file, translated", guest_fetches("n", NEAR)),
    ("n gets the far host's file", guest_fetches("n", FAR)),
    ("n sends its file, from a port of its slice", uploads("n", lambda m: m.enter, NEAR, 22000, 22999)),
    ("n sends its file to the far host (PMTU through the translation)", uploads("n", lambda m: m.far.enter, FAR, 22000, 22999)),
    ("n has learnt the size", routes_to("n", FAR, "mtu 1280")),
    ("ping from n", inside("n", pings(NEAR), ALL)),
    ("ping -s 4000 from n to the far host", inside("n", pings(FAR, 4000), ALL)),
    ("ping of its gateway from n", inside("n", pings(GATEWAY), ALL)),
    ("traceroute from n", lambda m: hops(shell(m, "n", f"{TRACE} {FAR}", 60), [GATEWAY, NEAR, FAR])),
    ("n gets a's file through its translation", lambda m: says(
        shell(m, "n", f"wget -q -O - http://{S}:{A[0]}/random | md5sum", 90), m.md5["a"])),
    ("a sees n's port, not its private address", inside("n", f"wget -q -O - http://{S}:{A[0]}/cgi-bin/whoami", rf"client={re.escape(S)}:22\d\d\d")),
    ("n hears of a closed port", inside("n", f"nc -w 20 {NEAR} 9 </dev/null || true", "refused")),
]

LEASED = [
    ("d serves: udhcpc got its address", ready("d", D)),
    ("with the MTU of its link", inside("d", "cat /sys/class/net/eth0/mtu /tmp/lease", rf"1280.*ip={re.escape(S)}/24 gw={re.escape(NEAR)}")),
    ("curl gets d's file", fetches(near, S, D, "d")),
    ("d gets a host's file", guest_fetches("d", NEAR)),
    ("d asks again and gets the same", inside("d", "udhcpc -i eth0 -n -q -t 10 -s /bin/lease", rf"lease of {re.escape(S)} obtained")),
    ("too big for d: the sender is told the size", lambda m: says(
        near(m, "ping", "-M", "do", "-c", "2", "-W", "5", "-s", "1400", "-e", "23500", S), ".")),
]

SIXES = [
    ("IPv6: a makes itself an address from what is advertised", autoconfigured),
    ("IPv6: ping of a", to_a6(near, "sh", "-c", pings("A6"), pattern=ALL)),
    ("IPv6: ping -s 4000 of a", to_a6(near, "sh", "-c", pings("A6", 4000), pattern=ALL)),
    ("IPv6: a serves", inside("a", f"httpd -p [::]:{WEB6} -h /www")),
    ("IPv6: b serves", inside("b", f"httpd -p [::]:{WEB6} -h /www")),
    ("IPv6: ping -s 4000 of a from the far host; the first is lost to PMTU discovery",
     to_a6(far, "sh", "-c", f"{pings('A6', 4000)} >/dev/null; {pings('A6', 4000)}", pattern=ALL)),
    ("IPv6: curl gets a's file", to_a6(near, "sh", "-c", f"curl -gsf -m 300 'http://[A6]:{WEB6}/random' | md5sum")),
    ("IPv6: the far host gets it over the hop of 1280", to_a6(far, "sh", "-c", f"curl -gsf -m 300 'http://[A6]:{WEB6}/random' | md5sum")),
    ("IPv6: ping from a", inside("a", pings(NEAR6), ALL)),
    ("IPv6: ping of the router from a, by link-local addresses", inside("a", pings(ROUTER6), ALL)),
    ("IPv6: a gets the far host's file", guest_fetches("a", FAR6)),
    ("IPv6: traceroute from a", lambda m: hops(shell(m, "a", f"traceroute6 -n -w 5 -q 1 -m 6 {FAR6}", 60), [ROUTER6, NEAR6, FAR6])),
    ("IPv6: ping of b", on_near("sh", "-c", pings(B6), pattern=ALL)),
    ("IPv6: curl gets b's file", fetches(near, f"[{B6}]", WEB6, "b")),
    ("IPv6: b gets the far host's file", guest_fetches("b", FAR6)),
    ("IPv6: a and b reach each other", inside("a", pings(B6, 4000), ALL)),
]

SCENES = [("stacks-sample", sample, [*OUTSIDE, *SIXES[:3], *END])]
LONG = [("stacks", whole, [*OUTSIDE, *MORE_A, *ECN, *SHARED, *TRANSLATED, *LEASED, *SIXES, *END])]
