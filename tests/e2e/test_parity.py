"""parity: what the user's own code predicts is compared with what the job does, before anything is spent.

The user's own code is Pillow, numpy and onnxruntime here.
"""
import hashlib
import json
import os
import pathlib
import random
import sys

import numpy
import onnxruntime
import pyarrow
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from driver import DIGITS_MODEL, MODELS, ROOT, armada, mnist_dir, report, rows, succeeded, write_job

sys.path.insert(0, str(ROOT / "python"))
from armada_parity import write_sample  # noqa: E402

PRESETS = {  # what the libraries do: pixels → what the model is fed; and how they resize
    "keras-tf": lambda x: x / 127.5 - 1,
    "keras-caffe": lambda x: x[..., ::-1] - numpy.array([103.939, 116.779, 123.68]),
    "torchvision": lambda x: (x / 255 - numpy.array([0.485, 0.456, 0.406])) / numpy.array([0.229, 0.224, 0.225]),
}


def resized(path, preset):
    picture = Image.open(path).convert("RGB")
    if preset != "torchvision":
        return picture.resize((32, 32), Image.Resampling.NEAREST)
    short = min(picture.size)
    size = tuple(int(256 * side / short) for side in picture.size)
    picture = picture.resize(size, Image.Resampling.BILINEAR)
    left, top = (int(round((side - 32) / 2.0)) for side in picture.size)
    return picture.crop((left, top, left + 32, top + 32))


def own_predictions(model, paths, preset):
    x = numpy.stack([numpy.asarray(resized(path, preset), "float64") for path in paths])
    x = PRESETS[preset](x).astype("float32")
    return run(model, x if "nhwc" in str(model) else x.transpose(0, 3, 1, 2))


def run(model, x):
    session = onnxruntime.InferenceSession(str(model))
    (feed,) = session.get_inputs()
    return session.run(None, {feed.name: x})[0]


@pytest.fixture
def photos(tmp_path):
    """40 small JPEGs without symmetry, none of them square."""
    folder = pathlib.Path("photos")
    folder.mkdir()
    colors = numpy.random.RandomState(5)
    paths = []
    for i in range(40):
        blocks = Image.fromarray(colors.randint(0, 256, (5, 7, 3), "uint8"))
        paths.append(folder / f"p{i:02}.jpg")
        blocks.resize((60 + i, 100 - i), Image.Resampling.BICUBIC).save(paths[-1], quality=92)
    return paths


def job_for(made_with, **preprocess):
    """A job on the photos with the sample that was made with a preset; with other preprocessing, if any is given."""
    return write_job("job.yaml", model={"path": str(MODELS / model_of(made_with)), "precision": "f32"},
                     input={"uri": "photos"}, preprocess=preprocess or {"preset": made_with},
                     parity={"expected": "sample.parquet"})


def model_of(preset):
    return "picture_nchw.onnx" if preset == "torchvision" else "picture_nhwc.onnx"


def write_right_sample(paths, preset):
    write_sample("sample.parquet", paths, own_predictions(MODELS / model_of(preset), paths, preset))


def nothing_was_spent():
    left = [str(path) for path in pathlib.Path("job.armada").rglob("*")] if os.path.exists("job.armada") else []
    assert left == []


def refusal(*words, code=3, command=("run", "job.yaml")):
    result = armada(*command)
    assert result.returncode == code, f"exit {result.returncode}\n{result.stderr}\n{result.stdout}"
    for word in words:
        assert word in result.stderr, f"{word!r} is not in:\n{result.stderr}"
    return result.stderr


