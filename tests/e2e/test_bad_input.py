"""Bad command lines, job files, models and inputs: each with its exit code and what the message names.

A row is: name, arguments (or keys of a job file), exit code, words of the message. Nothing may be
left behind under a final name.
"""
import pathlib

import pytest

from driver import DIGITS_MODEL, MODELS, armada, succeeded, write_fake_model, write_idx, write_job

USAGE = [
    ("unknown command", ["frobnicate"], ["there is no command 'frobnicate'", "armada help"]),
    ("mistyped command", ["vreify", "x"], ["did you mean `armada verify`?"]),
    ("option before a command", ["--workers", "2"], ["there is no option '--workers' before a command"]),
    ("no job file", ["run"], ["JOB.yaml", "armada run --help"]),
    ("no job", ["status"], ["JOB", "armada status --help"]),
    ("mistyped option", ["run", "job.yaml", "--wrokers", "2"], ["'--wrokers'", "did you mean --workers?"]),
    ("unknown option", ["status", "x", "--frobnicate"], ["there is no option '--frobnicate'"]),
    ("one argument too many", ["status", "a", "b"], ["one argument too many: 'b'"]),
    ("no workers", ["run", "job.yaml", "--workers", "0"], ["--workers"]),
    ("workers in words", ["run", "job.yaml", "--workers", "two"], ["--workers"]),
    ("negative price", ["report", "x", "--price-per-hour", "-1"], ["--price-per-hour"]),
    ("worker beyond the others", ["work", "x", "--index", "2", "--of", "2"], ["--index 2", "from 0"]),
    ("grace without a unit", ["work", "x", "--grace", "soon"], ["--grace", "'soon' is not a duration"]),
    ("share in words", ["resume", "x", "--max-dead", "lots"], ["--max-dead", "'lots'", "5%"]),
    ("share above one", ["resume", "x", "--max-dead", "101%"], ["--max-dead", "'101%'"]),
    ("help for nothing", ["help", "frobnicate"], ["there is no command 'frobnicate'"]),
]

TEXTS = [
    ("empty", "", ["job.yaml", "empty"]),
    ("not YAML", "model: [1, 2", ["job.yaml:"]),
    ("a list", "- model\n- input\n", ["job.yaml", "mapping"]),
    ("mistyped section", "modle: {path: m.fake.json}\ninput: {uri: images}\n",
     ["job.yaml:1", "modle", "did you mean model?"]),
    ("mistyped key", "model: {path: m.fake.json}\ninput: {urii: images}\n", ["job.yaml:2", "did you mean input.uri?"]),
    ("a key given twice", "model: {path: m}\nmodel: {path: n}\ninput: {uri: i}\n", ["job.yaml:2", "given twice"]),
    ("a secret", "model: {path: m.fake.json}\ninput: {uri: i, aws_secret_access_key: AKIA}\n", ["secrets"]),
    ("not built yet", "model: {path: m.fake.json}\ninput: {uri: i}\nlimits: {deadline: 72h}\n",
     ["limits.deadline", "not built yet"]),
]

