"""More shards than a group has: groups are sealed as they are finished, and a steward sums up."""
import json
import pathlib
import signal

from driver import Running, armada, report, rows, same_answers, succeeded

# 1,250 shards of 8 records: two groups.
SETTINGS = ["--set", "plan.shard_records=8", "--set", "plan.heartbeat=200ms"]


def objects(job, folder):
    return sorted((pathlib.Path(job) / folder).glob("*"))


def test_groups_are_sealed_and_summed_up_and_the_job_is_whole(digits):
    succeeded("run", digits, "--job", "plain.armada")
    succeeded("run", digits, "--job", "groups.armada", "--workers", "2", *SETTINGS)
    job_id = json.loads(pathlib.Path("groups.armada/job.json").read_text())["job_id"]
    assert [path.name for path in objects("groups.armada", "group")] == [
        f"{job_id}-{group:09}.done" for group in range(2)]
    same_answers(rows("groups.armada"), rows("plain.armada"))
    succeeded("verify", "groups.armada", "--deep")
    status = report("status", "groups.armada")
    assert (status["state"], status["estimated"]) == ("done", False)
    assert status["complete_shards"] == status["shards"] > 1000


def test_a_steward_sums_up_and_its_successor_goes_on(digits):
    seen = 0
    for _ in range(2):
        with Running("run", digits, "--job", "killed.armada", "--workers", "2", *SETTINGS) as run:
            wanted = seen + 1
            run.until(lambda: len(objects("killed.armada", "summary")) >= wanted)
            run.signal(signal.SIGKILL)
        seen = len(objects("killed.armada", "summary"))
        assert seen >= wanted
    succeeded("run", digits, "--job", "killed.armada", "--workers", "2", *SETTINGS)
    summaries = [json.loads(path.read_text()) for path in objects("killed.armada", "summary")]
    assert all(len(summary["groups"]) == 2 and set(summary["groups"]) <= set("ols")
               for summary in summaries)
    assert summaries[-1]["records"] >= summaries[0]["records"]
    succeeded("verify", "killed.armada", "--deep")


def test_what_vanishes_from_a_sealed_group_is_found(digits):
    succeeded("run", digits, "--job", "groups.armada", *SETTINGS)
    job = pathlib.Path("groups.armada")
    gone = next((job / "out/000000000").glob("*-000000000007-*.parquet"))
    gone.unlink()
    result = armada("verify", "groups.armada", "--json")
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert not found["ok"]
    assert any(gone.name in fault and "gone" in fault for fault in found["faults"]), found
