"""Input in a bucket: the same rows as from a folder, whatever the format; pinned by ETags."""
import io
import tarfile

import boto3
import pyarrow
import pyarrow.parquet as parquet
import pytest

import s3_servers
from driver import MODELS, ROOT, armada, environment, mnist_dir, report, rows, succeeded, write_fake_model, write_job
from s3_servers import BUCKET

FIXTURES = [path for path in sorted((ROOT / "tests/pictures").iterdir()) if path.suffix != ".pnm"]
PIXELS = MODELS / "pixels_nhwc.onnx"  # gives back the 8 × 8 pixels that it is given


@pytest.fixture(params=["versitygw", "moto"])
def bucket(request, tmp_path, monkeypatch):
    """A bucket as boto3 writes to it, on a server that this test's commands find."""
    server = s3_servers.moto() if request.param == "moto" else s3_servers.versitygw(tmp_path / "gateway")
    with server as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield boto3.resource("s3", endpoint_url=server.endpoint, aws_access_key_id=server.keys[0],
                             aws_secret_access_key=server.keys[1], region_name="us-east-1").Bucket(BUCKET)


def put(bucket, files):
    for key, content in files.items():
        bucket.put_object(Key=key, Body=content)


def job_file(name, uri, **keys):
    return write_job(f"{name}.yaml", name=name, model={"path": str(PIXELS)}, limits={"max_dead": "100%"},
                     input={"uri": uri, **keys.pop("input", {})}, **keys)


def answers(name):
    return {key: (row["values"], row["error"]) for key, row in rows(f"{name}.armada").items()}


def photos():
    """Names that S3 allows and URLs do not, and some that are left out."""
    files = {f"deep er/{path.name}" if i % 2 else f"ä+{i}?&#%.{path.suffix}": path.read_bytes()
             for i, path in enumerate(FIXTURES)}
    return files | {"empty.jpg": b"", "no.png": b"<html>404</html>"}


def test_pictures_one_row_an_object(bucket, tmp_path):
    files = photos()
    put(bucket, {f"photos/{key}": content for key, content in files.items()})
    put(bucket, {"photos/.hidden": b"x", "photos/labels.csv": b"x", "photos-not/x.jpg": b"x", "photos/folder/": b""})
    done = report("run", job_file("there", f"s3://{BUCKET}/photos", plan={"shard_records": 7}))
    for key, content in files.items():
        path = tmp_path / "photos" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    report("run", job_file("here", "photos"))
    assert (done["records"], done["dead"]) == (len(files), 2)
    assert answers("there") == answers("here")
    succeeded("verify", "there.armada", "--deep")


def test_an_object_that_changed_or_vanished_is_dead_and_says_so(bucket):
    good = FIXTURES[0].read_bytes()
    put(bucket, {f"p/{name}.png": good for name in "abcd"})
    job = job_file("job", f"s3://{BUCKET}/p/")
    succeeded("submit", job)
    put(bucket, {"p/b.png": FIXTURES[2].read_bytes(), "p/e.png": good})
    bucket.delete_objects(Delete={"Objects": [{"Key": "p/c.png"}]})
    report("run", job)
    errors = {key: error and error.split(":")[0] for key, (_, error) in answers("job").items()}
    assert errors == {"a.png": None, "b.png": "input_changed", "c.png": "input_missing", "d.png": None}


@pytest.mark.parametrize("bucket", ["versitygw"], indirect=True)
def test_where_a_server_gives_no_etag_the_size_is_held_to(bucket, tmp_path):
    folder = tmp_path / "gateway/data" / BUCKET / "p"  # what is put there behind its back has none
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.png").write_bytes(FIXTURES[0].read_bytes())
    job = job_file("job", f"s3://{BUCKET}/p/")
    succeeded("submit", job)
    (folder / "b.png").write_bytes(FIXTURES[0].read_bytes() + b"more")  # behind the picture's end
    report("run", job)
    errors = {key: error and error.split(":")[0] for key, (_, error) in answers("job").items()}
    assert errors == {"a.png": None, "b.png": "input_changed"}


