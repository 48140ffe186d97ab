"""What is read, what is dead, and when a job stops itself."""
import gzip
import json
import pathlib
import random
import shutil

import pyarrow
import pyarrow.parquet as parquet

from driver import (armada, mnist_dir, report, rows, same_answers, succeeded, write_fake_model, write_idx,
                    write_job)


def feature_job(limits=None, nulls=0, records=3000):
    """A Parquet file of 4 features, its first `nulls` rows of every 10 without x2, and a job over it."""
    rng = random.Random(7)
    columns = {f"x{i}": [rng.randrange(256) for _ in range(records)] for i in range(4)}
    columns["x2"] = [None if i % 10 < nulls else v for i, v in enumerate(columns["x2"])]
    table = pyarrow.table({"key": [f"row-{i}" for i in range(records)],
                           **{k: pyarrow.array(v, pyarrow.uint8()) for k, v in columns.items()}})
    parquet.write_table(table, "rows.parquet", row_group_size=700)
    write_fake_model("model.fake.json", shape=(4,))
    return write_job("features.yaml", name="features", model={"path": "model.fake.json"},
                     input={"uri": "rows.parquet", "id": "key", "columns": ["x0", "x1", "x2", "x3"]},
                     postprocess={"top_k": 1}, limits=limits or {}, plan={"shard_records": 500})


def test_parquet_features_in_predictions_out():
    run = report("run", feature_job())
    assert (run["records"], run["dead"]) == (3000, 0)
    assert rows("features.armada").keys() == {f"row-{i}" for i in range(3000)}


def test_a_null_makes_a_dead_record_in_its_place():
    run = report("run", feature_job(limits={"max_dead": "100%"}, nulls=2))
    assert (run["records"], run["dead"]) == (3000, 600)
    found = rows("features.armada")
    assert len(found) == 3000
    for i in range(3000):
        row = found[f"row-{i}"]
        if i % 10 < 2:
            assert "x2" in row["error"] and row["label"] is None and row["score"] is None
        else:
            assert row["error"] is None and row["label"] is not None
    errors = report("errors", "features.armada", "--limit", "5")
    assert errors["dead"] == 600 and len(errors["dead_records"]) == 5
    assert errors["reasons"][0]["records"] == 600
    assert "600 of 3,000 records are dead" in succeeded("errors", "features.armada").stdout


def test_too_many_dead_records_pause_the_job_until_it_is_resumed():
    job = feature_job(limits={"max_dead": "1%"}, nulls=5)
    paused = armada("run", job)
    assert paused.returncode == 5, paused.stderr
    assert "limits.max_dead" in paused.stderr
    assert "armada resume" in paused.stderr and "armada errors" in paused.stderr
    assert report("status", "features.armada")["state"] == "paused"

    assert armada("run", job).returncode == 5, "still paused"

    succeeded("resume", "features.armada", "--max-dead", "60%")
    run = report("run", job)
    assert (run["records"], run["dead"], run["complete"]) == (3000, 1500, True)
    assert len(rows("features.armada")) == 3000


def test_gzipped_idx_gives_the_same_answers_as_plain():
    for form in ("plain", "zipped"):
        pathlib.Path(form).mkdir()
    rng = random.Random(3)
    images = rng.randbytes(300 * 28 * 28)
    write_idx("plain/images-idx3-ubyte", images, (300, 28, 28))
    write_idx("zipped/images-idx3-ubyte.gz", images, (300, 28, 28))
    write_fake_model("model.fake.json")
    found = {}
    for form in ("plain", "zipped"):
        job = write_job(f"{form}.yaml", name=form, model={"path": "model.fake.json"}, input={"uri": form},
                        postprocess={"top_k": 1}, plan={"shard_records": 100})
        assert report("run", job)["records"] == 300
        found[form] = {key.split("#")[1]: row for key, row in rows(f"{form}.armada").items()}
    same_answers(found["plain"], found["zipped"], tolerance=0)


def test_the_whole_answer_of_a_model_without_top_k():
    write_idx("images-idx3-ubyte", bytes(28 * 28 * 5), (5, 28, 28))
    write_fake_model("model.fake.json", outputs=3)
    job = write_job("whole.yaml", model={"path": "model.fake.json"}, input={"uri": "images-idx3-ubyte"})
    succeeded("run", job)
    assert all(len(row["digit"]) == 3 for row in rows("whole.armada").values())


def test_a_changed_input_stops_the_job_and_says_which_file():
    images = pathlib.Path("images")
    images.mkdir()
    write_idx(images / "a-images-idx3-ubyte", bytes(28 * 28 * 50), (50, 28, 28))
    write_fake_model("model.fake.json")
    job = write_job("changed.yaml", model={"path": "model.fake.json"}, input={"uri": "images"})
    succeeded("submit", job)
    write_idx(images / "a-images-idx3-ubyte", bytes(28 * 28 * 60), (60, 28, 28))
    result = armada("run", job)
    assert result.returncode == 3, result.stderr
    assert "a-images-idx3-ubyte" in result.stderr and "changed" in result.stderr
    assert rows("changed.armada") == {}


def test_a_file_that_is_gone_pauses_the_job_and_says_which():
    pathlib.Path("images").mkdir()
    write_fake_model("model.fake.json", (2,), 3)
    for name in ("a", "b"):
        write_idx(f"images/{name}", bytes(2 * 40), (40, 2))
    job = write_job("job.yaml", name="job", model={"path": "model.fake.json"}, input={"uri": "images"},
                    plan={"shard_records": 10})
    succeeded("submit", job)
    pathlib.Path("images/b").unlink()
    result = armada("run", job)
    assert result.returncode == 3
    status = report("status", "job.armada")
    assert status["state"] == "paused" and "images/b" in status["pause"]["reason"]
    write_idx("images/b", bytes(2 * 40), (40, 2))  # not the planned one
    assert armada("resume", "job.armada").returncode == 0
    again = armada("work", "job.armada", "--exit-when-done")
    assert again.returncode == 3 and "changed since it was planned" in again.stderr


def test_labels_of_a_gzipped_copy_of_the_digits_are_found():
    folder = pathlib.Path("images")
    folder.mkdir()
    shutil.copy(mnist_dir() / "t10k-labels-idx1-ubyte", folder)
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
        file.write((mnist_dir() / "t10k-images-idx3-ubyte").read_bytes())
    write_fake_model("model.fake.json")
    job = write_job("labels.yaml", name="labels", model={"path": "model.fake.json"}, input={"uri": "images"},
                    postprocess={"top_k": 1}, evaluate={"labels": "auto"})
    evaluation = report("run", job)["evaluation"]
    assert evaluation["records"] == 10_000
    truth = sorted(row["truth"] for row in rows("labels.armada").values())
    assert truth == sorted((mnist_dir() / "t10k-labels-idx1-ubyte").read_bytes()[8:])
