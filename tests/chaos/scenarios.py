"""What may happen to a job, and what must come of it. See harness.py."""
import collections
import contextlib
import io
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable

import pyarrow.parquet as parquet

from driver import (BINARY, PATIENCE_S, armada, free_bytes, png, report, write_fake_model,
                    write_job)
from harness import (BATCH, LANES, PIXELS, Counts, Crew, Opened, Pictures, Place, Trial, Worker,
                     check_done, folder_place, make_pictures, nobody_left, rows_of, submit,
                     write_picture_job)

Strike = Callable[[Crew], None]


def worked_on(place: Place, trial: Trial, other: Strike | None = None,
              tolerated: tuple[int, ...] = ()) -> Counts:
    """Workers are killed or asked to leave, or something `other` happens, whenever a random number
    of leases and commits has been added."""
    counts: Counts = collections.Counter()
    submit(write_picture_job(place, trial), place)
    kinds = [Crew.kill, Crew.kill, Crew.ask, *([other] * 3 if other else [])]
    with Crew(place, trial, counts, tolerated) as crew:
        for _ in range(trial.size.strikes):
            apart = 2 * trial.size.shards // trial.size.strikes
            if not crew.until_more(trial.rng.randrange(1, apart)):
                break
            trial.rng.choice(kinds)(crew)
        crew.until_done()
    counts.update(check_done(place, trial.pictures))
    return counts


def workers_killed(trial: Trial) -> Counts:
    return worked_on(folder_place(trial.scratch / "chaos.armada"), trial)


