"""Killed at random moments and run again: the same answers, once each, nothing partial.

The moments are events (an object appeared), never times. `make soak` sets ARMADA_KILL_MOMENTS=50.
"""
import os
import pathlib
import random
import signal

import pyarrow.parquet as parquet
import pytest

from driver import Running, armada, kill, outputs, report, rows, same_answers, succeeded

MOMENTS = int(os.environ.get("ARMADA_KILL_MOMENTS", "4"))
SEED = int(os.environ.get("ARMADA_SEED", str(random.SystemRandom().randrange(2**32))))
SHARDS = 80


def whole_files_only(job):
    for path in outputs(job):
        parquet.read_table(path)  # raises on anything partial


@pytest.fixture
def answers(digits):
    succeeded("run", digits, "--job", "undisturbed.armada")
    return rows("undisturbed.armada")


def moment(rng, job):
    """An event of a run, and its name: early ones as likely as the middle of the work."""
    kind = rng.choice(["job.json", "plan", "objects", "objects", "objects"])
    if kind == "job.json":
        return "job.json is there", lambda: (pathlib.Path(job) / "job.json").exists()
    if kind == "plan":
        return "the plan is there", lambda: any((pathlib.Path(job) / "plan").glob("*.parquet"))
    more = len(outputs(job)) + rng.randrange(1, SHARDS // 4)
    return f"{more} objects are there", lambda: len(outputs(job)) >= more


def test_killed_anywhere_and_run_again(digits, answers):
    print(f"seed {SEED} (ARMADA_SEED)")
    rng = random.Random(SEED)
    killed, attempt = 0, 0
    while killed < MOMENTS:
        attempt += 1
        job = f"killed{attempt}.armada"
        for _ in range(rng.randrange(1, 4)):
            name, happened = moment(rng, job)
            with Running("run", digits, "--job", job) as run:
                if run.until(happened) and run.process.poll() is None:
                    run.signal(signal.SIGKILL)
                    killed += 1
            if any((pathlib.Path(job) / "workers").glob("*.json")):
                assert report("status", job)["workers"] == 0, "the dead don't count as workers"
            print(f"{job}: killed when {name}; {len(outputs(job))} objects")
            whole_files_only(job)
        succeeded("run", digits, "--job", job)
        same_answers(rows(job), answers)
        assert report("verify", job, "--deep")["ok"]


def test_four_workers_race_to_the_same_answers(digits, answers):
    run = report("run", digits, "--job", "four.armada", "--workers", "4")
    assert run["complete"] and run["run"]["workers"] == 4
    same_answers(rows("four.armada"), answers)
    assert report("verify", "four.armada", "--deep")["ok"]


def test_four_workers_of_which_one_is_killed(digits, answers):
    with Running("run", digits, "--job", "four.armada", "--workers", "4") as run:
        assert run.until(lambda: len(outputs("four.armada")) >= 5)
        kill(random.Random(SEED).choice(run.children()))
        ended = run.ended()
    assert ended.returncode == 0, ended.stderr
    assert "killed by SIGKILL; restarting it (1 of 8)" in ended.stderr
    same_answers(rows("four.armada"), answers)
    assert report("verify", "four.armada", "--deep")["ok"]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_leave_it_commits_and_the_next_run_goes_on(digits, answers, number, workers):
    with Running("run", digits, "--job", "asked.armada", "--workers", workers) as run:
        assert run.until(lambda: len(outputs("asked.armada")) >= 4)
        run.signal(number)
        ended = run.ended()
    assert ended.returncode == 130, ended.stderr
    committed = len(rows("asked.armada"))
    assert 0 < committed < 10_000
    assert f"interrupted: {committed:,} of 10,000 records are committed" in ended.stderr
    assert "run the same command again to continue" in ended.stderr
    assert report("status", "asked.armada")["state"] == "stopped"

    again = succeeded("run", digits, "--job", "asked.armada")
    assert f"resuming: {committed:,} of 10,000 records were done before; not redone" in again.stderr
    same_answers(rows("asked.armada"), answers)


def test_an_incomplete_job_does_not_verify(digits):
    with Running("run", digits, "--job", "part.armada") as run:
        assert run.until(lambda: len(outputs("part.armada")) >= 4)
        run.signal(signal.SIGTERM)
        run.ended()
    result = armada("verify", "part.armada")
    assert result.returncode == 1
    assert "not complete" in result.stdout
