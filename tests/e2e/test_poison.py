"""Records that end, hang or bloat the engine's process: one dead row each, all others as without them.

The fake engine does what a record's first byte says. Limits that are minutes otherwise are short
here (--probation-limit), so that what hangs is seen soon.
"""
import json
import os
import pathlib
import random
import resource
import select
import signal

import pytest

from driver import (PATIENCE_S, Running, armada, kill, png, report, rows, same_answers, succeeded, write_fake_model,
                    write_idx, write_job)

RECORDS, SIDE = 300, 4
TOGETHER = {"byte": 6, "does": "die together"}
DIE, HANG, EAT = {"byte": 7, "does": "die"}, {"byte": 8, "does": "hang"}, {"byte": 9, "does": "eat"}
REASONS = {6: "the worker ended with the engine on it, 3 times",
           7: "the engine died of SIGSEGV on it, twice", 8: "the engine gave no answer within 0.7 s, twice",
           9: "the engine ran out of memory (limit "}
LIMIT = ("--probation-limit", "700")


def make_job(name, poison, records=RECORDS):
    """A job over records of which some are poison: {row: what it is}; none: all are good."""
    images = bytearray(random.Random(5).randbytes(records * SIDE * SIDE))
    for row in range(records):
        images[row * SIDE * SIDE] = poison[row]["byte"] if row in poison else 100 + row % 100
    pathlib.Path(name).mkdir()
    write_idx(f"{name}/images-idx3-ubyte", images, (records, SIDE, SIDE))
    write_fake_model(f"{name}.fake.json", shape=(SIDE, SIDE), poison=[TOGETHER, DIE, HANG, EAT])
    return write_job(f"{name}.yaml", name=name, model={"path": f"{name}.fake.json"}, input={"uri": name},
                     postprocess={"top_k": 1}, limits={"max_dead": "100%"},
                     plan={"shard_records": 100, "batch": 4})


def limited():
    """As much memory as a normal worker gets here: one that eats must not take the machine down."""
    soft = 1 << 30
    resource.setrlimit(resource.RLIMIT_DATA, (soft, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY))


def run(job, *arguments):
    return armada("run", job, "--lanes", 2, *LIMIT, *arguments, preexec_fn=limited)


def check(name, poison):
    found = rows(f"{name}.armada")
    dead = {int(key.split("#")[1]): row["error"] for key, row in found.items() if row["error"] is not None}
    assert dead.keys() == poison.keys()
    for row, what in poison.items():
        assert dead[row].startswith(REASONS[what["byte"]]) and dead[row].endswith(("twice", "3 times"))
    good = {key: row for key, row in found.items() if row["error"] is None}
    assert report("run", make_job("good", {}), "--lanes", 2)["dead"] == 0
    expected = {key: row for key, row in rows("good.armada").items() if int(key.split("#")[1]) not in poison}
    assert len(good) == RECORDS - len(poison)
    same_answers({key.split("#")[1]: row for key, row in good.items()},
                 {key.split("#")[1]: row for key, row in expected.items()}, tolerance=0)
    assert report("verify", f"{name}.armada", "--deep")["ok"]
    errors = report("errors", f"{name}.armada")
    assert errors["dead"] == len(poison)
    again = succeeded("run", f"{name}.yaml")
    assert "nothing to do" in again.stderr


@pytest.mark.parametrize("what", [DIE, HANG, EAT], ids=lambda what: what["does"])
def test_one_record_of_each_kind(what):
    poison = {150: what}
    ended = run(make_job("poison", poison), "--json")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)  # one document, however often the worker was started
    assert (result["records"], result["dead"], result["complete"]) == (RECORDS, 1, True)
    assert result["run"]["restarts"] == 3, ended.stderr
    how = {"die": "died of SIGSEGV", "hang": "its engine hangs", "eat": "died of SIGABRT"}[what["does"]]
    assert ended.stderr.count(how) == 3, ended.stderr
    assert "starting it again (1 of 8)" in ended.stderr
    check("poison", poison)


