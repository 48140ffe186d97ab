"""Parking: a worker with nothing left to do waits until it is told to end, and uses nothing meanwhile."""
import json
import os
import pathlib
import signal

from driver import Running, armada, outputs, report, rows, succeeded

FOLDER = pathlib.Path("digits.armada")
TICKS_S = os.sysconf("SC_CLK_TCK")


def beats():
    return [json.loads(path.read_text()) for path in (FOLDER / "workers").glob("*.json")]


def is_parked():
    return any(beat["state"] == "parked" for beat in beats())


def cpu_s(pid):
    user, system = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[11:13]
    return (int(user) + int(system)) / TICKS_S


def test_a_worker_parks_when_the_job_is_done_and_ends_when_it_is_told(digits):
    succeeded("submit", digits)
    with Running("work", FOLDER, "--json") as worker:
        assert worker.until(is_parked)
        status = report("status", FOLDER)
        assert (status["state"], status["workers"], status["workers_parked"]) == ("done", 0, 1)
        assert "1 parked" in succeeded("status", FOLDER).stdout
        before = cpu_s(worker.process.pid)
        (beat,) = beats()
        assert (beat["period_ms"], beat["shards"], beat["records"]) == (600_000, [], 10_000)
        # It is there, so its folder stays.
        refused = armada("delete", FOLDER, "--yes")
        assert refused.returncode == 3 and "workers may be" in refused.stderr, refused.stderr
        assert cpu_s(worker.process.pid) == before
        worker.signal(signal.SIGTERM)
        ended = worker.ended()
    assert ended.returncode == 0, ended.stderr
    assert [json.loads(line).get("state") for line in ended.stdout.splitlines()][-2] == "parked"
    assert [beat["state"] for beat in beats()] == ["exited"]
    succeeded("verify", FOLDER, "--deep")


def test_it_ends_by_itself_when_it_is_told_to(digits):
    succeeded("submit", digits)
    succeeded("work", FOLDER, "--exit-when-done")
    assert len(rows(FOLDER)) == 10_000
    with Running("work", FOLDER) as late:
        assert late.until(is_parked), "one that finds DONE parks too"
        late.signal(signal.SIGTERM)
        ended = late.ended()
    assert ended.returncode == 0 and "parked: the job is done" in ended.stderr


def test_a_worker_of_a_paused_job_goes_on_when_it_is_resumed(more_digits):
    succeeded("submit", more_digits)
    with Running("work", FOLDER) as worker:
        assert worker.until(lambda: outputs(FOLDER))
        succeeded("pause", FOLDER, "--reason", "the disk is full")
        assert worker.until(is_parked)
        before = len(rows(FOLDER))
        succeeded("resume", FOLDER)
        assert worker.until(lambda: (FOLDER / "DONE").exists() and is_parked())
        worker.signal(signal.SIGTERM)
        ended = worker.ended()
    assert ended.returncode == 0
    assert "parked: the job is paused: the disk is full" in ended.stderr
    assert 0 < before < len(rows(FOLDER)) == 70_000


def test_one_that_is_told_to_end_while_the_job_is_paused_says_that_it_is(digits):
    succeeded("submit", digits)
    succeeded("pause", FOLDER)
    with Running("work", FOLDER) as worker:
        assert worker.until(is_parked)
        worker.signal(signal.SIGTERM)
        assert worker.ended().returncode == 130
    succeeded("cancel", FOLDER)
    with Running("work", FOLDER) as worker:
        assert worker.until(is_parked)
        worker.signal(signal.SIGTERM)
        assert worker.ended().returncode == 3


def test_what_an_audit_finds_broken_pauses_the_job_and_parks_its_worker(digits):
    """It once woke every second, audited again, and called the job paused, which it was not."""
    succeeded("run", digits)
    for seal in ("DONE", "_SUCCESS", "manifest.parquet"):
        (FOLDER / seal).unlink()
    for group in (FOLDER / "group").iterdir():
        group.unlink()
    last = pathlib.Path(outputs(FOLDER)[-1])
    chain, position = last.stem.rsplit("-", 1)
    # Not the chain's highest object: who only looks how far it is does not see it.
    (last.parent / f"{chain}-{int(position) - 1:019}.parquet").write_bytes(last.read_bytes())
    with Running("work", FOLDER) as worker:
        assert worker.until(is_parked)
        status = report("status", FOLDER)
        assert (status["state"], status["pause"]["cause"]) == ("paused", "corrupt")
        assert "its footer says that it begins at" in status["pause"]["reason"]
        worker.signal(signal.SIGTERM)
        ended = worker.ended()
    assert ended.stderr.count("parked:") == 1, ended.stderr
