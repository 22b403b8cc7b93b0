# SPDX-License-Identifier: BSD-2-Clause
"""One machine under QEMU TCG: started, watched through its serial log, paused, ended by its process id.

Three kinds of network:
  user   QEMU's own address translation, no rights needed; `forwards` opens ports of 127.0.0.1, host port 0: any that is free;
         its network is 10.0.2.0/24 unless `user_net` says otherwise, in the words of QEMU's option
  tap    a network namespace of the machine's own, 192.0.2.1/24 on tap0; it lives as long as the QEMU process
  none   no NIC at all
"""
import atexit
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from .progress import Trouble

RUNNING = []

# Bounds on waiting only end a hang: they never decide whether the machine is fast enough. A busy host may be several times slower.
PATIENCE = float(os.environ.get("VFR_PATIENCE", "5"))


def deadline(seconds):
    """The instant of time.monotonic() when waiting for what takes `seconds` at most on a quiet host is given up."""
    return time.monotonic() + PATIENCE * seconds


def stop_all():
    for machine in list(RUNNING):
        machine.stop()


def _terminated(number, frame):
    sys.exit(128 + number)


atexit.register(stop_all)
signal.signal(signal.SIGTERM, _terminated)
signal.signal(signal.SIGHUP, _terminated)

# The last process of the chain dies with us even when we are killed outright.
_LAST = 'exec setpriv --pdeathsig KILL -- "$@"'
_WIRE = ('ip link set lo up && ip tuntap add dev tap0 mode tap && ip addr add 192.0.2.1/24 dev tap0 && '
         'ip link set tap0 up && ' + _LAST)


def listening(path):
    """Whether a process serves the unix socket."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Machine:
    """workdir receives serial.log, qemu.log and the sockets. extra is appended to QEMU's own arguments."""

    def __init__(self, workdir, extra, memory=1024, cpus=1, net="none", forwards=(), machine="q35", cpu="max", mac="52:54:00:00:00:07",
                 control=False, user_net=""):
        self.dir = workdir
        os.makedirs(workdir, exist_ok=True)
        self.net = net
        self.serial = f"{workdir}/serial.log"
        self.control = f"{workdir}/control.sock"
        self.monitor = f"{workdir}/monitor.sock"
        self.child = None
        self.http_problem = ""
        self.command = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-M", machine, "-cpu", cpu,
                        "-m", str(memory), "-smp", str(cpus), "-serial", f"file:{self.serial}",
                        "-monitor", f"unix:{self.monitor},server=on,wait=off"]
        self.ports = {}
        if net == "user":
            rules = user_net and "," + user_net
            for host, guest in forwards:
                host = int(host) or free_port()
                self.ports[int(guest.split(":")[1])] = host
                rules += f",hostfwd=tcp:127.0.0.1:{host}-{guest}"
            self.command += ["-netdev", "user,id=n0" + rules]
        elif net == "tap":
            self.command += ["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no"]
        if net != "none":
            self.command += ["-device", f"virtio-net-pci,netdev=n0,mac={mac}"]
        if control:
            self.command += ["-device", "virtio-serial-pci", "-chardev", f"socket,id=ctl,path={self.control},server=on,wait=off",
                             "-device", "virtserialport,chardev=ctl,name=vfr.control"]
        self.command += list(extra)

    def start(self):
        if listening(self.monitor):
            raise Trouble(f"a machine runs in {self.dir} already: end it first")
        for path in (self.serial, self.control, self.monitor):
            if os.path.exists(path):
                os.unlink(path)
        open(self.serial, "w").close()
        chain = ["sh", "-c", _LAST, "sh"]
        if self.net == "tap":
            chain = self._unshare() + ["sh", "-c", _WIRE, "sh"]
        self.log = open(f"{self.dir}/qemu.log", "w")
        self.started = time.monotonic()
        # A session of its own: Ctrl-C in the terminal is for us, and we end the machine.
        self.child = subprocess.Popen(chain + self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                      start_new_session=True)
        RUNNING.append(self)
        self._wait_for_qemu()
        return self

    def _wait_for_qemu(self):
        """Its monitor answers when all it was asked for is there: ports to forward may be somebody else's."""
        end = deadline(30)
        while self.alive() and time.monotonic() < end:
            try:
                if "(qemu)" in self.command_monitor("info status"):
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise Trouble("QEMU ended at once: " + self.complaint())

    def complaint(self):
        """What QEMU itself had to say."""
        with open(self.log.name) as f:
            return f.read().strip()[-500:]

    def _unshare(self):
        return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]

    def enter(self, command):
        """The command line that runs `command` where this machine's clients are."""
        if self.net != "tap":
            return list(command)
        enter = ["nsenter", "-t", str(self.child.pid), "-n"]
        if os.geteuid() != 0:
            enter += ["-U", "--preserve-credentials"]
        return enter + list(command)

    def run(self, command, timeout=60):
        """Run a client beside the machine; what it printed, '' when it failed or took too long."""
        try:
            done = subprocess.run(self.enter(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE * timeout,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def at(self, port):
        """Where a forwarded port of the machine is reached."""
        return f"127.0.0.1:{self.ports[port]}"

    def age(self):
        return time.monotonic() - self.started

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def text(self):
        with open(self.serial, "rb") as f:
            return f.read().decode("latin1").replace("\r", "")

    def wait_text(self, pattern, timeout):
        """Wait until the serial log matches; the match, or None when time is over or the machine ended without it."""
        end = deadline(timeout)
        want = re.compile(pattern, re.M)
        while True:
            ended = not self.alive()
            found = want.search(self.text())
            if found or ended or time.monotonic() > end:
                return found
            time.sleep(0.02)

    def wait_exit(self, timeout):
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def wait_http(self, address, timeout, path="/hello"):
        """Wait until http://address answers; seconds since power-on, None when it does not."""
        end = deadline(timeout)
        while time.monotonic() < end and self.alive():
            if self.http(address + path, 3) is not None:
                return self.age()
            time.sleep(0.05)
        return None

    def http(self, url, timeout=20):
        """The body of http://url as text, None without an answer: then http_problem says why."""
        if self.net == "tap":
            return self.run(["curl", "-sf", "-m", str(timeout), "http://" + url], timeout + 5) or None
        try:
            with urllib.request.urlopen("http://" + url, timeout=timeout) as answer:
                return answer.read().decode("latin1")
        except (OSError, ValueError, http.client.HTTPException) as e:
            self.http_problem = f"{type(e).__name__}: {e}"
            return None

    def command_monitor(self, line):
        """One line to QEMU's monitor; its answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.monitor)
            answer = self._prompt(s)
            s.sendall(line.encode() + b"\n")
            answer = self._prompt(s)
        return answer.decode("latin1")

    def _prompt(self, s):
        seen = b""
        while b"(qemu) " not in seen.split(b"\n")[-1]:
            piece = s.recv(4096)
            if not piece:
                break
            seen += piece
        return seen

    def pause(self):
        """Stop the machine's virtual time, so that it costs the others nothing."""
        self.command_monitor("stop")

    def resume(self):
        self.command_monitor("cont")

    def keep_log(self):
        """The next run of the same name leaves this log alone."""
        shutil.copyfile(self.serial, f"{self.dir}/serial-failed.log")

    def stop(self):
        if self in RUNNING:
            RUNNING.remove(self)
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for path in (self.control, self.monitor):
            if os.path.exists(path):
                os.unlink(path)
