"""At f32 Armada's predictions are onnxruntime's on the same tensors, within 1e-4."""
import pathlib

import numpy
import onnxruntime

from driver import DIGITS_MODEL, mnist_dir, rows, succeeded, write_job


def test_f32_predictions_are_those_of_onnxruntime():
    images = numpy.frombuffer((mnist_dir() / "t10k-images-idx3-ubyte").read_bytes(), numpy.uint8, offset=16)
    session = onnxruntime.InferenceSession(DIGITS_MODEL)
    (feed,) = session.get_inputs()
    shape = [-1] + [d for d in feed.shape[1:]]
    (expected,) = session.run(None, {feed.name: (images.astype("float32") / 255).reshape(shape)})

    folder = pathlib.Path("images")
    folder.mkdir()
    (folder / "t10k-images-idx3-ubyte").symlink_to(mnist_dir() / "t10k-images-idx3-ubyte")
    job = write_job("parity.yaml", name="parity", model={"path": str(DIGITS_MODEL), "precision": "f32"},
                    input={"uri": "images"}, preprocess={"rescale": "1/255"})
    succeeded("run", job)
    found = rows("parity.armada")
    assert len(found) == len(expected) == 10_000
    (output,) = [name for name in next(iter(found.values())) if name not in ("id", "error")]
    predicted = numpy.array([found[f"t10k-images-idx3-ubyte#{i}"][output] for i in range(10_000)])
    assert numpy.abs(predicted - expected).max() <= 1e-4
