"""Pictures as records: the same answers however they are stored, damaged ones dead in their place; predict."""
import io
import os
import pathlib
import shutil
import signal
import tarfile

import pyarrow
import pyarrow.parquet as parquet
import pytest

from driver import MODELS, ROOT, Running, armada, outputs, report, rows, succeeded, write_job

FIXTURES = [path for path in sorted((ROOT / "tests/pictures").iterdir()) if path.suffix != ".pnm"]
PIXELS = MODELS / "pixels_nhwc.onnx"  # gives back the 8 × 8 pixels that it is given
DAMAGED = {"broken.jpg": b"<html>404</html>", "cut.png": FIXTURES[-1].read_bytes()[:40], "empty.jpg": b""}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder photos/ with the fixtures, three damaged files and one that is no picture's."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for i, path in enumerate(FIXTURES):
        shutil.copy(path, folder / "deep" / path.name if i % 2 else folder / path.name)
    for name, content in DAMAGED.items():
        (folder / name).write_bytes(content)
    (folder / "labels.csv").write_text("file,label\n")
    return folder


def run(uri, job, **keys):
    path = write_job(f"{job}.yaml", name=job, model={"path": str(PIXELS)}, limits={"max_dead": "100%"},
                     input={"uri": str(uri), **keys.pop("input", {})}, **keys)
    done = report("run", path)
    return done, {key: (row["values"], row["error"]) for key, row in rows(f"{job}.armada").items()}


def files_of(photos):
    return {str(path.relative_to(photos)): path.read_bytes() for path in sorted(photos.rglob("*"))
            if path.is_file() and path.suffix != ".csv"}


def test_loose_files_one_row_each(photos):
    done, found = run(photos, "loose", plan={"shard_records": 7})
    files = files_of(photos)
    assert found.keys() == files.keys(), "the ids are the paths"
    assert (done["records"], done["dead"]) == (len(files), len(DAMAGED))
    assert {key for key, (values, error) in found.items() if error is not None} == DAMAGED.keys()
    assert found["broken.jpg"] == (None, "no picture (it begins like HTML)")
    assert all(len(values) == 8 * 8 * 3 for values, error in found.values() if error is None)
    succeeded("verify", "loose.armada", "--deep")
    assert report("status", "loose.armada")["records_total"] == len(files)


def test_tar_and_parquet_give_the_same_pixels(photos):
    _, loose = run(photos, "loose")
    files = files_of(photos)
    for mode, name in (("w", "all.tar"), ("w:gz", "all.tar.gz")):
        with tarfile.open(name, mode) as archive:
            for path, content in files.items():
                for suffix, data in (("", content), (".txt", path.encode())):
                    member = tarfile.TarInfo(path.replace("/", "_").replace(".", "-") + (suffix or ".jpg"))
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        path = write_job("tar.yaml", name=name.replace(".", "-"), model={"path": str(PIXELS)},
                         limits={"max_dead": "100%"}, input={"uri": name}, output={"keep": ["txt"]})
        report("run", path)
        by_path = {row["txt"]: row for row in rows(f"{name.replace('.', '-')}.armada").values()}
        assert by_path.keys() == loose.keys()
        for key, (values, error) in loose.items():
            assert by_path[key]["values"] == values, key
            assert (by_path[key]["error"] is None) == (error is None), key
    parquet.write_table(pyarrow.table({"name": list(files), "image": list(files.values())}), "all.parquet")
    _, columns = run("all.parquet", "columns", input={"column": "image", "id": "name"})
    assert columns == loose


def test_a_killed_tar_job_goes_on_behind_what_is_committed(photos):
    with tarfile.open("all.tar", "w") as archive:
        for i in range(3000):
            content = FIXTURES[i % len(FIXTURES)].read_bytes()
            member = tarfile.TarInfo(f"{i:05}.jpg")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    job = write_job("tar.yaml", name="tar", model={"path": str(PIXELS)}, input={"uri": "all.tar"},
                    limits={"max_dead": "100%"}, plan={"commit_every": "20ms", "batch": 16})
    with Running("run", job) as running:
        assert running.until(lambda: len(outputs("tar.armada")) >= 2), running.ended().stderr
        running.signal(signal.SIGKILL)
        running.ended()
    before = set(outputs("tar.armada"))
    report("run", job)
    assert before <= set(outputs("tar.armada"))
    assert rows("tar.armada").keys() == {f"all.tar/{i:05}.jpg" for i in range(3000)}
    succeeded("verify", "tar.armada", "--deep")


def test_a_manifest_gives_a_row_a_line(photos, tmp_path):
    good, other = FIXTURES[0].name, FIXTURES[2].name
    elsewhere = tmp_path / "elsewhere.png"
    shutil.copy(FIXTURES[4], elsewhere)
    lines = [f"photos/{other}", str(elsewhere), "", "photos/gone.jpg", f"photos/{good}", f"photos/{other}"]
    pathlib.Path("some.manifest").write_bytes("\r\n".join(lines).encode())
    job = write_job("job.yaml", name="job", model={"path": str(PIXELS)}, input={"uri": "some.manifest"},
                    limits={"max_dead": "100%"}, plan={"shard_records": 2})
    report("run", job)
    found = [row for path in sorted(outputs("job.armada")) for row in parquet.read_table(path).to_pylist()]
    assert [row["id"] for row in found] == [line for line in lines if line]
    assert {row["id"]: row["error"] for row in found if row["error"]} == {
        "photos/gone.jpg": "input_missing: the manifest lists it, but it was not there when the job was planned"}
    _, loose = run(photos, "loose")
    assert found[0]["values"] == found[4]["values"] == loose[other][0] if other in loose else found[0]["values"]
    succeeded("verify", "job.armada", "--deep")