def test_one_that_takes_its_worker_along():
    """The child kills its process group, as a machine that runs out of memory kills more than one."""
    poison = {150: TOGETHER}
    succeeded("submit", make_job("poison", poison))
    lives = 0
    while not pathlib.Path("poison.armada/DONE").exists():
        lives += 1
        assert lives <= 8, "three deaths, one on the whole batch, three on the record"
        with Running("work", "poison.armada", "--lanes", 1, "--exit-when-done", start_new_session=True) as worker:
            worker.ended()
    assert lives == 8
    check("poison", poison)


def test_all_kinds_with_two_workers():
    poison = {103: DIE, 110: HANG, 299: EAT}
    ended = run(make_job("poison", poison), "--workers", 2)
    assert ended.returncode == 0, ended.stderr
    assert "restarting it" in ended.stderr and "given up" not in ended.stderr
    check("poison", poison)


def test_a_picture_that_kills_beside_one_that_is_none():
    pathlib.Path("photos").mkdir()
    for i in range(40):
        pathlib.Path(f"photos/{i:02}.png").write_bytes(png(7 if i == 30 else 100 + i))
    pathlib.Path("photos/31.png").write_text("<html>404</html>")
    write_fake_model("poison.fake.json", shape=(8, 8, 3), poison=[DIE])
    job = write_job("photos.yaml", name="photos", model={"path": "poison.fake.json"}, input={"uri": "photos"},
                    postprocess={"top_k": 1}, limits={"max_dead": "100%"})
    ended = run(job)
    assert ended.returncode == 0, ended.stderr
    found = rows("photos.armada")
    assert len(found) == 40
    assert {key: row["error"] for key, row in found.items() if row["error"] is not None} == {
        "30.png": REASONS[7], "31.png": "no picture (it begins like HTML)"}
    pathlib.Path("photos/30.png").write_bytes(png(130))
    succeeded("run", job, "--job", "good.armada")
    good = rows("good.armada")
    assert good.pop("30.png")["error"] is None
    del found["30.png"]
    same_answers(found, good, tolerance=0)


def test_interruptions_alone_make_no_record_dead(digits):
    """Four workers killed at one place: the fifth is careful, and finds nothing."""
    succeeded("run", digits, "--job", "undisturbed.armada")
    succeeded("submit", digits)
    job = pathlib.Path("digits.armada")
    for _ in range(4):
        with Running("work", job, "--lanes", 1) as work:
            before = set((job / "workers").glob("*.json"))
            assert work.until(lambda: any(json.loads(path.read_text())["shards"] for path in
                                          set((job / "workers").glob("*.json")) - before))
            work.signal(signal.SIGKILL)
    done = report("run", digits)
    assert (done["records"], done["dead"]) == (10_000, 0)
    same_answers(rows(job), rows("undisturbed.armada"))


def test_killing_the_command_kills_its_worker(digits):
    with Running("run", digits) as command:
        assert command.until(lambda: any(pathlib.Path("digits.armada/workers").glob("*.json")))
        (worker,) = command.children()
        pidfd = os.pidfd_open(worker)
        command.signal(signal.SIGKILL)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        assert poll.poll(PATIENCE_S * 1000), "it ended too"
        os.close(pidfd)


def test_a_killed_worker_is_started_again(digits):
    with Running("run", digits, "--json") as command:
        assert command.until(lambda: any(pathlib.Path("digits.armada/out").glob("*/*.parquet")))
        kill(command.children()[0])
        ended = command.ended()
    assert ended.returncode == 0, ended.stderr
    assert "the worker died of SIGKILL; starting it again (1 of 8)" in ended.stderr
    assert json.loads(ended.stdout)["records"] == 10_000


@pytest.mark.parametrize("workers", [1, 2])
def test_poison_among_the_records_that_submit_tries(workers):
    poison = {0: DIE}
    ended = run(make_job("poison", poison), "--workers", workers)
    assert ended.returncode == 0, ended.stderr
    check("poison", poison)


def test_a_model_that_dies_of_every_record_is_given_up():
    job = make_job("poison", {0: DIE})
    write_fake_model("poison.fake.json", shape=(SIDE, SIDE), poison=[DIE, {"byte": 0, "does": "die"}])
    ended = run(job, "--json")
    assert ended.returncode == 1
    assert "given up" in json.loads(ended.stdout)["error"]["message"]
