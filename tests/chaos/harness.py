"""Chaos for real processes: workers that are killed at random, and a count of what they leave.

A scenario (scenarios.py) takes a Trial, asserts what must hold and returns counts of what it did.
`make test` and `make test-peers` run each once, small; `make soak` (bench/soak.py) repeats it for
minutes. Nothing here trusts Armada's own counts: what is there is read with pyarrow, who is alive
from /proc, and what is read of the input from inotify.
"""
import collections
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import random
import select
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator

import pyarrow.parquet as parquet

from driver import BINARY, MODELS, PATIENCE_S, armada, environment, report, write_job

PIXELS = MODELS / "pixels_nhwc.onnx"  # gives back the 8 × 8 pixels that it is given
TICK_MS = 10
BATCH, LANES = 2, 2

Counts = collections.Counter[str]


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of it. `timed`: limits of time are asserted too."""
    pictures: int
    shard_records: int
    strikes: int
    workers: int = 8
    timed: bool = False

    @property
    def shards(self) -> int:
        return -(-self.pictures // self.shard_records)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a job is: what armada is told, where its objects are files, and the environment."""
    uri: str
    folder: pathlib.Path
    env: dict[str, str]

    def done(self) -> bool:
        return (self.folder / "DONE").exists()

    def count(self, kind: str) -> int:
        """Objects below out/ or lease/; what is half written begins with a dot."""
        found = 0
        for group in sorted((self.folder / kind).glob("0*")):
            found += sum(not name.startswith(".") for name in os.listdir(group))
        return found

    def objects(self) -> list[pathlib.Path]:
        """What a reader takes: the Parquet of this job's id."""
        job_id = json.loads((self.folder / "job.json").read_text())["job_id"]
        return sorted(self.folder.glob(f"out/*/{job_id}-*.parquet"))


def folder_place(folder: pathlib.Path) -> Place:
    return Place(str(folder), folder, environment())


def s3_place(server, data: pathlib.Path, bucket: str, key: str) -> Place:
    """A job on a server that keeps its buckets as folders below `data` (versitygw)."""
    return Place(f"s3://{bucket}/{key}", data / bucket / key, server.environment())


@dataclasses.dataclass(frozen=True)
class Pictures:
    """A folder of pictures: {name: which original it is a copy of}."""
    folder: pathlib.Path
    files: dict[str, int]
    originals: list[pathlib.Path]


def make_pictures(folder: pathlib.Path, originals: list[pathlib.Path], count: int) -> Pictures:
    """`count` copies of the originals in turn."""
    folder.mkdir(parents=True)
    files = {}
    for i in range(count):
        original = originals[i % len(originals)]
        name = f"{i:06}{original.suffix}"
        shutil.copyfile(original, folder / name)
        files[name] = i % len(originals)
    return Pictures(folder, files, originals)


@dataclasses.dataclass(frozen=True)
class Trial:
    """What a scenario takes: a folder of its own, pictures to predict, chance, and how much."""
    scratch: pathlib.Path
    pictures: Pictures
    rng: random.Random
    size: Size

    def with_pictures(self, pictures: Pictures) -> "Trial":
        return dataclasses.replace(self, pictures=pictures)


def write_picture_job(place: Place, trial: Trial, heartbeat: str = "1s",
                      **keys: object) -> pathlib.Path:
    plan = {"shard_records": trial.size.shard_records, "batch": BATCH, "heartbeat": heartbeat}
    return write_job(trial.scratch / "job.yaml", name="chaos", job=place.uri,
                     model={"path": str(PIXELS)}, input={"uri": str(trial.pictures.folder)},
                     plan=plan, **keys)


def submit(job: pathlib.Path, place: Place) -> None:
    result = armada("submit", job, env=place.env)
    assert result.returncode == 0, result.stderr


