#!/usr/bin/env python3
"""make soak: ten million shards on ten thousand machines, simulated; writes bench/results/scale.json.

What armada_scale counts, of each seed, and the flags it was given. Figures beside "simulation" are
the simulated job's and the same on every machine.
"""
import argparse
import datetime
import json
import pathlib
import subprocess

from digits import ROOT, machine


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], check=True, capture_output=True,
                          text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default=ROOT / "build/release/armada_scale")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", default=ROOT / "bench/results/scale.json")
    options, flags = parser.parse_known_args()
    version, runs = commit(), []
    for seed in range(1, options.seeds + 1):
        command = [options.scale, "--seed", str(seed), "--json", *flags]
        runs.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    result = {"what": "a whole job at its full size, simulated with the control planes that ship",
              "command": " ".join(["armada_scale --seed N --json", *flags]),
              "date": datetime.date.today().isoformat(), "machine": machine(),
              "versions": {"armada": version}, "runs": runs}
    pathlib.Path(options.out).write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
