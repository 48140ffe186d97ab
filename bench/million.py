#!/usr/bin/env python3
"""make bench: how soon a job over a million files begins, and how much memory planning takes.

A million pictures (hard links of one, 8 × 8 pixels and little work each) flat in one folder, and the same below a thousand
prefixes of a bucket (versitygw on this machine; it reads a flat million again for each page that it lists, for a second):
from the start of `armada run` to the first prediction, and the whole job's time. Then bench_plan: the plan of 100 million
generated names, and of ten billion records. Writes bench/results/million.json. Nothing here asserts.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile

from digits import ROOT, machine, pinned, run

sys.path[:0] = [str(ROOT / "tests/peers"), str(ROOT / "tests/e2e")]
import s3_servers  # noqa: E402

PICTURE = ROOT / "tests/pictures/exif-1.jpg"
MODEL = ROOT / "tests/models/pixels_nhwc.onnx"
LINKS = 50_000  # of one file: file systems have limits


def make_files(folder, count, per_folder):
    for i in range(count):
        below = folder / f"{i // per_folder:04}" if per_folder else folder
        if i % LINKS == 0:
            below.mkdir(parents=True, exist_ok=True)
            seed = below / f"{i:07}.jpg"
            shutil.copy(PICTURE, seed)
            continue
        if per_folder and i % per_folder == 0:
            below.mkdir(parents=True, exist_ok=True)
        os.link(seed, below / f"{i:07}.jpg")


def job(options, scratch, uri, folder):
    spec = scratch / "job.yaml"
    spec.write_text(f"name: million\nmodel: {{path: {MODEL}}}\ninput: {{uri: {uri}}}\n")
    stdout, cpu, wall = run([options.armada, "run", spec, "--job", folder, "--json"])
    report = json.loads(stdout)
    assert report["records"] == options.count and report["dead"] == 0
    return {"first_prediction_ms": report["run"]["first_prediction_ms"], "whole_s": wall, "cpu_s": cpu,
            "peak_mb": report["run"]["peak_bytes"] / 1e6}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--armada", default=ROOT / "build/release/armada")
    parser.add_argument("--plan", default=ROOT / "build/release/bench_plan")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--names", type=int, default=100_000_000)
    parser.add_argument("--records", type=int, default=10_000_000_000)
    parser.add_argument("--out", default=ROOT / "bench/results/million.json")
    options = parser.parse_args()
    result = {"what": "the start of a job over many files, and the planning of more",
              "date": datetime.date.today().isoformat(), "machine": {**machine(), "load": os.getloadavg()[0]},
              "versions": {**json.loads(run([options.armada, "version", "--json"])[0]),
                           "versitygw": pinned("VERSITYGW_VERSION")},
              "settings": {"files": options.count}}
    with tempfile.TemporaryDirectory(prefix="armada-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        make_files(scratch / "flat", options.count, 0)
        result["folder"] = job(options, scratch, scratch / "flat", scratch / "folder.armada")
        shutil.rmtree(scratch / "flat")
        (scratch / "gateway").mkdir()
        make_files(scratch / "gateway/data" / s3_servers.BUCKET / "tree", options.count, 1000)
        with s3_servers.versitygw(scratch / "gateway") as server:
            os.environ.update(server.environment())
            result["bucket"] = job(options, scratch, f"s3://{s3_servers.BUCKET}/tree/", scratch / "bucket.armada")
        for kind, count in (("names", options.names), ("records", options.records)):
            result[f"plan of {kind}"] = json.loads(run([options.plan, kind, scratch / "plan", count])[0])
            shutil.rmtree(scratch / "plan")
    pathlib.Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
