# SPDX-License-Identifier: BSD-2-Clause
"""A network behind the machine's own: a host in a namespace, one hop from tap0 over a link of any MTU, IPv4 and IPv6.

The host does not tell its peers in TCP how small its link is, so that they have to find out.
"""
import os
import subprocess
import time

from .machine import deadline

HOST4, HOST6 = "198.51.100.9", "2001:db8:99::9"
HOP4, HOP6 = "198.51.100.1", "2001:db8:99::1"


class Behind:
    """Lives as long as this object's process; m is a running machine with net=\"tap\"."""

    def __init__(self, m, mtu):
        self.m = m
        self.child = subprocess.Popen(m.enter(["unshare", "-n", "setpriv", "--pdeathsig", "KILL", "sleep", "infinity"]), stdin=subprocess.DEVNULL)
        end = deadline(10)
        while self._net() == os.readlink(f"/proc/{m.child.pid}/ns/net") or self._net() == os.readlink("/proc/self/ns/net"):
            if time.monotonic() > end:
                raise RuntimeError("no second network namespace")
            time.sleep(0.01)
        hop, host = "dev hop", "dev eth0"
        self._must(m.enter(["sh", "-ec", f"""
            ip link add hop mtu {mtu} type veth peer name eth0 netns {self.child.pid}
            ip link set hop up
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            ip addr add {HOP4}/24 {hop}; ip -6 addr add {HOP6}/64 {hop} nodad"""]))
        self._must(self.enter(["sh", "-ec", f"""
            ip link set lo up; ip link set eth0 up mtu {mtu}
            ip addr add {HOST4}/24 {host}; ip -6 addr add {HOST6}/64 {host} nodad
            ip route add default via {HOP4} advmss 1460; ip -6 route add default via {HOP6} advmss 1440"""]))

    def _net(self):
        return os.readlink(f"/proc/{self.child.pid}/ns/net")

    @staticmethod
    def _must(command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout.strip())

    def enter(self, command):
        """The command line that runs `command` on the host behind the hop."""
        words = self.m.enter(command)
        at = words.index("-t")
        return [*words[:at + 1], str(self.child.pid), *words[at + 2:]]

    def stop(self):
        self.child.kill()
        self.child.wait()