@pytest.mark.parametrize("preset", PRESETS)
def test_what_agrees_runs_and_says_how_far_it_agrees(preset, photos):
    write_right_sample(photos, preset)
    job = job_for(preset)
    assert "parity               40 records: largest difference " in succeeded("submit", job, "--explain").stdout
    nothing_was_spent()
    text = succeeded("run", job).stdout
    assert "\nparity    40 records: largest difference " in text and "same best class 100.00 %" in text
    figures = report("report", "job.armada")["parity"]
    assert figures["records"] == 40 and figures["max_abs_diff"] < 1e-4 and figures["top1"] == 1
    stored = json.loads(pathlib.Path("job.armada/job.json").read_text())["parity"]
    sample = pathlib.Path("sample.parquet").read_bytes()
    assert stored["sha256"] == hashlib.sha256(sample).hexdigest() and stored["bytes"] == len(sample)
    assert pathlib.Path(f"job.armada/files/{stored['sha256']}/sample.parquet").read_bytes() == sample
    expected = own_predictions(MODELS / model_of(preset), photos, preset)
    found = rows("job.armada")
    assert len(found) == 40
    for path, scores in zip(photos, expected):
        assert numpy.abs(numpy.array(found[path.name]["scores"]) - scores).max() < 1e-4


# What the sample was made with, what the job file says, and the change that is found.
WRONG = [
    ("wrong preset", "keras-tf", {"preset": "keras-caffe"}, "with preprocess.preset: keras-tf and no other key"),
    ("no preset", "keras-tf", {}, "with preprocess.preset: keras-tf and no other key"),
    ("preset of another library", "torchvision", {"preset": "keras-torch"},
     "with preprocess.preset: torchvision and no other key"),
    ("swapped channels", "keras-tf", {"preset": "keras-tf", "color": "bgr"}, "with preprocess.color: rgb it agrees"),
    ("swapped channels, the other way", "keras-caffe", {"preset": "keras-caffe", "color": "rgb"},
     "with preprocess.color: bgr it agrees"),
    ("wrong mean", "keras-tf", {"preset": "keras-tf", "mean": [0.5]},
     "with the rescale, mean and std of preprocess.preset: keras-tf it agrees"),
    ("not rescaled", "torchvision", {"preset": "torchvision", "rescale": 1},
     "with preprocess.rescale: 1/255 it agrees"),
    ("wrong filter", "keras-tf", {"preset": "keras-tf", "filter": "bilinear"},
     "with preprocess.filter: nearest it agrees"),
    ("wrong fit", "torchvision", {"preset": "torchvision", "fit": "stretch"},
     "with preprocess.fit: resize-then-crop:256 it agrees"),
    ("two mistakes", "keras-tf", {"preset": "keras-tf", "color": "bgr", "filter": "bicubic", "fit": "cover"},
     "with preprocess.preset: keras-tf and no other key"),
]


