"""examples/hello-world/train.py in short form, with the real Keras and TensorFlow.

Needs the packages of examples/hello-world/requirements.txt, which tools/bootstrap --peers installs.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "hello-world"


def test_trains_prints_and_exports(tmp_path):
    command = [sys.executable, EXAMPLE / "train.py", "--rows", "2000", "--epochs", "1", "--out", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert sum("accuracy: " in line and "loss: " in line for line in lines) == 1  # one epoch
    assert lines[-1] == "Training Finished! Exiting..."
    score = next(line for line in lines if line.startswith("Score: "))
    loss, accuracy = json.loads(score.removeprefix("Score: "))
    assert accuracy > 0.5  # 2,000 images once: about 0.75; guessing gives 0.1
    assert loss < 1.6
    assert (tmp_path / "digits" / "saved_model.pb").is_file()

    import onnx

    model = onnx.load(tmp_path / "digits.onnx")
    assert [value.name for value in model.graph.input] == ["image"]
    assert [value.name for value in model.graph.output] == ["digit"]
    facts = json.loads((tmp_path / "digits.json").read_text())
    assert facts["parameters"] == 103394
    assert (facts["seed"], facts["rows"], facts["epochs"]) == (123, 2000, 1)


def test_the_committed_model_is_of_the_network_that_train_py_builds(tmp_path):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(EXAMPLE / "digits.onnx")
    shapes = sorted(numpy_helper.to_array(t).shape for t in model.graph.initializer if t.data_type == 1)
    expected = [(28, 28, 1, 1)] * 2 + [(28,)] * 2 + [(784, 128), (128,), (128, 10), (10,)]
    assert shapes == sorted(expected)
