#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""What a host on the machine's wire does in the tests with real stacks. Prints its findings; exit 0 when it got its answer.

    wire_host.py serve PORT FILE            HTTP server of one file, IPv4 and IPv6, until it is killed
    wire_host.py sink PORT                  one TCP connection: peer's address and port, MD5 of what came
    wire_host.py ask ADDRESS PORT SIZE      one UDP datagram of SIZE bytes to an echo server comes back whole
    wire_host.py refused ADDRESS PORT       a UDP socket hears that nobody listens there
    wire_host.py connects ADDRESS PORT      "connected", or the error's name
"""
import errno
import hashlib
import http.server
import socket
import sys
import time

TRIES = 10


def serve(port, path):
    with open(path, "rb") as f:
        content = f.read()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6

        def handle_error(self, *args):
            """A client that leaves in the middle is its own affair."""

    Server(("::", int(port)), Handler).serve_forever()
    return True


def sink(port):
    with socket.create_server(("", int(port))) as listener:
        listener.settimeout(300)
        print("listening", flush=True)
        s, peer = listener.accept()
        s.settimeout(300)
        digest = hashlib.md5()
        while piece := s.recv(65536):
            digest.update(piece)
    print(peer[0], peer[1], digest.hexdigest(), flush=True)
    return True


def udp(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect((address, int(port)))
    return s


def ask(address, port, size):
    """Path MTU discovery may cost the first datagrams."""
    question = bytes(i * 7 & 255 for i in range(int(size)))
    for _ in range(TRIES):
        try:
            s = udp(address, port)
            s.send(question)
            if s.recv(70000) == question:
                return True
        except OSError as e:
            print(e)
    return False


def refused(address, port):
    s = udp(address, port)
    for _ in range(TRIES):
        try:
            s.send(b"?")
            s.recv(10)
        except ConnectionRefusedError:
            return True
        except OSError as e:
            print(e)
        time.sleep(0.1)
    return False


def connects(address, port):
    try:
        socket.create_connection((address, int(port)), 60).close()
        print("connected")
    except OSError as e:
        print(errno.errorcode.get(e.errno, str(e)))
    return True


sys.exit(not globals()[sys.argv[1]](*sys.argv[2:]))
