"""S3 servers that are not ours, started on free ports of this machine and stopped."""
import collections
import contextlib
import datetime
import http.client
import http.server
import ipaddress
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

from driver import PATIENCE_S

BUCKET = "armada-test"
ACCESS_KEY, SECRET_KEY = "ak", "secret"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens; .environment() is what armada needs to find it."""

    def __init__(self, command, port, scheme="http", keys=(ACCESS_KEY, SECRET_KEY), env=None, log=None):
        self.command, self.port, self.keys, self.env, self.log = command, port, keys, env or {}, log
        self.endpoint = f"{scheme}://127.0.0.1:{port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(list(map(str, self.command)), env={**os.environ, **self.env},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pidfd = os.pidfd_open(self.process.pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        try:
            for _ in range(PATIENCE_S * 100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                    return
                assert not poll.poll(10), f"{self.command[0]} ended: {self.process.wait()}"
            raise AssertionError(f"{self.command[0]} does not listen")
        finally:
            os.close(pidfd)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def environment(self, **extra):
        env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return {**env, "AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_ACCESS_KEY_ID": self.keys[0],
                "AWS_SECRET_ACCESS_KEY": self.keys[1], "AWS_REGION": "us-east-1", **extra}


@contextlib.contextmanager
def running(server):
    try:
        yield server
    finally:
        server.stop()


def versitygw(folder, *options, scheme="http"):
    """A bucket is a folder below `folder`; objects are files. Requests are logged."""
    (folder / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "access.log"
    command = [os.environ["VERSITYGW"], "--port", f"127.0.0.1:{port}", "--quiet", "--access-log", log, *options,
               "posix", folder / "data"]
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    return running(Server(command, port, scheme, env=keys, log=log))


@contextlib.contextmanager
def moto():
    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", port]
    with running(Server(command, port)) as server:
        urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/{BUCKET}", method="PUT")).close()
        yield server


def s3rver(folder):
    """Takes `If-None-Match: *` and writes all the same."""
    port = free_port()
    command = [os.environ["S3RVER"], "-d", folder, "-a", "127.0.0.1", "-p", port, "--configure-bucket", BUCKET]
    return running(Server(command, port, keys=("S3RVER", "S3RVER")))


class Lossy(http.server.ThreadingHTTPServer):
    """Stands before a server and loses one request or reply in `one_in`; .done counts what it did."""
    daemon_threads = True
    FAULTS = ("request lost", "reply lost", "reply cut", "503, not applied", "500, but applied", "409, not applied")

    def __init__(self, server, seed, one_in):
        super().__init__(("127.0.0.1", 0), LossyHandler)
        self.behind, self.draw, self.one_in = server.port, random.Random(seed), one_in
        self.lock, self.done = threading.Lock(), collections.Counter()
        self.endpoint = f"http://127.0.0.1:{self.server_port}"

    def next_fault(self):
        with self.lock:
            fault = self.draw.choice(self.FAULTS) if self.draw.randrange(self.one_in) == 0 else "none"
            self.done[fault] += 1
            return fault

    def handle_error(self, *unused):
        pass  # clients that are gone


class LossyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def answer(self, status, headers, body, cut=False):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) + (9 if cut else 0)))
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # Host, too: it is signed
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply.status, reply.getheaders(), content

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault()
        if "not applied" in fault:
            self.answer(int(fault[:3]), [], b"<Error><Code>SlowDown</Code></Error>")
        elif fault == "request lost":
            self.close_connection = True
        else:
            reply = self.forward(body)
            if fault == "none":
                self.answer(*reply)
            elif fault.startswith("500"):
                self.answer(500, [], b"<Error><Code>InternalError</Code></Error>")
            else:
                self.close_connection = True
                if fault == "reply cut":
                    self.answer(*reply, cut=True)

    do_GET = do_PUT = do_DELETE = handle_one


@contextlib.contextmanager
def lossy(server, seed, one_in):
    proxy = Lossy(server, seed, one_in)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def write_certificate(folder):
    """A certificate for 127.0.0.1 that is its own authority, and its key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "armada test")])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
                   .add_extension(names, False).add_extension(x509.BasicConstraints(True, None), True)
                   .sign(key, hashes.SHA256()))
    folder = pathlib.Path(folder)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"