def test_globs_manifests_and_one_object(bucket):
    good = FIXTURES[0].read_bytes()
    put(bucket, {"p/a.png": good, "p/b.jpg": good, "p/q/c.png": good, "other/d.png": good})
    put(bucket, {"p/some.manifest": f"q/c.png\ns3://{BUCKET}/other/d.png\ngone.png\n".encode()})
    for name, uri, ids in (("glob", "p/*.png", {"a.png"}), ("one", "p/a.png", {"a.png"}),
                           ("list", "p/some.manifest", {"q/c.png", f"s3://{BUCKET}/other/d.png", "gone.png"})):
        report("run", job_file(name, f"s3://{BUCKET}/{uri}"))
        found = answers(name)
        assert found.keys() == ids
        assert {key for key, (_, error) in found.items() if error} <= {"gone.png"}


def test_tar_and_parquet(bucket):
    files = {f"{i:03}": path.read_bytes() for i, path in enumerate(FIXTURES)}
    archives = {}
    for name, mode in (("x.tar", "w"), ("x.tar.gz", "w:gz")):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:
            for key, content in files.items():
                member = tarfile.TarInfo(f"{key}.jpg")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        archives[name] = buffer.getvalue()
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"name": list(files), "image": list(files.values())}), table, row_group_size=9)
    put(bucket, {f"t/{name}": content for name, content in archives.items()} | {"c/x.parquet": table.getvalue()})
    report("run", job_file("tar", f"s3://{BUCKET}/t", plan={"batch": 4}))
    report("run", job_file("columns", f"s3://{BUCKET}/c/", input={"column": "image", "id": "name"},
                           plan={"shard_records": 10}))
    columns = answers("columns")
    assert columns.keys() == files.keys()
    assert answers("tar") == {f"{name}/{key}.jpg": columns[key] for name in archives for key in files}


def test_digits_with_job_and_input_in_the_bucket(bucket):
    for kind in ("images-idx3", "labels-idx1"):
        bucket.upload_file(str(mnist_dir() / f"t10k-{kind}-ubyte"), f"mnist/t10k-{kind}-ubyte")
    done = report("run", write_job("job.yaml", name="digits", job=f"s3://{BUCKET}/jobs/digits",
                                   model={"path": str(ROOT / "examples/hello-world/digits.onnx")},
                                   input={"uri": f"s3://{BUCKET}/mnist/"}, preprocess={"rescale": "1/255"},
                                   evaluate={"labels": "auto"}, postprocess={"top_k": 1}, plan={"shard_records": 3000}), "--workers", "2")
    assert done["records"] == 10_000 and done["evaluation"]["accuracy"] > 0.98
    succeeded("verify", f"s3://{BUCKET}/jobs/digits", "--deep")


def test_a_file_of_many_records_that_changed_pauses_the_job(bucket):
    write_fake_model("model.fake.json", (2,))

    def write(value):
        table = io.BytesIO()
        parquet.write_table(pyarrow.table({"a": [value] * 50, "b": [2.0] * 50}), table)
        put(bucket, {"c/x.parquet": table.getvalue()})

    write(1.0)
    job = write_job("job.yaml", name="job", model={"path": "model.fake.json"}, input={"uri": f"s3://{BUCKET}/c/x.parquet"})
    succeeded("submit", job)
    write(3.0)
    result = armada("run", job)
    assert result.returncode != 0
    assert "changed since it was planned" in result.stderr


def test_predict_takes_a_prefix_and_the_servers_address(bucket, monkeypatch):
    put(bucket, {f"p/{i}.png": FIXTURES[0].read_bytes() for i in range(3)})
    endpoint = environment()["AWS_ENDPOINT_URL_S3"]
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    succeeded("predict", PIXELS, f"s3://{BUCKET}/p/", "-o", "x.parquet", "--endpoint", endpoint)
    assert parquet.read_table("x.parquet").column("id").to_pylist() == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("uri, says", [
    ("nothing/", "has no such object"), ("*.png", "no files there"), ("", "none"), ("p.manifest", "no such object")])
def test_what_is_not_there_is_said(bucket, uri, says):
    result = armada("submit", job_file("job", f"s3://{BUCKET}/{uri}"))
    assert result.returncode in (3, 4), result.stderr
    assert says in result.stderr


@pytest.mark.parametrize("bucket", ["versitygw"], indirect=True)  # moto knows every key
def test_what_may_not_be_read_is_not_taken_for_absent(bucket):
    result = armada("submit", job_file("job", f"s3://{BUCKET}/p/"), env=environment(AWS_ACCESS_KEY_ID="stranger"))
    assert result.returncode == 4
    assert "is not one of this endpoint's" in result.stderr
