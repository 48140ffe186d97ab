"""S3 servers that are not ours, started on free ports of this machine and stopped."""
import contextlib
import datetime
import ipaddress
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
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
