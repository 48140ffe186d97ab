"""What may happen to a job, and what must come of it. See harness.py."""
import collections
import contextlib
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pyarrow.parquet as parquet

from driver import BINARY, PATIENCE_S, free_bytes, report, write_fake_model, write_idx, write_job
from harness import (BATCH, LANES, Counts, Crew, Opened, Pictures, Place, Size, Worker, check_done,
                     folder_place, make_pictures, nobody_left, rows_of, submit, write_picture_job)


def worked_on(place: Place, scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size,
              strikes: Callable[[Crew], list[Callable[[], None]]] = lambda crew: [],
              tolerated: tuple[int, ...] = ()) -> Counts:
    """Workers are killed or asked to leave, or else strikes(crew) happen, at moments that are events."""
    counts: Counts = collections.Counter()
    submit(write_picture_job(scratch / "job.yaml", place, pictures, size), place)
    with Crew(place, scratch, rng, size, counts, tolerated) as crew:
        for _ in range(size.strikes):
            if not crew.until_more(rng.randrange(1, 2 * size.shards // size.strikes)):
                break
            rng.choice([crew.kill, crew.kill, crew.ask, *strikes(crew)])()
        crew.until_done()
    return counts + check_done(place, pictures)


def workers_killed(scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size) -> Counts:
    return worked_on(folder_place(scratch / "chaos.armada"), scratch, pictures, rng, size)


def server_killed(place: Place, server, scratch: pathlib.Path, pictures: Pictures, rng: random.Random,
                  size: Size) -> Counts:
    """Workers are killed and asked to leave, and their S3 server dies and comes back later."""
    outages = []

    def outage(crew: Crew) -> Callable[[], None]:
        def strike() -> None:
            server.stop(signal.SIGKILL)
            try:
                crew.pass_ticks(rng.randrange(rng.choice([10, 100, 500])))
            finally:
                server.start()
            outages.append(crew)
        return strike

    # Who starts while nobody listens gives up in time (exit 4), and is started again.
    found = worked_on(place, scratch, pictures, rng, size, lambda crew: [outage(crew)] * 3, tolerated=(4,))
    return found + collections.Counter(server_kills=len(outages))


def disk_full(disk: pathlib.Path, scratch: pathlib.Path, pictures: Pictures, rng: random.Random,
              size: Size) -> Counts:
    """The disk of the job folder fills up for a while, again and again, among kills."""
    fills = []
    filler = disk / "filler"

    def fill(crew: Crew) -> Callable[[], None]:
        def strike() -> None:
            try:
                with contextlib.suppress(OSError):  # the workers take some of it meanwhile
                    filler.write_bytes(bytes(max(0, free_bytes(disk) - rng.randrange(64 << 10))))
                crew.until(lambda: free_bytes(disk) < 8 << 10)
                crew.pass_ticks(rng.randrange(50))
            finally:
                filler.unlink()
            fills.append(crew)
        return strike

    # Who starts on a full disk can't say that it lives, and gives up (exit 4).
    place = folder_place(disk / "chaos.armada")
    found = worked_on(place, scratch, pictures, rng, size, lambda crew: [fill(crew)] * 3, tolerated=(4,))
    return found + collections.Counter(fills=len(fills))


def submitters_killed(scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size) -> Counts:
    """Submitters, two at once, are killed at any moment; whoever is first, it is one job."""
    place = folder_place(scratch / "chaos.armada")
    job = write_picture_job(scratch / "job.yaml", place, pictures, size)
    counts: Counts = collections.Counter()
    ids = set()

    def two(ticks: list[int | None]) -> None:
        """Two submitters, killed after so many ticks of a millisecond (None: not at all)."""
        logs = [scratch / f"submit{i}.log" for i in range(2)]
        submitters = []
        for log in logs:
            with open(log, "wb") as out:
                submitters.append(subprocess.Popen([BINARY, "submit", str(job)], env=place.env, stdout=out,
                                                   stderr=out))
        killed = [False, False]
        for tick in range(PATIENCE_S * 1000):
            running = [process for process in submitters if process.poll() is None]
            if not running:
                break
            for i, process in enumerate(submitters):
                if ticks[i] is not None and tick >= ticks[i] and process in running and not killed[i]:
                    process.kill()
                    killed[i] = True
                    counts["submits killed"] += 1
            select.poll().poll(1)
        for i, process in enumerate(submitters):
            code = process.wait(PATIENCE_S)
            counts["submits"] += 1
            assert code == (-signal.SIGKILL if killed[i] else 0) or code == 0, logs[i].read_text()
        if (place.folder / "job.json").exists():
            ids.add((place.folder / "job.json").read_bytes())

    for _ in range(size.strikes):
        two([moment(rng), rng.choice([None, moment(rng), moment(rng), moment(rng)])])
    two([None, None])
    assert len(ids) == 1, "one job, whoever published it"
    with Crew(place, scratch, rng, size, counts) as crew:
        crew.until_done()
    assert (place.folder / "job.json").read_bytes() in ids
    return counts + check_done(place, pictures)


def write_over(path: pathlib.Path, content: bytes, rng: random.Random) -> None:
    """Another file under this name, or the same file with other bytes."""
    if rng.randrange(2):
        beside = path.with_name(f".{path.name}")
        beside.write_bytes(content)
        beside.rename(path)
    else:
        path.write_bytes(content)


def pictures_change(scratch: pathlib.Path, originals: list[pathlib.Path], rng: random.Random,
                    size: Size) -> Counts:
    """Pictures change, go and come, before the work and under way: an old answer or a dead row."""
    pictures = make_pictures(scratch / "photos", originals, size.pictures)
    place = folder_place(scratch / "chaos.armada")
    counts: Counts = collections.Counter()
    submit(write_picture_job(scratch / "job.yaml", place, pictures, size, limits={"max_dead": "100%"}),
           place)
    names = sorted(pictures.files)
    rng.shuffle(names)
    changed: set[str] = set()
    removed: set[str] = set()

    def disturb() -> None:
        name = names.pop()
        other = originals[(pictures.files[name] + 1 + rng.randrange(len(originals) - 1)) % len(originals)]
        write_over(pictures.folder / name, other.read_bytes(), rng)
        changed.add(name)
        name = names.pop()
        (pictures.folder / name).unlink()
        removed.add(name)
        shutil.copyfile(other, pictures.folder / f"new{len(changed)}{other.suffix}")

    for _ in range(10):
        disturb()
    before = changed | removed
    with Crew(place, scratch, rng, size, counts) as crew:
        while crew.until_more(max(1, size.shards // 20)):
            disturb()
        crew.until_done()
    counts += check_done(place, pictures, changed | removed)
    for row in rows_of(place.objects()):
        if row["error"] is not None:
            reason = "input_changed" if row["id"] in changed else "input_missing"
            assert row["error"].startswith(reason), row
            before.discard(row["id"])
    assert not before, f"changed before anybody worked, and not reported: {before}"
    return counts + collections.Counter(changed=len(changed), removed=len(removed), added=len(changed))


def rows_file_changes(scratch: pathlib.Path, rng: random.Random, size: Size) -> Counts:
    """A file of many records changes or goes under way: work stops with the reason; put back, it goes on."""
    side, records = 8, size.pictures * 4
    place = folder_place(scratch / "chaos.armada")
    images = scratch / "images-idx3-ubyte"
    write_idx(images, rng.randbytes(side * side * records), (records, side, side))
    write_fake_model(scratch / "model.fake.json", shape=(side, side))
    job = write_job(scratch / "job.yaml", name="chaos", job=place.uri,
                    model={"path": str(scratch / "model.fake.json")}, input={"uri": str(images)},
                    plan={"shard_records": size.shard_records * 4, "batch": 1, "heartbeat": "1s"})
    reference = folder_place(scratch / "reference.armada")
    submit(job, place)
    done = subprocess.run([BINARY, "run", str(job), "--job", reference.uri], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = {row["id"]: row for row in rows_of(reference.objects())}
    counts: Counts = collections.Counter()
    content, planned, aside = images.read_bytes(), images.stat(), scratch / "aside"
    beside = scratch / "beside"
    for disturbance in ("other bytes in the same file", "another file", "no file"):
        worker = Worker(place, scratch / "worker.log", "--lanes", LANES)
        poll = select.poll()
        poll.register(worker.pidfd, select.POLLIN)
        enough = place.count("out") + rng.randrange(1, size.shards // 4)
        while place.count("out") < enough and not poll.poll(1):
            pass
        other = content[:16] + rng.randbytes(len(content) - 16)
        if disturbance == "other bytes in the same file":
            with open(images, "r+b") as file:
                file.write(other)
        elif disturbance == "another file":
            aside.hardlink_to(images)
            beside.write_bytes(other)
            beside.rename(images)
        else:
            images.rename(aside)
        code = worker.end()
        said = worker.log.read_text()
        # Paused with the reason, or stopped with it; 0: all was read before.
        reason = "cannot open" if disturbance == "no file" else "the job is paused"
        assert code == 0 or (code == 3 and reason in said and images.name in said), said
        counts["stops" if disturbance == "no file" else "pauses"] += code == 3
        if aside.exists():
            aside.rename(images)
        else:
            with open(images, "r+b") as file:
                file.write(content)
            os.utime(images, ns=(planned.st_atime_ns, planned.st_mtime_ns))
        for row in rows_of(place.objects()):
            assert row == answers[row["id"]], "an answer of bytes that were not planned"
        if code == 3 and disturbance != "no file":
            report("resume", place.uri)
    assert counts["pauses"], "the job was over before anything changed"
    worker = Worker(place, scratch / "worker.log", "--lanes", LANES)
    assert worker.end() == 0, worker.log.read_text()
    rows = rows_of(place.objects())
    assert len(rows) == records and {row["id"]: row for row in rows} == answers
    assert report("verify", place.uri, "--deep")["ok"]
    nobody_left(place)
    return counts + collections.Counter(jobs=1, records=records)


def moment(rng: random.Random) -> int:
    """Ticks after the start of a submitter; early ones are likelier, since most end soon."""
    return int(150 * rng.random() ** 2)


def all_lost_near_the_end(scratch: pathlib.Path, pictures: Pictures, rng: random.Random,
                          size: Size) -> Counts:
    """All die when 99 % of the shards are committed; one more reads what is missing, and only that."""
    counts: Counts = collections.Counter()
    for attempt in range(20):
        place = folder_place(scratch / f"chaos{attempt}.armada")
        submit(write_picture_job(scratch / "job.yaml", place, pictures, size), place)
        with Crew(place, scratch, rng, size, counts) as crew:
            crew.until(lambda: place.count("out") >= size.shards * 0.99, wait_ms=1)
            counts["kills"] += len(crew.workers)
            crew.kill_all()
        committed = rows_of(place.objects())
        if len(committed) < len(pictures.files):
            break
        counts["too late"] += 1
    else:
        raise AssertionError("always over before the kill")
    assert len(committed) >= 0.98 * len(pictures.files)
    missing = pictures.files.keys() - {row["id"] for row in committed}
    with Opened(pictures.folder) as opened:
        begun_s = time.monotonic()
        worker = Worker(place, scratch / "worker.log", "--lanes", LANES)
        opened.read(PATIENCE_S * 1000)
        code = worker.end()
        opened.read()
    assert code == 0, worker.log.read_text()
    assert opened.files.keys() == missing, "it reads what is missing, and nothing else"
    first_ms = round((opened.first_s - begun_s) * 1000)
    if size.timed:
        assert first_ms <= 2000, first_ms
    counts += check_done(place, pictures)
    size_of = {name: (pictures.folder / name).stat().st_size for name in pictures.files}
    return counts + collections.Counter({
        "input bytes": sum(size_of.values()), "missing records": len(missing),
        "missing bytes": sum(size_of[name] for name in missing),
        "bytes opened again": sum(size_of[name] * times for name, times in opened.files.items()),
        "max ms to the first input": first_ms})


def asked_to_leave(scratch: pathlib.Path, pictures: Pictures, rng: random.Random, size: Size) -> Counts:
    """One worker after another is asked to leave; it commits all it read but a batch a lane."""
    place = folder_place(scratch / "chaos.armada")
    counts: Counts = collections.Counter()
    slowest_s, lost, before = 0.0, 0, 0
    submit(write_picture_job(scratch / "job.yaml", place, pictures, size), place)
    for strike in range(size.strikes + 1):
        with Opened(pictures.folder) as opened:
            worker = Worker(place, scratch / "worker.log", "--lanes", LANES)
            poll = select.poll()
            poll.register(worker.pidfd, select.POLLIN)
            enough = place.count("lease") + rng.randrange(1, size.shards // size.strikes)
            while place.count("lease") < enough or strike == size.strikes:
                if poll.poll(1):
                    break
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
    counts += check_done(place, pictures)
    return counts + collections.Counter({"max ms to leave": round(slowest_s * 1000),
                                         "max records lost": lost})