class Worker:
    """One `armada work`; what it says goes to a file. Leaving the block, or close(), ends it."""

    def __init__(self, place: Place, log: pathlib.Path, *arguments: object):
        self.log, self.asked = log, 0
        with open(log, "wb") as out:
            command = [BINARY, "work", place.uri, "--exit-when-done", *map(str, arguments)]
            self.process = subprocess.Popen(command, env=place.env, stdout=out, stderr=out)
        self.pidfd = os.pidfd_open(self.process.pid)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.pidfd)

    def signal(self, number: int) -> None:
        self.asked = number
        self.process.send_signal(number)  # not reaped yet: the id is still its own

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """It stands still meanwhile (unless it has ended)."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def until(self, happened: Callable[[], bool]) -> None:
        """Waits until it happened or the worker ends."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened() and not self.has_ended(wait_ms=1):
            assert time.monotonic() < deadline, "neither happened nor ended"

    def has_ended(self, wait_ms: int) -> bool:
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(wait_ms))

    def end(self) -> int:
        """Waits for its end; its exit code."""
        return self.process.wait(PATIENCE_S)

    def as_asked(self, code: int, tolerated: Iterable[int]) -> bool:
        """It may be done before a signal comes, and die of SIGTERM before it listens."""
        if self.asked == signal.SIGKILL:
            return True
        asked = (130, -signal.SIGTERM) if self.asked == signal.SIGTERM else ()
        return code in (0, *asked, *tolerated)


