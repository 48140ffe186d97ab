"""logs: what all workers wrote down, merged by time."""
import json
import signal

from driver import Running, armada, outputs, report, succeeded

FOLDER = "digits.armada"


def lines(*arguments):
    return [json.loads(line) for line in succeeded("logs", FOLDER, "--json", *arguments).stdout.splitlines()]


def test_logs_of_two_workers_by_time_shard_level_and_worker(digits):
    report("run", digits, "--workers", "2")
    found = lines()
    workers = {line["worker"] for line in found}
    assert len(workers) == 2
    assert [line["utc"] for line in found] == sorted(line["utc"] for line in found)
    begins = [line["message"] for line in found if line["message"].startswith("begins")]
    leaves = [line["message"] for line in found if line["message"].startswith("leaves: the job is done")]
    assert len(begins) == len(leaves) == 2
    about = lines("--shard", "3", "--level", "debug")
    assert about and all(line["shard"] == 3 for line in about)
    assert {line["level"] for line in about} >= {"debug", "info"}
    one = next(iter(workers))
    assert {line["worker"] for line in lines("--worker", one[:6])} == {one}
    assert not lines("--since", "2099-01-01T00:00:00Z")
    assert "shard 3: committed" in succeeded("logs", FOLDER).stdout


def test_a_pause_is_in_the_log_with_its_reason(digits):
    succeeded("submit", digits)
    succeeded("pause", FOLDER, "--reason", "a \x1b[31mred\x1b[0m disk")
    assert armada("work", FOLDER, "--exit-when-done").returncode == 130
    succeeded("resume", FOLDER)
    with Running("work", FOLDER, "--exit-when-done") as worker:
        assert worker.until(lambda: outputs(FOLDER))
        worker.signal(signal.SIGTERM)
        worker.ended()
    text = succeeded("logs", FOLDER).stdout
    assert "leaves: asked to" in text or "leaves: the job is done" in text
    assert "\x1b" not in text


def test_follow_goes_on_with_what_comes(digits):
    succeeded("submit", digits)
    with Running("logs", FOLDER, "--follow", "--json") as follower:
        report("run", digits)
        found = []
        while not any("leaves" in line for line in found):
            line = follower.process.stdout.readline()
            assert line, "it ended"
            found.append(line)
        follower.signal(signal.SIGINT)
        assert follower.process.wait(60) == 0


def test_wrong_arguments_are_told(digits):
    succeeded("submit", digits)
    for arguments, words in ((["--since", "yesterday"], "'yesterday' is no time"), (["--level", "loud"], "no level"),
                             (["--shard", "-1"], "--shard")):
        refused = armada("logs", FOLDER, *arguments)
        assert refused.returncode == 2
        assert words in refused.stderr
    assert armada("logs", "nowhere").returncode == 3
