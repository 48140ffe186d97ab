"""A plan in many parts: work begins with the first, whoever is steward writes the others."""
import pathlib
import random
import signal

from driver import Running, report, rows, same_answers, succeeded
from test_kill import SEED

PARTS = ["--set", "plan.part_shards=3", "--set", "plan.heartbeat=200ms"]


def parts(job):
    return sorted((pathlib.Path(job) / "plan").glob("*.parquet"))


def test_submit_plans_the_first_part_and_workers_the_rest(digits):
    succeeded("run", digits, "--job", "whole.armada")
    succeeded("submit", digits, "--job", "grown.armada", *PARTS)
    assert len(parts("grown.armada")) == 1
    begun = report("status", "grown.armada")
    assert (begun["planned"], begun["shards"], begun["records_total"]) == (False, 3, None)
    assert "not all are planned yet" in succeeded("status", "grown.armada").stdout
    succeeded("work", "grown.armada", "--exit-when-done", "--lanes", "1")
    done = report("status", "grown.armada")
    assert done["state"] == "done" and done["planned"] and done["records_total"] == done["records"]
    assert len(parts("grown.armada")) > 10
    same_answers(rows("grown.armada"), rows("whole.armada"))
    succeeded("verify", "grown.armada", "--deep")


def test_whoever_plans_is_killed_again_and_again(digits):
    print(f"seed {SEED} (ARMADA_SEED)")
    rng = random.Random(SEED)
    succeeded("run", digits, "--job", "whole.armada")
    for _ in range(4):
        before = len(parts("killed.armada"))
        more = before + rng.randrange(1, 6)
        with Running("run", digits, "--job", "killed.armada", "--workers", "3", *PARTS) as run:
            if run.until(lambda: len(parts("killed.armada")) >= more) and run.process.poll() is None:
                run.signal(signal.SIGKILL)
    succeeded("run", digits, "--job", "killed.armada", "--workers", "3", *PARTS)
    same_answers(rows("killed.armada"), rows("whole.armada"))
    succeeded("verify", "killed.armada", "--deep")


def test_an_input_that_grows_while_it_is_planned_is_in_the_job_or_not(digits):
    """What a part holds stays; what a later part finds is new: never half of it, never twice."""
    succeeded("submit", digits, "--job", "grown.armada", *PARTS)
    added = pathlib.Path("images/zz-images-idx3-ubyte")
    first = next(path for path in pathlib.Path("images").iterdir())
    added.write_bytes(first.read_bytes())
    succeeded("run", digits, "--job", "grown.armada", *PARTS)
    names = {key.split("#")[0] for key in rows("grown.armada")}
    assert added.name in names
    succeeded("verify", "grown.armada", "--deep")
