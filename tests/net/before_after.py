#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""What a plain port router loses, and this one does not: the same stacks, the same three questions, twice.

    before_after.py BUILD-DIR

Guests A and B share one address, A with ports 10000-19999, B with 20000-29999; C is a host outside; all are Linux stacks in
network namespaces. Between them is at first Linux with one routing rule for each range of ports, which is all that a plain port
router is; then the router of the hypervisor, its objects linked into vfr-tap. Needs no rights where users may make network
namespaces; where they may not, it says what is known and ends well.
"""
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
S, C = "203.0.113.7", "198.51.100.1"
PATIENCE = 3
LONG = 60
QUESTIONS = [
    ("an ICMP error comes back to the guest that it is about", "error", "LOST: it has no port", True),
    ("a datagram of 4000 bytes reaches its guest", "large", "LOST: its later fragments have no port", True),
    ("a guest sends from a port of its neighbour", "foreign", "PASSES: nobody looks at what guests send", False),
]


# --- in a namespace ------------------------------------------------------------------------------------------------------

def udp(port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    s.settimeout(PATIENCE)
    return s


def hear(port, seconds):
    """Wait for one datagram. The first word on our output says that we listen."""
    s = udp(int(port))
    s.settimeout(float(seconds))
    print("ready", flush=True)
    try:
        return len(s.recv(70000)) > 0
    except OSError:
        return False


def refused(host, port):
    """Ask a port where nobody listens, and hear of it."""
    s = udp(10500)
    s.connect((host, int(port)))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            s.send(b"?")
            s.settimeout(0.3)
            s.recv(1)
        except ConnectionRefusedError:
            return True
        except OSError:
            pass
    return False


def send(host, port, source, size):
    s = udp(int(source))
    for _ in range(3):
        try:
            s.sendto(bytes(int(size)), (host, int(port)))
        except OSError:
            pass  # the guest has been told that it may not
        time.sleep(0.1)
    return True


# --- the stage -----------------------------------------------------------------------------------------------------------

class Net:
    """Namespaces that end with us."""

    def __init__(self, *names):
        own = os.readlink("/proc/self/ns/net")
        self.pid, self.kids = {}, []
        for name in names:
            child = subprocess.Popen(["unshare", "-n", "setpriv", "--pdeathsig", "KILL", "sleep", "infinity"])
            self.kids.append(child)
            self.pid[name] = child.pid
            while os.readlink(f"/proc/{child.pid}/ns/net") == own:
                if child.poll() is not None:
                    raise RuntimeError("no network namespace")
                time.sleep(0.01)
            self.sh(name, "ip link set lo up")

    def within(self, name, command):
        return ["nsenter", "-t", str(self.pid[name]), "-n", *command]

    def sh(self, name, script):
        subprocess.run(self.within(name, ["sh", "-ec", script]), check=True)

    def start(self, name, command):
        child = subprocess.Popen(self.within(name, command), stdout=subprocess.PIPE, text=True)
        self.kids.append(child)
        child.stdout.readline()
        return child

    def end(self):
        for child in self.kids:
            child.kill()
            child.wait()

    def ask(self, name, *words):
        return subprocess.run(self.within(name, [os.path.abspath(__file__), "--in", *words])).returncode == 0

    def listen(self, name, port, seconds):
        return self.start(name, [os.path.abspath(__file__), "--in", "hear", str(port), str(seconds)])


def plain(net, build):
    """Linux forwards by destination port: what every port router begins as."""
    for i, (guest, ports) in enumerate((("A", "10000-19999"), ("B", "20000-29999")), 1):
        net.sh("R", f"""ip link add to{guest} type veth peer name eth0 netns {net.pid[guest]}
            ip addr add 169.254.{i}.1/30 dev to{guest}; ip link set to{guest} up
            ip route add {S}/32 via 169.254.{i}.2 dev to{guest} onlink table 10{i}
            for p in tcp udp; do ip rule add pref 10 to {S} ipproto $p dport {ports} lookup 10{i}; done""")
        net.sh(guest, f"""ip addr add 169.254.{i}.2/30 dev eth0; ip addr add {S}/32 dev eth0; ip link set eth0 up
            ip route add default via 169.254.{i}.1 src {S}""")
    net.sh("R", f"""ip link add wan type veth peer name eth0 netns {net.pid['C']}
        ip addr add 198.51.100.254/24 dev wan; ip link set wan up
        sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wan.rp_filter=0
        sysctl -qw net.ipv4.conf.toA.rp_filter=0 net.ipv4.conf.toB.rp_filter=0""")
    net.sh("C", f"ip addr add {C}/24 dev eth0; ip link set eth0 up; ip route add {S}/32 via 198.51.100.254")


def ours(net, build):
    net.start("R", [f"{build}/vfr-tap", f"{HERE}/before.conf", "0=t0", "1=t1", "2=t2"])
    for guest, tap in (("A", "t1"), ("B", "t2")):
        net.sh("R", f"ip link set {tap} netns {net.pid[guest]}")
        net.sh(guest, f"""ip link set {tap} address 02:00:00:00:01:0{tap[1]} up; ip addr add {S}/32 dev {tap}
            ip route add default via 169.254.0.1 dev {tap} onlink""")
    net.sh("R", f"ip link set t0 netns {net.pid['C']}")
    net.sh("C", f"ip link set t0 up; ip addr add {C}/24 dev t0; ip route add {S}/32 dev t0")


def questions(net, patience):
    """What came about: one truth for each of QUESTIONS. patience: how long to wait for what should come."""
    answers = [net.ask("A", "refused", C, "9")]
    heard = net.listen("A", 10090, patience)
    net.ask("C", "send", S, "10090", "0", "4000")
    answers.append(heard.wait() == 0)
    heard = net.listen("C", 7000, PATIENCE)
    net.ask("A", "send", C, "7000", "25000", "10")
    answers.append(heard.wait() == 0)
    return answers


def run(build, stage, patience):
    net = Net("R", "A", "B", "C")
    try:
        stage(net, build)
        # Both ways work for whole datagrams between the right ports: what follows is not about a broken stage.
        heard = net.listen("A", 10091, LONG)
        net.ask("C", "send", S, "10091", "0", "100")
        if heard.wait():
            raise RuntimeError("the stage does not carry a plain datagram")
        return questions(net, patience)
    finally:
        net.end()


def main(build):
    before, after = run(build, plain, PATIENCE), run(build, ours, LONG)
    good = True
    for (title, _, failure, wanted), was, now in zip(QUESTIONS, before, after):
        print(f"{title}\n  a plain port router:  {failure if was != wanted else 'as it should'}")
        print(f"  this router:          {'as it should' if now == wanted else 'FAILS TOO'}")
        good = good and now == wanted and was != wanted
    return good


def known():
    print("No network namespaces for us here, so this is not run.\nA plain port router (Linux, one routing rule for each range) is known for:")
    for title, _, failure, _ in QUESTIONS:
        print(f"{title}\n  {failure}")
    return True


if __name__ == "__main__":
    if sys.argv[1] == "--in":
        sys.exit(not {"hear": hear, "refused": refused, "send": send}[sys.argv[2]](*sys.argv[3:]))
    if sys.argv[1] != "--inside":
        own = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
        if subprocess.run([*own, "true"], stderr=subprocess.DEVNULL).returncode or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            sys.exit(not known())
        os.execvp("unshare", [*own, os.path.abspath(__file__), "--inside", sys.argv[1]])
    sys.exit(not main(sys.argv[2]))