def workers_frozen(trial: Trial) -> Counts:
    """Some stand still until all is done by others, and then go on where they were."""
    place = folder_place(trial.scratch / "chaos.armada")
    counts: Counts = collections.Counter()
    submit(write_picture_job(place, trial), place)
    with Crew(place, trial, counts) as crew:
        crew.until_more(trial.rng.randrange(1, trial.size.shards))
        frozen = trial.rng.sample(crew.workers, len(crew.workers) // 2)
        with contextlib.ExitStack() as stack:
            for worker in frozen:
                stack.enter_context(worker.stopped())
            crew.until(place.done)
            done = {path: path.read_bytes() for path in place.objects()}
        crew.until_done()
    assert {path: path.read_bytes() for path in place.objects()} == done
    counts.update(check_done(place, trial.pictures), frozen=len(frozen))
    return counts


def workers_cloned(trial: Trial) -> Counts:
    """All workers begin with one id, those who are started again too; some are killed."""
    counts: Counts = collections.Counter()
    worker_id = f"{trial.rng.getrandbits(128):032x}"
    for attempt in range(20):
        place = folder_place(trial.scratch / f"chaos{attempt}.armada")
        submit(write_picture_job(place, trial, heartbeat="100ms"), place)
        with Crew(place, trial, counts, worker_id=worker_id) as crew:
            for _ in range(trial.size.strikes):
                if not crew.until_more(2 * trial.size.shards // trial.size.strikes):
                    break
                trial.rng.choice([Crew.kill, Crew.ask])(crew)
            crew.until_done()
        counts.update(check_done(place, trial.pictures))
        said = armada("logs", place.uri, env=place.env).stdout
        counts["new ids"] += said.count(": takes a new id")
        if counts["new ids"]:
            return counts
    raise AssertionError("always over before anybody looked")


def server_killed(place: Place, server, trial: Trial) -> Counts:
    """Workers are killed and asked to leave, and their S3 server dies and comes back later."""
    def outage(crew: Crew) -> None:
        server.stop(signal.SIGKILL)
        try:
            longest = trial.rng.choice([10, 100, 500] if trial.size.timed else [10, 100])
            crew.pass_ticks(trial.rng.randrange(longest))
        finally:
            server.start()
        crew.counts["server kills"] += 1

    # Who starts while nobody listens gives up in time (exit 4), and is started again.
    return worked_on(place, trial, outage, tolerated=(4,))


def disk_full(disk, trial: Trial) -> Counts:
    """The disk of the job folder fills up for a while, again and again, among kills."""
    filler = disk / "filler"

    def fill(crew: Crew) -> None:
        try:
            with contextlib.suppress(OSError):  # the workers take some of it meanwhile
                filler.write_bytes(bytes(max(0, free_bytes(disk) - trial.rng.randrange(64 << 10))))
            crew.until(lambda: free_bytes(disk) < 8 << 10)
            crew.pass_ticks(trial.rng.randrange(50))
        finally:
            filler.unlink()
        crew.counts["fills"] += 1

    # Who starts on a full disk can't say that it lives, and gives up (exit 4).
    return worked_on(folder_place(disk / "chaos.armada"), trial, fill, tolerated=(4,))


def moment(rng: random.Random) -> int:
    """Ticks after the start of a submitter; early ones are likelier, since most end soon."""
    return int(150 * rng.random() ** 2)


class Submitter:
    """One `armada submit`, killed after so many ticks (None: not at all)."""

    def __init__(self, job, place: Place, log, kill_at: int | None):
        self.log, self.kill_at, self.killed = log, kill_at, False
        with open(log, "wb") as out:
            self.process = subprocess.Popen([BINARY, "submit", str(job)], env=place.env, stdout=out,
                                            stderr=out)

    def ended(self, tick: int) -> bool:
        if self.process.poll() is not None:
            assert self.process.returncode in (0, -signal.SIGKILL), self.log.read_text()
            assert self.process.returncode == 0 or self.killed
            return True
        if self.kill_at is not None and tick >= self.kill_at:
            self.process.kill()
            self.killed = True
        return False


def submit_twice(job, place: Place, trial: Trial, *kills_at: int | None) -> Counts:
    """Submitters at once, to their ends."""
    submitters = [Submitter(job, place, trial.scratch / f"submit{i}.log", kill_at)
                  for i, kill_at in enumerate(kills_at)]
    try:
        for tick in range(PATIENCE_S * 1000):
            if all([submitter.ended(tick) for submitter in submitters]):
                break
            select.poll().poll(1)
    finally:
        for submitter in submitters:
            submitter.process.kill()
            submitter.process.wait()
    killed = sum(submitter.process.returncode != 0 for submitter in submitters)
    return collections.Counter({"submits": len(submitters), "submits killed": killed})


def submitters_killed(trial: Trial) -> Counts:
    """Submitters, two at once, are killed at any moment; whoever is first, it is one job."""
    place, rng = folder_place(trial.scratch / "chaos.armada"), trial.rng
    job = write_picture_job(place, trial)
    counts: Counts = collections.Counter()
    published = set()
    for strike in range(trial.size.strikes + 1):
        kills_at = [moment(rng), rng.choice([None, *(moment(rng) for _ in range(5))])]
        last = strike == trial.size.strikes
        counts.update(submit_twice(job, place, trial, *([None, None] if last else kills_at)))
        with contextlib.suppress(FileNotFoundError):
            published.add((place.folder / "job.json").read_bytes())
    assert len(published) == 1, "one job, whoever published it"
    with Crew(place, trial, counts) as crew:
        crew.until_done()
    assert {(place.folder / "job.json").read_bytes()} == published
    counts.update(check_done(place, trial.pictures))
    return counts


class Disturbance:
    """Pictures that get other bytes, vanish and come."""

    def __init__(self, trial: Trial):
        self.pictures, self.rng = trial.pictures, trial.rng
        self.names = sorted(trial.pictures.files)
        self.rng.shuffle(self.names)
        self.changed: set[str] = set()
        self.removed: set[str] = set()

    def one(self) -> None:
        """One of each."""
        folder, originals = self.pictures.folder, self.pictures.originals
        name = self.names.pop()
        another = self.pictures.files[name] + self.rng.randrange(1, len(originals))
        other = originals[another % len(originals)]
        if self.rng.randrange(2):
            (folder / name).write_bytes(other.read_bytes())  # the same file
        else:
            beside = folder / f".{name}"
            shutil.copyfile(other, beside)
            beside.rename(folder / name)
        self.changed.add(name)
        name = self.names.pop()
        (folder / name).unlink()
        self.removed.add(name)
        shutil.copyfile(other, folder / f"new{len(self.changed)}{other.suffix}")


def pictures_change(trial: Trial) -> Counts:
    """Before the work and under way: a picture has its planned answer, or is dead and says why."""
    originals = trial.pictures.originals
    mine = make_pictures(trial.scratch / "mine", originals, trial.size.pictures)
    trial = trial.with_pictures(mine)
    place = folder_place(trial.scratch / "chaos.armada")
    counts: Counts = collections.Counter()
    submit(write_picture_job(place, trial, limits={"max_dead": "100%"}), place)
    disturbance = Disturbance(trial)
    for _ in range(10):
        disturbance.one()
    before = disturbance.changed | disturbance.removed
    with Crew(place, trial, counts) as crew:
        while crew.until_more(max(1, trial.size.shards // 20)):
            disturbance.one()
        crew.until_done()
    counts.update(check_done(place, mine, disturbance.changed | disturbance.removed))
    for row in rows_of(place.objects()):
        if row["error"] is not None:
            reason = "input_changed" if row["id"] in disturbance.changed else "input_missing"
            assert row["error"].startswith(reason), row
            before.discard(row["id"])
    assert not before, f"changed before anybody worked, and not reported: {before}"
    counts.update(changed=len(disturbance.changed), removed=len(disturbance.removed),
                  added=len(disturbance.changed))
    return counts


def pictures_change_while_read(trial: Trial) -> Counts:
    """Large ones get another colour, in place, as soon as they are opened."""
    place = folder_place(trial.scratch / "chaos.armada")
    folder = trial.scratch / "large"
    folder.mkdir()
    before = bytes(8 << 20)
    planned, other = png(10, before), png(200, before)
    tail = len(planned) - 300  # the pixels are there
    assert len(planned) == len(other) and planned[:tail] == other[:tail]
    names = [f"{i:03}.png" for i in range(trial.size.pictures // 125)]
    for name in names:
        (folder / name).write_bytes(planned)
    submit(write_picture_job(place, trial.with_pictures(Pictures(folder, {}, [])),
                             limits={"max_dead": "100%"}), place)
    with contextlib.ExitStack() as stack:
        # Open before, since opening is what is watched.
        files = {name: stack.enter_context(open(folder / name, "r+b")) for name in names}
        opened = stack.enter_context(Opened(folder))
        log = trial.scratch / "worker.log"
        worker = stack.enter_context(Worker(place, log, "--lanes", 1))
        while not worker.has_ended(wait_ms=0):
            for name in opened.read(wait_ms=1):
                os.pwrite(files[name].fileno(), other[tail:], tail)
        assert worker.end() == 0, log.read_text()
    rows = rows_of(place.objects())
    assert sorted(row["id"] for row in rows) == names
    changed = [row for row in rows if row["error"] is not None]
    for row in rows:
        if row in changed:
            assert row["error"].startswith("input_changed"), row
        else:
            assert row["values"][0] == 10, f"{row['id']}: an answer of bytes that were not planned"
    return collections.Counter(jobs=1, records=len(rows), dead=len(changed))


class PlannedFile:
    """A file of many records that becomes something else, and itself again."""
    KINDS = ("other bytes", "another file", "no file")

    def __init__(self, path: pathlib.Path, content: bytes, other: bytes):
        path.write_bytes(content)
        self.path, self.content, self.other, self.planned = path, content, other, path.stat()
        self.aside, self.beside = path.with_name("aside"), path.with_name("beside")

    def disturb(self, kind: str) -> None:
        if kind == "other bytes":
            with open(self.path, "r+b") as file:
                file.write(self.other)
        elif kind == "another file":
            self.aside.hardlink_to(self.path)
            self.beside.write_bytes(self.other)
            self.beside.rename(self.path)
        else:
            self.path.rename(self.aside)

    def restore(self) -> None:
        if self.aside.exists():
            self.aside.rename(self.path)
        else:
            with open(self.path, "r+b") as file:
                file.write(self.content)
            os.utime(self.path, ns=(self.planned.st_atime_ns, self.planned.st_mtime_ns))


def planned_file_changes(trial: Trial, file: PlannedFile, records: int, **keys: object) -> Counts:
    """It changes under way: work stops with the reason; put back, it goes on."""
    place = folder_place(trial.scratch / "chaos.armada")
    undisturbed = folder_place(trial.scratch / "undisturbed.armada")
    job = write_job(trial.scratch / "job.yaml", name="chaos", job=place.uri,
                    input={"uri": str(file.path)}, **keys)
    report("run", job, "--job", undisturbed.uri)
    answers = {row["id"]: row for row in rows_of(undisturbed.objects())}
    assert len(answers) == records
    submit(job, place)
    counts: Counts = collections.Counter(jobs=1, records=records)
    log = trial.scratch / "worker.log"
    file.disturb("other bytes")  # before anybody reads it: refused for certain
    with Worker(place, log, "--lanes", LANES) as worker:
        assert worker.end() == 3 and "changed since it was planned" in log.read_text()
    file.restore()
    report("resume", place.uri)
    for kind in PlannedFile.KINDS:
        enough = place.count("lease") + place.count("out") + trial.rng.randrange(1, 4)
        with Worker(place, log, "--lanes", LANES) as worker:
            worker.until(lambda: place.count("lease") + place.count("out") >= enough)
            with worker.stopped():
                file.disturb(kind)
            code, said = worker.end(), log.read_text()
        file.restore()
        for row in rows_of(place.objects()):
            assert row == answers[row["id"]], f"{kind}: an answer of bytes that were not planned"
        # The job is paused and says why. 0: it was through.
        reason = "cannot open" if kind == "no file" else "changed"
        paused = "the job is paused" in said and reason in said and file.path.name in said
        assert code == 0 or (code == 3 and paused), said
        counts["too late" if code == 0 else "pauses"] += 1
        if code == 3:
            report("resume", place.uri)
    with Worker(place, log, "--lanes", LANES) as worker:
        assert worker.end() == 0, log.read_text()
    rows = rows_of(place.objects())
    assert len(rows) == records and {row["id"]: row for row in rows} == answers
    assert report("verify", place.uri, "--deep")["ok"]
    nobody_left(place)
    return counts


def rows_file_changes(trial: Trial) -> Counts:
    """An IDX file of many shards."""
    records, side = trial.size.pictures * 4, 8
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (records, side, side))
    content, other = (header + trial.rng.randbytes(records * side * side) for _ in range(2))
    model = write_fake_model(trial.scratch / "model.fake.json", shape=(side, side))
    plan = {"shard_records": trial.size.shard_records * 4, "batch": 1}
    return planned_file_changes(trial, PlannedFile(trial.scratch / "idx", content, other), records,
                                model={"path": str(model)}, plan=plan)


def tar_of(pictures: list[bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for i, content in enumerate(pictures):
            member = tarfile.TarInfo(f"{i:06}.png")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def tar_changes(trial: Trial) -> Counts:
    """A tar of pictures, which is one shard; the other tar has others at the same places."""
    records = trial.size.pictures * 4
    before = bytes(2 << 10)  # so that it is no file that is read at once
    content, other = (tar_of([png(trial.rng.randrange(256), before) for _ in range(records)])
                      for _ in range(2))
    file = PlannedFile(trial.scratch / "photos.tar", content, other)
    return planned_file_changes(trial, file, records, model={"path": str(PIXELS)},
                                plan={"commit_every": "10ms", "batch": 1})


def nearly_done_and_all_lost(trial: Trial, counts: Counts) -> tuple[Place, set[str]]:
    """A job of which 99 % of the shards are committed, without workers; the ids that lack."""
    for attempt in range(20):
        place = folder_place(trial.scratch / f"chaos{attempt}.armada")
        submit(write_picture_job(place, trial), place)
        with Crew(place, trial, counts) as crew:
            crew.until(lambda: place.count("out") >= trial.size.shards * 0.99, wait_ms=1)
            counts["kills"] += len(crew.workers)
            crew.kill_all()
        committed = {row["id"] for row in rows_of(place.objects())}
        if len(committed) < len(trial.pictures.files):
            return place, trial.pictures.files.keys() - committed
        counts["too late"] += 1
    raise AssertionError("always over before the kill")


def all_lost_near_the_end(trial: Trial) -> Counts:
    """All die when 99 % is committed; one more reads what is missing, and only that."""
    counts: Counts = collections.Counter()
    place, missing = nearly_done_and_all_lost(trial, counts)
    with Opened(trial.pictures.folder) as opened:
        begun_s = time.monotonic()
        with Worker(place, trial.scratch / "worker.log", "--lanes", LANES) as worker:
            opened.read(PATIENCE_S * 1000)
            code = worker.end()
        opened.read()
    assert code == 0, worker.log.read_text()
    assert opened.files.keys() == missing, "it reads what is missing, and nothing else"
    first_ms = round((opened.first_s - begun_s) * 1000)
    if trial.size.timed:
        assert first_ms <= 2000, first_ms
    counts.update(check_done(place, trial.pictures))
    folder = trial.pictures.folder
    size_of = {name: (folder / name).stat().st_size for name in trial.pictures.files}
    read = sum(size_of[name] * times for name, times in opened.files.items())
    counts.update({"input bytes": sum(size_of.values()), "missing records": len(missing),
                   "missing bytes": sum(size_of[name] for name in missing),
                   "bytes opened to finish": read})
    return counts | {"max ms to the first input": first_ms}


def asked_to_leave(trial: Trial) -> Counts:
    """One worker after another is asked to leave; it commits all it read but a batch a lane."""
    place, size = folder_place(trial.scratch / "chaos.armada"), trial.size
    counts: Counts = collections.Counter()
    slowest_s, lost, before = 0.0, 0, 0
    submit(write_picture_job(place, trial), place)
    for strike in range(size.strikes + 1):
        with Opened(trial.pictures.folder) as opened:
            enough = place.count("lease") + trial.rng.randrange(1, size.shards // size.strikes)
            last = strike == size.strikes
            with Worker(place, trial.scratch / "worker.log", "--lanes", LANES) as worker:
                worker.until(lambda: not last and place.count("lease") >= enough)
                asked_s = time.monotonic()
                worker.signal(signal.SIGTERM)
                code = worker.end()
                slowest_s = max(slowest_s, time.monotonic() - asked_s)
            opened.read()
        assert code in (0, 130, -signal.SIGTERM), worker.log.read_text()
        committed = sum(parquet.read_metadata(path).num_rows for path in place.objects())
        lost = max(lost, opened.files.total() - (committed - before))
        before = committed
        counts[f"exit {code}"] += 1
    assert lost <= LANES * BATCH, lost
    if size.timed:
        assert slowest_s <= 5, slowest_s
    counts.update(check_done(place, trial.pictures))
    return counts | {"max ms to leave": round(slowest_s * 1000), "max records lost": lost}


# On folders; S3 and a small disk want a place first.
ON_FOLDERS = [workers_killed, workers_frozen, workers_cloned, submitters_killed, pictures_change,
              pictures_change_while_read, rows_file_changes, tar_changes, all_lost_near_the_end,
              asked_to_leave]