@pytest.mark.parametrize("made_with,preprocess,hint", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_preprocessing_is_stopped_before_the_first_commit(made_with, preprocess, hint, photos):
    write_right_sample(photos, made_with)
    job_for(made_with, **(preprocess or {"color": "rgb"}))
    for command in ("run", "submit"):
        text = refusal("the job does not predict what sample.parquet expects: largest difference ",
                       "(parity.max_diff allows 0.001)", "of 40 records (parity.top1 wants 99.9 %)",
                       "\n  worst record 'photos/p", "of output 'scores' should be ", "best class", hint,
                       command=(command, "job.yaml"))
        assert "(largest difference " in text
    nothing_was_spent()


def test_the_worst_record_is_the_worst(photos):
    expected = own_predictions(MODELS / "picture_nhwc.onnx", photos, "keras-tf")
    wrong = own_predictions(MODELS / "picture_nhwc.onnx", photos, "keras-caffe")
    write_sample("sample.parquet", photos, expected)
    job_for("keras-tf", preset="keras-caffe")
    record, element = numpy.unravel_index(numpy.abs(expected - wrong).argmax(), expected.shape)
    refusal(f"worst record '{photos[record]}': value {element} of output 'scores' should be "
            f"{expected[record, element]:.5g}"[:-1])


def test_orientation_of_one_photo_among_many(photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.open(photos[33])
    picture.save(photos[33], exif=exif, quality=92)
    write_right_sample(photos, "keras-tf")
    job_for("keras-tf", preset="keras-tf", orientation="exif")
    refusal("worst record 'photos/p33.jpg'", "with preprocess.orientation: stored it agrees")
    nothing_was_spent()


def test_mistakes_that_no_change_mends_are_said_to_be_such(photos):
    predictions = own_predictions(MODELS / "picture_nhwc.onnx", photos, "keras-tf")
    write_sample("sample.parquet", photos, predictions[::-1])
    job_for("keras-tf")
    assert "it agrees" not in refusal("none of the usual changes of preprocess makes it agree")
    nothing_was_spent()


def test_a_picture_that_is_none(photos):
    predictions = own_predictions(MODELS / "picture_nhwc.onnx", photos, "keras-tf")
    photos[7].write_bytes(photos[7].read_bytes()[:200])
    write_sample("sample.parquet", photos, predictions)
    job_for("keras-tf")
    refusal("sample.parquet: row 7 ('photos/p07.jpg'): JPEG")
    nothing_was_spent()


def test_digits_given_as_rows_of_pixels(tmp_path):
    pixels = numpy.frombuffer((mnist_dir() / "t10k-images-idx3-ubyte").read_bytes(), numpy.uint8, offset=16)
    pixels = pixels.reshape(-1, 28 * 28)[:100]
    shape = [-1] + onnxruntime.InferenceSession(str(DIGITS_MODEL)).get_inputs()[0].shape[1:]
    images = tmp_path / "images"
    images.mkdir()
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (100, 28, 28))
    (images / "few-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
    write_sample("sample.parquet", pixels, run(DIGITS_MODEL, (pixels.astype("float32") / 255).reshape(shape)))
    job = {"model": {"path": str(DIGITS_MODEL), "precision": "f32"}, "input": {"uri": "images"},
           "parity": {"expected": "sample.parquet"}}
    write_job("job.yaml", **job)
    refusal("does not predict what sample.parquet expects", "with preprocess.rescale: 1/255 it agrees")
    nothing_was_spent()
    write_job("job.yaml", preprocess={"rescale": "1/255"}, **job)
    assert "\nparity    100 records: " in succeeded("run", "job.yaml").stdout


def test_a_table_by_column_names_and_outputs_by_theirs(tmp_path):
    numbers = random.Random(3)
    names = [f"f{i}" for i in range(6)]
    table = {name: [numbers.uniform(-1, 1) for _ in range(50)] for name in names}
    parquet.write_table(pyarrow.table(table), "rows.parquet")
    x = numpy.array([table[name] for name in names], "float32").T.reshape(-1, 2, 3)
    session = onnxruntime.InferenceSession(str(MODELS / "outputs.onnx"))
    outputs = [output.name for output in session.get_outputs()]
    predictions = dict(zip(outputs, session.run(None, {"x": x})))
    chosen = {name: predictions[name] for name in ("scores", "best")}
    shuffled = dict(sorted(table.items(), reverse=True))
    write_sample("sample.parquet", shuffled, chosen, names=[f"row {i}" for i in range(50)])
    job = write_job("job.yaml", model={"path": str(MODELS / "outputs.onnx"), "precision": "f32",
                                       "outputs": ["scores", "best"]},
                    input={"uri": "rows.parquet"}, parity={"expected": "sample.parquet"})
    assert "\nparity    50 records: " in succeeded("run", job).stdout
    chosen["scores"] = chosen["scores"] + numpy.float32(0.01) * (numpy.arange(50) == 31)[:, None]
    write_sample("sample.parquet", shuffled, chosen, names=[f"row {i}" for i in range(50)])
    refusal("worst record 'row 31'", "of output 'scores'", command=("submit", job, "--job", "job2.armada"))
    del chosen["best"]
    write_sample("sample.parquet", shuffled, chosen)
    refusal("no column 'expected.best'", command=("submit", job, "--job", "job3.armada"))


def replace(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_worker_refuses_a_sample_that_was_altered(photos):
    write_right_sample(photos, "keras-tf")
    succeeded("submit", job_for("keras-tf"))
    (stored,) = pathlib.Path("job.armada/files").glob("*/sample.parquet")
    whole = stored.read_bytes()
    replace(stored, whole.replace(b"photos/p00.jpg", b"photos/p99.jpg"))
    refusal("its content is not what was submitted", code=4, command=("work", "job.armada"))
    assert not list(pathlib.Path("job.armada").glob("out/*/*"))
    replace(stored, whole)
    succeeded("work", "job.armada", "--exit-when-done")
    assert len(rows("job.armada")) == 40


def test_a_worker_that_predicts_otherwise_refuses(photos):
    """A sample that was exchanged, with its hash, stands for a machine that computes otherwise."""
    write_right_sample(photos, "keras-tf")
    succeeded("submit", job_for("keras-tf"))
    write_sample("other.parquet", photos, own_predictions(MODELS / "picture_nhwc.onnx", photos, "keras-caffe"))
    other = pathlib.Path("other.parquet").read_bytes()
    path = pathlib.Path("job.armada/job.json")
    record = json.loads(path.read_text())
    record["parity"]["sha256"] = hashlib.sha256(other).hexdigest()
    replace(path, json.dumps(record).encode())
    folder = pathlib.Path(f"job.armada/files/{record['parity']['sha256']}")
    folder.mkdir()
    (folder / "sample.parquet").write_bytes(other)
    text = refusal("error: this machine (", "does not predict what sample.parquet expects: largest difference ",
                   "worst record 'photos/p", "machines like the one that submitted the job",
                   command=("work", "job.armada"))
    assert "it agrees" not in text
    assert not list(pathlib.Path("job.armada").glob("out/*/*"))


def test_bf16_is_checked_as_bf16(photos):
    if "bf16" not in succeeded("doctor", MODELS / "picture_nhwc.onnx").stdout:
        pytest.skip("this CPU has no bf16")
    write_right_sample(photos, "keras-tf")
    job = job_for("keras-tf")
    text = refusal("does not predict", "with model.precision: f32 it agrees",
                   command=("submit", job, "--set", "model.precision=bf16"))
    assert "it agrees (largest difference " in text
    nothing_was_spent()
    succeeded("run", job, "--set", "model.precision=bf16", "--set", "parity.max_diff=0.1",
              "--set", "parity.top1=90%")


def test_write_sample_refuses_what_does_not_fit(tmp_path):
    with pytest.raises(ValueError, match="one prediction and one name a record"):
        write_sample("s.parquet", numpy.zeros((3, 2)), numpy.zeros((2, 5)))
    with pytest.raises(ValueError, match="can't be called"):
        write_sample("s.parquet", {"id": [1, 2], "x": [1, 2]}, numpy.zeros((2, 5)))
    assert not os.path.exists("s.parquet")


def test_the_exporter_says_what_is_missing(tmp_path):
    import subprocess

    def export(*arguments):
        done = subprocess.run([sys.executable, ROOT / "python/armada_export.py", *map(str, arguments)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        return done.stderr

    assert "tensorflow and tf2onnx are not installed" in export(MODELS / "tiny.keras", "m.onnx")
    assert "tensorflow and tf2onnx are not installed" in export(MODELS / "saved_model", "m.onnx")
    assert "torch is not installed" in export(MODELS / "tiny.pt", "m.onnx", "--input-shape", "3,32,32")
    assert "add --input-shape" in export(MODELS / "tiny.pt", "m.onnx")
    assert "expected whole numbers" in export(MODELS / "tiny.pt", "m.onnx", "--input-shape", "3xN")
    assert "there is no such model" in export("nowhere.keras", "m.onnx")
    assert "expected .keras" in export(MODELS / "dense.xml", "m.onnx")