class Crew:
    """The workers of one job, each started again when it ends, until the job is DONE. `worker_id`:
    of all of them, as if they were clones."""

    def __init__(self, place: Place, trial: Trial, counts: Counts, tolerated: Iterable[int] = (),
                 worker_id: str | None = None):
        self.place, self.trial, self.rng = place, trial, trial.rng
        self.counts, self.tolerated = counts, tuple(tolerated)
        self.arguments = ["--lanes", 1, *(["--worker-id", worker_id] if worker_id else [])]
        self.workers: list[Worker] = []
        self.started = 0

    def __enter__(self) -> "Crew":
        for _ in range(self.trial.size.workers):
            self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.kill_all()

    def start(self) -> None:
        log = self.trial.scratch / f"worker{self.started}.log"
        self.workers.append(Worker(self.place, log, *self.arguments))
        self.started += 1

    def kill_all(self) -> None:
        for worker in self.workers:
            worker.signal(signal.SIGKILL)
        for worker in self.workers:
            worker.close()
        self.workers = []

    def reap(self, worker: Worker) -> None:
        self.workers.remove(worker)
        code = worker.end()
        worker.close()
        self.counts[f"exit {code}"] += 1
        said = worker.log.read_text(errors="replace")
        assert worker.as_asked(code, self.tolerated), f"exit {code} unasked:\n{said}"
        if code == 0:
            assert self.place.done(), f"left, and the job is not done:\n{said}"
        worker.log.unlink()

    def tick(self, wait_ms: int = TICK_MS) -> None:
        """Waits for the end of a worker, but not long; starts another instead."""
        poll = select.poll()
        for worker in self.workers:
            poll.register(worker.pidfd, select.POLLIN)
        ended = {fd for fd, _ in poll.poll(wait_ms)}
        for worker in [worker for worker in self.workers if worker.pidfd in ended]:
            self.reap(worker)
            if not self.place.done():
                self.start()
                self.counts["restarts"] += 1

    def until(self, happened: Callable[[], bool], wait_ms: int = TICK_MS) -> bool:
        """Ticks until it happened or the job is DONE; True when it happened."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            if self.place.done():
                return False
            assert time.monotonic() < deadline, "neither happened nor done"
            self.tick(wait_ms)
        return True

    def pass_ticks(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()

    def until_more(self, objects: int) -> bool:
        """Until so many more leases and commits are there than now."""
        def seen() -> int:
            return self.place.count("lease") + self.place.count("out")
        enough = seen() + objects
        return self.until(lambda: seen() >= enough)

    def kill(self) -> None:
        """Anybody, also who is leaving."""
        if self.workers:
            self.counts["kills"] += 1
            self.rng.choice(self.workers).signal(signal.SIGKILL)

    def ask(self) -> None:
        """Of those who are not leaving yet; there may be none."""
        if staying := [worker for worker in self.workers if not worker.asked]:
            self.counts["terms"] += 1
            self.rng.choice(staying).signal(signal.SIGTERM)

    def until_done(self) -> None:
        """Until the job is DONE and everybody has left of their own accord."""
        self.until(self.place.done)
        deadline = time.monotonic() + PATIENCE_S
        while self.workers:
            assert time.monotonic() < deadline, "somebody does not see that the job is done"
            self.tick()


def nobody_left(place: Place) -> None:
    """No process of the job is alive: children of the dead end too, if not at once."""
    def alive() -> list[str]:
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if place.uri.encode() in words and BINARY.encode() in words:
                found.append(path.parent.name)
        return found
    deadline = time.monotonic() + PATIENCE_S
    while left := alive():
        assert time.monotonic() < deadline, f"alive: {left}"
        select.poll().poll(TICK_MS)


def rows_of(paths: Iterable[pathlib.Path]) -> list[dict]:
    return [row for path in paths for row in parquet.ParquetFile(path).read().to_pylist()]


def check_rows(rows: list[dict], pictures: Pictures, may_be_dead: Iterable[str] = ()) -> Counts:
    """Each picture once and nothing else; copies of one original have one answer."""
    ids = collections.Counter(row["id"] for row in rows)
    assert ids == collections.Counter(list(pictures.files))
    answers: dict[int, list[float]] = {}
    dead, may_be_dead = 0, frozenset(may_be_dead)
    for row in rows:
        if row["error"] is not None:
            assert row["id"] in may_be_dead and row["values"] is None, row
            dead += 1
        else:
            answer = answers.setdefault(pictures.files[row["id"]], row["values"])
            assert row["values"] == answer, row["id"]
    return collections.Counter(jobs=1, records=len(rows), dead=dead)


def check_done(place: Place, pictures: Pictures, may_be_dead: Iterable[str] = ()) -> Counts:
    """DONE, nobody at work, every picture once by our count and by the audit of every byte."""
    assert place.done()
    nobody_left(place)
    objects = place.objects()
    assert len(objects) == len(list(place.folder.glob("out/*/*.parquet"))), "of another job"
    found = check_rows(rows_of(objects), pictures, may_be_dead)
    audit = report("verify", place.uri, "--deep", env=place.env)
    assert audit["ok"] and audit["complete"] and audit["records"] == len(pictures.files), audit
    found["objects"] = len(objects)
    return found


class Opened:
    """Which files of a folder are opened from now on, as the kernel says (inotify)."""
    IN_OPEN, IN_Q_OVERFLOW, IN_NONBLOCK = 0x20, 0x4000, 0o4000

    def __init__(self, folder: pathlib.Path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(self.IN_NONBLOCK)
        assert self.fd >= 0, os.strerror(ctypes.get_errno())
        added = self.libc.inotify_add_watch(self.fd, os.fsencode(folder), self.IN_OPEN)
        assert added >= 0, os.strerror(ctypes.get_errno())
        self.files: Counts = collections.Counter()
        self.first_s: float | None = None  # time.monotonic()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *unused: object) -> None:
        os.close(self.fd)

    def read(self, wait_ms: int = 0) -> set[str]:
        """Waits for an event, but not longer; the names that are new."""
        before = set(self.files)
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        while poll.poll(wait_ms):
            data, at = os.read(self.fd, 1 << 16), 0
            while at < len(data):
                _, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + length].rstrip(b"\0").decode()
                at += 16 + length
                assert not mask & self.IN_Q_OVERFLOW, "events are lost"
                if name:
                    self.first_s = self.first_s or time.monotonic()
                    self.files[name] += 1
            wait_ms = 0 if self.files else wait_ms
        return self.files.keys() - before