# Over a sound job: keys that are changed by --set.
SETS = [
    ("no model", ["model.path="], ["model.path"]),
    ("no input", ["input.uri="], ["input.uri"]),
    ("unknown precision", ["model.precision=f16"], ["model.precision", "f16", "bf16"]),
    ("unknown engine", ["model.engine=tensorrt"], ["model.engine", "tensorrt"]),
    ("engine of a later version", ["model.engine=exec"], ["model.engine", "not built yet"]),
    ("unknown format", ["input.format=cvs"], ["input.format", "cvs"]),
    ("number in words", ["plan.shard_records=many"], ["plan.shard_records", "many"]),
    ("no duration", ["plan.commit_every=often"], ["plan.commit_every", "often"]),
    ("share above one", ["limits.max_dead=150%"], ["limits.max_dead", "150%"]),
    ("division by zero", ["preprocess.rescale=1/0"], ["preprocess.rescale"]),
    ("std of zero", ["preprocess.std=[0]"], ["preprocess.std"]),
    ("override without a value", ["plan.batch"], ["--set plan.batch", "key=value"]),
    ("override of an unknown key", ["plan.bacth=1"], ["plan.bacth", "did you mean plan.batch?"]),
    ("evaluation without classes", ["evaluate.labels=auto"], ["evaluate.labels", "postprocess.top_k"]),
    ("three mistakes at once", ["plan.batch=x", "model.precision=y", "limits.max_dead=z"],
     ["3 mistakes", "plan.batch", "model.precision", "limits.max_dead"]),
    ("input that is not there", ["input.uri=nowhere"], ["nowhere"]),
    ("empty folder", ["input.uri=empty"], ["empty"]),
    ("model that is not there", ["model.path=nowhere.onnx"], ["nowhere.onnx"]),
    ("text for a model", ["model.path=text.onnx", "model.engine=auto"], ["text.onnx"]),
    ("empty model", ["model.path=empty.onnx", "model.engine=auto"], ["empty.onnx", "empty"]),
    ("Keras file", [f"model.path={MODELS}/tiny.keras"], ["tiny.keras", "export"]),
    ("HDF5 file", [f"model.path={MODELS}/tiny.h5"], ["tiny.h5", "export"]),
    ("PyTorch file", [f"model.path={MODELS}/tiny.pt"], ["tiny.pt", "export"]),
    ("model of two inputs", [f"model.path={MODELS}/two_inputs.onnx"], ["two_inputs.onnx"]),
    ("model of other records", [f"model.path={MODELS}/dense.onnx"], ["images-idx3-ubyte", "28x28"]),
    ("half of a SavedModel", ["model.path=half"], ["half"]),
    ("IDX cut off", ["input.uri=cut-images-idx3-ubyte"], ["cut-images-idx3-ubyte"]),
    ("IDX of another shape", ["input.uri=wide-images-idx3-ubyte"], ["wide-images-idx3-ubyte", "30"]),
    ("IDX of nothing", ["input.uri=none-images-idx3-ubyte"], ["none-images-idx3-ubyte", "no records"]),
    ("text for IDX", ["input.uri=text-images-idx3-ubyte", "input.format=idx"], ["text-images-idx3-ubyte"]),
    ("damaged Parquet", ["input.uri=damaged.parquet"], ["damaged.parquet"]),
    ("labels that are not there", ["postprocess.top_k=1", "evaluate.labels=auto"], ["labels"]),
    ("class names that are not there", ["postprocess.top_k=1", "postprocess.labels=names.txt"], ["names.txt"]),
    ("more classes than there are", ["postprocess.top_k=11"], ["top_k"]),
    ("output that is not there", ["model.outputs=[logits]"], ["logits", "digit"]),
    ("column for IDX", ["output.keep=[weight]"], ["images-idx3-ubyte", "IDX files have no columns"]),
]

# What `doctor` says of a model that can't be run.
MODELS_THAT_CANT_BE_RUN = [
    ("text.onnx", ["input words is text"]),
    ("no_batch.onnx", ["every output needs one row a record"]),
    ("open_size.onnx", ["only the first dimension, the batch, may be open", "preprocess.size"]),
    ("open_output.onnx", ["every output needs one row a record"]),
    ("mixes_records.onnx", ["depends on the other records in its batch"]),
    ("two_inputs.onnx", ["the model has 2 inputs"]),
    ("stateful.xml", ["keeps state from one run to the next"]),
]


@pytest.fixture
def sound_job(tmp_path):
    write_fake_model("m.fake.json")
    write_idx("images-idx3-ubyte", bytes(28 * 28 * 5), (5, 28, 28))
    write_idx("wide-images-idx3-ubyte", bytes(30 * 30 * 5), (5, 30, 30))
    write_idx("cut-images-idx3-ubyte", bytes(28 * 28 * 4), (5, 28, 28))
    write_idx("none-images-idx3-ubyte", b"", (0, 28, 28))
    pathlib.Path("text-images-idx3-ubyte").write_text("no images here\n" * 100)
    pathlib.Path("text.onnx").write_text("no model here\n" * 100)
    pathlib.Path("empty.onnx").write_text("")
    pathlib.Path("damaged.parquet").write_bytes(b"PAR1" + b"x" * 1000 + b"PAR1")
    pathlib.Path("empty").mkdir()
    pathlib.Path("half").mkdir()
    pathlib.Path("half/saved_model.pb").write_text("half")
    return write_job("job.yaml", model={"path": "m.fake.json"}, input={"uri": "images-idx3-ubyte"},
                     plan={"batch": 2})


