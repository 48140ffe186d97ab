"""pause, resume, set, cancel: what an operator tells a job's workers."""
import json
import signal

import pytest

import driver
from driver import Running, armada, outputs, report, rows, succeeded, write_fake_model, write_idx, write_job

FOLDER = "digits.armada"


def test_a_paused_job_stands_still_until_it_is_resumed(digits):
    succeeded("submit", digits)
    assert report("pause", FOLDER, "--reason", "the disk is full")["paused"] is True
    run = armada("run", digits)
    assert run.returncode == 130
    assert "the job is paused: the disk is full" in run.stderr
    assert "armada resume" in run.stderr
    assert report("status", FOLDER)["state"] == "paused"
    assert not outputs(FOLDER)
    succeeded("resume", FOLDER)
    assert report("run", digits)["done"] is True
    assert len(rows(FOLDER)) == 10_000


def test_a_worker_under_way_obeys_and_keeps_what_it_has(more_digits):
    succeeded("submit", more_digits)
    with Running("work", FOLDER, "--exit-when-done") as worker:
        assert worker.until(lambda: outputs(FOLDER))
        succeeded("pause", FOLDER)
        ended = worker.ended()
    assert ended.returncode == 130
    assert "paused" in ended.stderr
    before = set(outputs(FOLDER))
    assert 0 < len(rows(FOLDER)) < 70_000
    succeeded("resume", FOLDER)
    succeeded("work", FOLDER, "--exit-when-done")
    assert before <= set(outputs(FOLDER))
    succeeded("verify", FOLDER, "--deep")


def test_a_pause_is_no_failure_that_workers_are_restarted_for(more_digits):
    succeeded("submit", more_digits)
    with Running("run", more_digits, "--workers", "2") as run:
        assert run.until(lambda: outputs(FOLDER))
        succeeded("pause", FOLDER, "--reason", "the disk is full")
        ended = run.ended()
    assert ended.returncode == 130
    assert "the job is paused: the disk is full" in ended.stderr
    begun = [line for line in succeeded("logs", FOLDER).stdout.splitlines() if " begins: " in line]
    assert len(begun) == 2, begun


def test_a_worker_counts_what_it_did_and_not_what_all_did(digits):
    succeeded("submit", digits)
    with Running("work", FOLDER, "--exit-when-done", "--index", "0", "--of", "2", "--json") as one, \
            Running("work", FOLDER, "--exit-when-done", "--index", "1", "--of", "2", "--json") as other:
        last = [json.loads(worker.ended().stdout.splitlines()[-2]) for worker in (one, other)]
    assert sum(progress["records_before"] + progress["records"] for progress in last) >= 10_000
    assert all(progress["records_before"] == 0 for progress in last)


def test_a_cancelled_job_never_goes_on_and_can_still_be_read(more_digits):
    digits = more_digits
    succeeded("submit", digits)
    with Running("work", FOLDER, "--exit-when-done") as worker:
        assert worker.until(lambda: outputs(FOLDER))
        assert report("cancel", FOLDER, "--reason", "the wrong model")["cancelled"] is True
        assert worker.ended().returncode == 3
    committed = len(rows(FOLDER))
    for command in (["run", digits], ["work", FOLDER, "--exit-when-done"], ["submit", digits], ["resume", FOLDER], ["pause", FOLDER],
                    ["set", FOLDER, "limits.max_dead=2%"], ["cancel", FOLDER]):
        refused = armada(*command)
        assert refused.returncode == 3, command
        assert "cancelled at" in refused.stderr and "the wrong model" in refused.stderr, command
    status = report("status", FOLDER)
    assert (status["state"], status["records"]) == ("cancelled", committed)
    assert "cancelled" in succeeded("status", FOLDER).stdout
    assert armada("verify", FOLDER).returncode == 1, "sound, and not complete"
    assert len(rows(FOLDER)) == committed


def test_set_changes_limits_and_nothing_else(tmp_path):
    write_idx("images", range(256), (64, 2, 2))
    model = write_fake_model("model.fake.json", (2, 2), dead=[0])
    job = write_job("digits.yaml", name="digits", model={"path": model}, input={"uri": "images"})
    succeeded("submit", job)
    assert report("set", FOLDER, "limits.max_dead=100%")["set"] == {"limits.max_dead": "100%"}
    assert report("status", FOLDER)["set"] == {"limits.max_dead": "100%"}
    assert "limits.max_dead = 100%" in succeeded("status", FOLDER).stdout
    for text, words in {"plan.shard_records=5": "part of what the job is", "limits.max_ded=1%": "did you mean",
                        "limits.max_dead=lots": "limits.max_dead", "limits.max_dead": "limits.max_dead",
                        "fleet.workers=3": "not looked at while a job is under way"}.items():
        refused = armada("set", FOLDER, text)
        assert refused.returncode == 3, text
        assert words in refused.stderr, text
    assert report("status", FOLDER)["set"] == {"limits.max_dead": "100%"}, "and nothing of it was written"


def test_commands_about_no_job_say_so():
    for command in (["pause"], ["cancel"], ["set"], ["resume"]):
        arguments = [*command, "nowhere", *(["a=b"] if command == ["set"] else [])]
        refused = armada(*arguments)
        assert refused.returncode == 3
        assert "no job at nowhere" in refused.stderr
        assert not driver.pathlib.Path("nowhere").exists()


def test_tidy_and_delete_leave_what_is_not_theirs(digits):
    for command in ("tidy", "delete"):
        assert armada(command, "nowhere").returncode == 3
    succeeded("submit", digits)
    refused = armada("delete", FOLDER, "--yes")
    assert refused.returncode == 3
    assert "neither done nor cancelled" in refused.stderr
    report("run", digits)
    for command in (["pause", FOLDER], ["cancel", FOLDER], ["set", FOLDER, "limits.max_dead=1%"]):
        assert "the job is done" in armada(*command).stderr, command
    folder = driver.pathlib.Path(FOLDER)
    (folder / "notes.txt").write_text("mine")
    would = report("tidy", FOLDER, "--dry-run")
    assert would["objects"] > 80 and (folder / "lease").exists()
    assert report("tidy", FOLDER)["objects"] == would["objects"]
    succeeded("verify", FOLDER, "--deep")
    asked = armada("delete", FOLDER)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert "would remove" in succeeded("delete", FOLDER, "--dry-run").stdout
    assert len(rows(FOLDER)) == 10_000
    assert "kept, as it is not the job's: notes.txt" in succeeded("delete", FOLDER, "--yes").stdout
    assert [path.name for path in folder.rglob("*")] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    assert report("run", digits)["done"] is True, "its folder is free again"


def test_status_watch_goes_on_until_the_job_is_done(digits):
    succeeded("submit", digits, "--job", "watched.armada")
    with Running("status", "watched.armada", "--watch", "--every", "0.1", "--json") as watcher:
        first = json.loads(watcher.process.stdout.readline())
        assert first["complete_shards"] == 0 and first["state"] != "done"
        succeeded("work", "watched.armada", "--exit-when-done")
        lines = watcher.ended().stdout.splitlines()
        assert watcher.process.returncode == 0
    assert json.loads(lines[-1])["state"] == "done"
    assert len(lines) >= 1


def test_status_watch_ends_when_it_is_asked_to(digits):
    succeeded("submit", digits, "--job", "watched.armada")
    with Running("status", "watched.armada", "--watch") as watcher:
        assert "digits" in watcher.process.stdout.readline()
        watcher.signal(signal.SIGINT)
        assert watcher.process.wait(60) == 0
