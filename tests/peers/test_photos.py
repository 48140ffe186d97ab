"""Photos through `armada run` are what Pillow, NumPy and onnxruntime make of them, and the same from every container.

The photos are cuts of Debian's mate-backgrounds and those photos themselves, the model is open_nsfw; both are what
tools/bootstrap --photos fetches. The peer is written as a user would write it.
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tarfile

import numpy
import onnxruntime
import pytest
from PIL import Image, ImageOps

from driver import ROOT, Running, armada, outputs, report, rows, succeeded, write_job

EXAMPLE = ROOT / "examples/photos"
ORIGINALS = pathlib.Path(os.environ["PHOTOS_DIR"])
MODEL = os.environ["NSFW_MODEL"]
CUTS = 288
SIDE = 224
MEAN = {"bgr": [104, 117, 123], "rgb": [123, 117, 104]}
TOLERANCE = 1e-4  # of a probability; another filter or fit is further away than that

stretch, cover, contain = Image.Image.resize, ImageOps.fit, ImageOps.pad


def resize_then_crop(image, size, filter):
    image = image.resize(tuple(256 * side // min(image.size) for side in image.size), filter)
    left, top = round((image.width - size[0]) / 2), round((image.height - size[1]) / 2)
    return image.crop((left, top, left + size[0], top + size[1]))


# What the job says, and what a user's Pillow says.
VARIANTS = {
    "stretch": ({"fit": "stretch"}, stretch, Image.BILINEAR),
    "cover": ({"fit": "cover"}, cover, Image.BILINEAR),
    "contain": ({"fit": "contain"}, contain, Image.BILINEAR),
    "resize-then-crop": ({"fit": {"resize-then-crop": 256}}, resize_then_crop, Image.BILINEAR),
    "bicubic": ({"filter": "bicubic"}, stretch, Image.BICUBIC),
    "nearest": ({"filter": "nearest"}, stretch, Image.NEAREST),
    "rgb": ({"color": "rgb"}, stretch, Image.BILINEAR),
}


def make_photos(*arguments):
    command = [sys.executable, EXAMPLE / "make_photos.py", "--from", ORIGINALS, *arguments]
    subprocess.run(list(map(str, command)), check=True)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder with the cuts and, beside them, the large photos: their JPEGs as they are."""
    folder = tmp_path_factory.mktemp("photos")
    make_photos("--count", CUTS, "--folder", folder)
    for large in ORIGINALS.rglob("nature/*.jpg"):
        (folder / large.name).symlink_to(large)
    return folder


@pytest.fixture(scope="module")
def session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    return onnxruntime.InferenceSession(MODEL, options)


@pytest.fixture(scope="module")
def decoded(photos):
    return {path.name: Image.open(path).convert("RGB") for path in sorted(photos.glob("*.jpg"))}


def job(inputs, name="photos", preprocess=None, **keys):
    preprocess = {"color": "bgr", "fit": "stretch", **(preprocess or {})}
    preprocess["mean"] = MEAN[preprocess["color"]]
    return write_job(f"{name}.yaml", name=name, model={"path": MODEL, "precision": "f32"},
                     input={"uri": str(inputs)} if isinstance(inputs, (str, pathlib.Path)) else inputs,
                     preprocess=preprocess, **keys)


def scores(name):
    """{id: the model's two outputs} of a job that is complete."""
    found = rows(f"{name}.armada")
    assert not [row["error"] for row in found.values() if row["error"]]
    return {key: next(row[column] for column in row if column not in ("id", "error")) for key, row in found.items()}


def peer_scores(session, decoded, color, fit, filter):
    answers = {}
    names = list(decoded)
    for begin in range(0, len(names), 16):
        batch = names[begin:begin + 16]
        pixels = numpy.stack([numpy.asarray(fit(decoded[name], (SIDE, SIDE), filter), numpy.float32)
                              for name in batch])
        if color == "bgr":
            pixels = pixels[..., ::-1]
        feed = numpy.ascontiguousarray(pixels - numpy.array(MEAN[color], numpy.float32))
        (found,) = session.run(None, {session.get_inputs()[0].name: feed})
        answers.update(zip(batch, found))
    return answers


def difference(left, right):
    assert left.keys() == right.keys()
    return max(float(numpy.abs(numpy.array(left[key]) - right[key]).max()) for key in left)