def nothing_published(folder):
    left = [p for p in pathlib.Path(folder).rglob("*.armada/**/*") if p.is_file()]
    assert not [p for p in left if p.name in ("job.json", "DONE", "_SUCCESS") or "/out/" in str(p)], left


def check(result, code, words):
    assert result.returncode == code, f"exit {result.returncode}\n{result.stderr}"
    assert result.stderr.startswith("error: "), result.stderr
    for word in words:
        assert word in result.stderr, f"{word!r} is not in:\n{result.stderr}"
    assert result.stdout == ""


@pytest.mark.parametrize("arguments,words", [case[1:] for case in USAGE], ids=[case[0] for case in USAGE])
def test_command_lines(arguments, words, tmp_path):
    check(armada(*arguments), 2, words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text,words", [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_job_files(text, words, tmp_path):
    pathlib.Path("job.yaml").write_text(text)
    check(armada("run", "job.yaml"), 3, words)
    assert [p.name for p in tmp_path.iterdir()] == ["job.yaml"]


@pytest.mark.parametrize("sets,words", [case[1:] for case in SETS], ids=[case[0] for case in SETS])
def test_keys_models_and_inputs(sets, words, sound_job, tmp_path):
    arguments = [word for key in sets for word in ("--set", key)]
    check(armada("run", sound_job, *arguments), 3, words)
    nothing_published(tmp_path)


@pytest.mark.parametrize("model,words", MODELS_THAT_CANT_BE_RUN, ids=[m[0] for m in MODELS_THAT_CANT_BE_RUN])
def test_doctor_says_why_a_model_cannot_be_run(model, words):
    result = armada("doctor", MODELS / model)
    assert result.returncode == 3
    assert "smoke     FAILED" in result.stdout
    for word in words:
        assert word in result.stdout


def test_the_sound_job_is_sound(sound_job):
    succeeded("run", sound_job)


def test_a_job_file_that_is_not_there(tmp_path):
    check(armada("run", "nowhere.yaml"), 3, ["nowhere.yaml"])


@pytest.mark.parametrize("command", ["status", "report", "errors", "verify", "work", "resume"])
def test_a_job_that_is_not_there(command, tmp_path):
    check(armada(command, "nowhere.armada"), 3, ["nowhere.armada"])
    assert not (tmp_path / "nowhere.armada").exists(), "looking for a job does not make its folder"


def test_another_job_in_the_folder_is_left_alone(sound_job):
    succeeded("run", sound_job)
    check(armada("run", sound_job, "--set", "postprocess.top_k=1"), 3,
          ["postprocess.top_k", "was 0, is 1"])
    assert succeeded("verify", "job.armada")


def test_a_damaged_job_json_is_the_stores_fault(sound_job):
    succeeded("run", sound_job)
    path = pathlib.Path("job.armada/job.json")
    path.chmod(0o644)
    path.write_text(path.read_text()[:100])
    check(armada("status", "job.armada"), 4, ["job.json"])


def test_a_damaged_result_is_found(sound_job):
    succeeded("run", sound_job)
    path = sorted(pathlib.Path("job.armada/out").glob("*/*.parquet"))[0]
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[20] ^= 0xFF
    path.write_bytes(data)
    result = armada("verify", "job.armada", "--deep")
    assert result.returncode == 1
    assert path.name in result.stdout


def test_bf16_where_the_cpu_has_none(sound_job):
    if any(flag in pathlib.Path("/proc/cpuinfo").read_text() for flag in ("avx512_bf16", "amx_bf16")):
        pytest.skip("this CPU has bf16")
    check(armada("run", sound_job, "--set", f"model.path={DIGITS_MODEL}", "--set", "model.precision=bf16"), 3,
          ["bf16"])
