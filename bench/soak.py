#!/usr/bin/env python3
"""make soak: the scenarios of tests/chaos, each repeated with fresh folders until its time is up.

Photos are cuts of 500 × 375 (examples/photos/make_photos.py), each under several names, so that
copies must have the same answer; the model gives back 8 × 8 pixels, so that what is exercised is
Armada. Time limits are asserted here and only here. Writes bench/results/soak.json, keeping what is
there of scenarios that this run does not repeat. A round that fails stops its scenario, keeps its
folder and says its seed: --seed and --round repeat its choices (the moments are the machine's).
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable

from digits import ROOT, machine, pinned

DEPS = pathlib.Path(os.environ.get("ARMADA_DEPS", ROOT / ".deps"))
os.environ.setdefault("VERSITYGW", str(DEPS / f"versitygw-{pinned('VERSITYGW_VERSION')}/versitygw"))
sys.path[:0] = [str(ROOT / "tests" / name) for name in ("e2e", "peers", "chaos")]
import driver  # noqa: E402
import harness  # noqa: E402
import s3_servers  # noqa: E402
import scenarios  # noqa: E402

SIZE = harness.Size(pictures=4000, shard_records=4, strikes=40, timed=True)
CUTS = 500


def make_cuts(folder: pathlib.Path) -> list[pathlib.Path]:
    originals = DEPS / f"mate-backgrounds-{pinned('MATE_BACKGROUNDS_VERSION')}"
    subprocess.run([sys.executable, ROOT / "examples/photos/make_photos.py", "--from", originals,
                    "--count", str(CUTS), "--folder", folder], check=True)
    return sorted(folder.iterdir())


def on_s3(trial: harness.Trial, server_dies: bool) -> harness.Counts:
    with s3_servers.versitygw(trial.scratch / "gateway") as server:
        data = trial.scratch / "gateway/data"
        place = harness.s3_place(server, data, s3_servers.BUCKET, "jobs/chaos")
        if server_dies:
            return scenarios.server_killed(place, server, trial)
        return scenarios.worked_on(place, trial)


def on_a_small_disk(trial: harness.Trial) -> harness.Counts:
    with driver.small_disk(trial.scratch / "disk", 32) as disk:
        return scenarios.disk_full(disk, trial)


SCENARIOS: dict[str, Callable[[harness.Trial], harness.Counts]] = {
    **{scenario.__name__: scenario for scenario in scenarios.ON_FOLDERS},
    "workers_killed_s3": lambda trial: on_s3(trial, server_dies=False),
    "server_killed_s3": lambda trial: on_s3(trial, server_dies=True),
    "disk_full": on_a_small_disk,
}


def add(total: dict[str, int], found: harness.Counts) -> None:
    for name, count in found.items():
        before = total.get(name, 0)
        total[name] = max(before, count) if name.startswith("max ") else before + count


def repeat(name: str, pictures: harness.Pictures, options: argparse.Namespace) -> dict:
    """Rounds until the time is up or one fails."""
    counts: dict[str, int] = {}
    begun_s, rounds, failure = time.monotonic(), 0, None
    while failure is None and (rounds == 0 or time.monotonic() - begun_s < options.seconds):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix=f"armada-soak-{name}-"))
        number = options.round + rounds
        try:
            rng = random.Random(f"{options.seed}/{name}/{number}")
            add(counts, SCENARIOS[name](harness.Trial(scratch, pictures, rng, SIZE)))
            shutil.rmtree(scratch)
        except Exception:  # whatever it is, the others go on
            failure = {"round": number, "folder": str(scratch), "what": traceback.format_exc()}
            print(failure["what"], file=sys.stderr)
        rounds += 1
    result = {"date": datetime.date.today().isoformat(),
              "commit": driver.report("version")["commit"],
              "seconds": round(time.monotonic() - begun_s), "seed": options.seed, "rounds": rounds,
              "passed": failure is None, "counts": dict(sorted(counts.items()))}
    print(json.dumps({name: result}), flush=True)
    return {**result, **({"failure": failure} if failure else {})}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300, help="of each scenario")
    parser.add_argument("--only", nargs="+", default=list(SCENARIOS), choices=list(SCENARIOS),
                        metavar="NAME", help=f"of {', '.join(SCENARIOS)}; all without")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--round", type=int, default=0, help="number of the first round")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results/soak.json")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    versions = {**driver.report("version"), "versitygw": pinned("VERSITYGW_VERSION")}
    before = json.loads(options.out.read_text()) if options.out.exists() else {}
    kept = before.get("scenarios", {})
    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(tempfile.TemporaryDirectory(prefix="armada-soak-"))
        shared = pathlib.Path(shared)
        os.environ["XDG_CACHE_HOME"] = str(shared / "cache")
        cuts = make_cuts(shared / "cuts")
        pictures = harness.make_pictures(shared / "photos", cuts, SIZE.pictures)
        found = {name: repeat(name, pictures, options) for name in options.only}
    result = {
        "what": "real processes killed, starved and misled at random, again and again in fresh "
                "folders; after each round every id is there exactly once by pyarrow's count, "
                "copies of a photo have one answer, and armada verify --deep agrees. Sums over the "
                "rounds, but for what begins with max",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions,
        "settings": {"photos": SIZE.pictures, "size": "500x375", "strikes_a_job": SIZE.strikes,
                     "shard_records": SIZE.shard_records, "workers": SIZE.workers},
        "scenarios": {name: found.get(name, kept.get(name)) for name in SCENARIOS
                      if name in found or name in kept},
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(scenario["passed"] for scenario in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