@pytest.mark.parametrize("variant", VARIANTS)
def test_photos_are_predicted_as_pillow_and_onnxruntime_do(photos, decoded, session, variant):
    preprocess, fit, filter = VARIANTS[variant]
    inputs, images = photos, decoded
    if variant not in ("stretch", "resize-then-crop"):  # fewer of them: the model takes its time
        images = dict(list(decoded.items())[::3])
        inputs = pathlib.Path("fewer")
        inputs.mkdir()
        for name in images:
            (inputs / name).symlink_to(photos / name)
    succeeded("run", job(inputs, preprocess=preprocess))
    ours = scores("photos")
    theirs = peer_scores(session, images, preprocess.get("color", "bgr"), fit, filter)
    assert len(ours) == len(images) >= 100
    print(f"{variant}: largest difference {difference(ours, theirs):.2g}")
    assert difference(ours, theirs) <= TOLERANCE
    same = sum(numpy.argmax(ours[key]) == numpy.argmax(theirs[key]) for key in ours)
    assert same >= 0.999 * len(ours)


def test_another_fit_filter_or_order_of_channels_would_be_noticed(decoded, session):
    few = dict(list(decoded.items())[:32])
    right = peer_scores(session, few, "bgr", *VARIANTS["stretch"][1:])
    for variant, (preprocess, fit, filter) in VARIANTS.items():
        if variant != "stretch":
            other = peer_scores(session, few, preprocess.get("color", "bgr"), fit, filter)
            assert difference(right, other) > 4 * TOLERANCE, variant


def test_files_tar_and_parquet_give_the_same_rows():
    count = 48
    make_photos("--count", count, "--folder", "loose", "--tar", "photos.tar", "--parquet", "photos.parquet")
    make_photos("--count", count, "--tar", "photos.tar.gz")
    containers = {
        "files": ("loose", "{:06}.jpg"), "tar": ("photos.tar", "photos.tar/{:06}.jpg"),
        "gz": ("photos.tar.gz", "photos.tar.gz/{:06}.jpg"),
        "parquet": ({"uri": "photos.parquet", "column": "jpeg", "id": "name"}, "{:06}.jpg"),
    }
    answers = {}
    for name, (inputs, identity) in containers.items():
        succeeded("run", job(inputs, name=name, plan={"batch": 16}))
        found = scores(name)
        assert found.keys() == {identity.format(i) for i in range(count)}
        answers[name] = [found[identity.format(i)] for i in range(count)]
    for name in containers:
        assert answers[name] == answers["files"], name  # to the bit: the same graph, the same pixels


def test_a_tar_job_is_killed_and_goes_on():
    count = 480  # so many that the last kill comes long before the end
    make_photos("--count", count, "--tar", "photos.tar")
    plan = {"batch": 4, "commit_every": "50ms"}
    succeeded("run", job("photos.tar", plan=plan), "--job", "undisturbed.armada")
    kills = 0
    for objects in (2, 6):
        with Running("run", job("photos.tar", plan=plan), "--job", "killed.armada") as run:
            if run.until(lambda: len(outputs("killed.armada")) >= objects) and run.process.poll() is None:
                run.signal(signal.SIGKILL)
                kills += 1
    assert kills == 2
    assert 0 < len(rows("killed.armada")) < count
    again = succeeded("run", job("photos.tar", plan=plan), "--job", "killed.armada")
    assert "records were done before; not redone" in again.stderr
    assert rows("killed.armada") == rows("undisturbed.armada")  # once each: rows() fails on an id that comes twice
    assert report("verify", "killed.armada", "--deep")["ok"]


def test_a_damaged_photo_keeps_its_row():
    make_photos("--count", 20, "--folder", "loose")
    whole = pathlib.Path("loose/000007.jpg").read_bytes()
    pathlib.Path("loose/000007.jpg").write_bytes(whole[:len(whole) // 2])
    succeeded("run", job("loose", limits={"max_dead": "100%"}))
    found = rows("photos.armada")
    assert len(found) == 20
    assert [key for key, row in found.items() if row["error"]] == ["000007.jpg"]
    assert "JPEG" in found["000007.jpg"]["error"]


def test_every_command_of_the_example_runs_in_order(tmp_path):
    """Each line "$ armada …" of examples/photos/README.md, in a folder that has what make photos makes."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "open-nsfw.onnx").symlink_to(MODEL)
    make_photos("--count", 32, "--folder", "photos", "--tar", "photos.tar", "--parquet", "photos.parquet")
    lines = re.findall(r"^\$ armada (.*)$", (EXAMPLE / "README.md").read_text(), flags=re.M)
    assert len(lines) >= 3
    for line in lines:
        result = armada(*shlex.split(line))
        assert result.returncode == 0, f"{line}\n{result.stderr}"


def test_the_tar_is_a_webdataset():
    make_photos("--count", 3, "--tar", "photos.tar")
    with tarfile.open("photos.tar") as tar:
        assert tar.getnames() == ["000000.jpg", "000001.jpg", "000002.jpg"]