def test_a_model_with_open_height_and_width_takes_preprocess_size(photos):
    model = str(MODELS / "open_size.onnx")  # the mean of each channel
    job = {"name": "open", "model": {"path": model}, "input": {"uri": str(photos)}, "limits": {"max_dead": "100%"}}
    refused = armada("run", write_job("open.yaml", **job))
    assert refused.returncode == 3
    assert "leaves the pictures' height and width open" in refused.stderr
    assert "preprocess.size" in refused.stderr
    report("run", write_job("open.yaml", **job, preprocess={"size": [8, 8]}))
    _, pixels = run(photos, "loose")
    found = rows("open.armada")
    assert found.keys() == pixels.keys()
    for key, (values, error) in pixels.items():
        if error is None:
            means = [sum(values[channel::3]) / 64 for channel in range(3)]
            assert found[key]["mean"] == pytest.approx(means, rel=2e-2), key


def test_a_picture_that_changed_or_vanished_is_dead_and_says_so(photos):
    job = write_job("job.yaml", name="job", model={"path": str(PIXELS)}, input={"uri": str(photos)},
                    limits={"max_dead": "100%"})
    succeeded("submit", job)
    first, second = FIXTURES[0].name, FIXTURES[2].name
    (photos / first).write_bytes(FIXTURES[4].read_bytes())
    (photos / second).unlink()
    report("run", job)
    found = rows("job.armada")
    assert found[first]["error"].startswith("input_changed")
    assert found[second]["error"].startswith("input_missing")
    assert len(found) == len(FIXTURES) + len(DAMAGED)


def test_fast_decoding_says_what_it_costs(photos):
    explained = succeeded("submit", write_job("fast.yaml", name="fast", model={"path": str(PIXELS)},
                                              input={"uri": str(photos)}, preprocess={"decode": "fast"}),
                          "--explain").stdout
    assert "fast decoding" in explained and "largest difference" in explained
    done, found = run(photos, "fast", preprocess={"decode": "fast"})
    assert done["decode_agreement"]["records"] == len(FIXTURES) + len(DAMAGED)
    assert len(found) == len(FIXTURES) + len(DAMAGED)


def test_predict_guesses_aloud_and_leaves_one_file(photos):
    done = armada("predict", PIXELS, photos, "-o", "scores.parquet", "--set", "limits.max_dead=100%")
    assert done.returncode == 0, done.stderr
    assert "--set preprocess.preset=keras-tf" in done.stderr and "channels last" in done.stderr
    assert "scores.parquet" in done.stdout
    table = parquet.read_table("scores.parquet")
    assert table.column_names == ["id", "values", "error"]
    assert sorted(table["id"].to_pylist()) == sorted(files_of(photos))
    assert min(min(v) for v in table["values"].to_pylist() if v) >= -1
    assert [path.name for path in pathlib.Path().iterdir() if "scores" in path.name] == ["scores.parquet"]

    again = armada("predict", PIXELS, photos, "-o", "scores.parquet")
    assert again.returncode == 3 and "is there already" in again.stderr


def test_predict_into_a_folder_is_a_job_that_can_be_run_again(photos):
    arguments = ["predict", PIXELS, photos, "--preset", "none", "--set", "limits.max_dead=100%"]
    first = armada(*arguments)
    assert first.returncode == 0 and "guessed" not in first.stderr, first.stderr
    second = armada(*arguments)
    assert second.returncode == 0 and "nothing to do" in second.stderr
    assert rows("photos.armada").keys() == files_of(photos).keys()


@pytest.mark.parametrize("keys, says", [
    (["preprocess.color=gray"], ["takes pictures of 3 channels", "rgb or bgr"]),
    (["preprocess.size=[16,8]"], ["takes pictures of 8 × 8", "preprocess.size is [16, 8]"]),
    (["preprocess.mean=[1,2]"], ["2 values a channel", "3 channels"]),
    (["input.format=tar"], ["no tar file"]),
    (["input.id=name"], ["loose pictures have no columns"]),
    (["input.column=image"], ["loose pictures have no columns"]),
    (["output.keep=[cls]"], ["loose pictures have no columns"]),
    (["model.path=" + str(MODELS / "dense.onnx")], ["is no picture's"]),
    (["preprocess.fit=crop"], ["stretch, cover, contain"]),
])
def test_what_does_not_fit_is_refused_before_anything_is_written(photos, keys, says):
    job = write_job("job.yaml", name="job", model={"path": str(PIXELS)}, input={"uri": str(photos)})
    refused = armada("run", job, *(word for key in keys for word in ("--set", key)))
    assert refused.returncode == 3, refused.stderr
    for part in says:
        assert part in refused.stderr
    assert not os.path.exists("job.armada/job.json")
