"""The main job: 70,000 real digits, complete, counted by others, right where it can be known."""
import json

import duckdb
import pyarrow.dataset as dataset
import pytest

from driver import ROOT, armada, mnist_dir, outputs, report, succeeded


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hello") / "hello.armada"
    run = succeeded("run", ROOT / "examples/hello-world/job.yaml", "--job", folder,
                    "--set", f"input.uri={mnist_dir()}", "--json")
    return folder, json.loads(run.stdout)


def test_the_report_of_a_run_is_complete(hello):
    _, run = hello
    assert run["complete"] and run["done"]
    assert (run["records"], run["dead"]) == (70_000, 0)
    assert run["run"]["first_prediction_ms"] > 0
    assert run["run"]["peak_bytes"] > 0
    assert run["run"]["records"] == 70_000
    assert "usd_per_million" not in run, "no price was given"


def test_pyarrow_and_duckdb_count_70000_distinct_ids(hello):
    folder, _ = hello
    table = dataset.dataset(outputs(folder)).to_table(columns=["id", "label", "error"])
    assert table.num_rows == 70_000
    assert len(table["id"].unique()) == 70_000
    assert table["error"].null_count == 70_000
    counted = duckdb.sql(f"select count(*), count(distinct id), min(label), max(label) "
                         f"from read_parquet('{folder}/out/*/*.parquet')").fetchall()[0]
    assert counted == (70_000, 70_000, 0, 9)


def test_at_least_97_5_percent_of_the_test_digits_are_right(hello):
    folder, run = hello
    right = duckdb.sql(f"select avg((label = truth)::int) from read_parquet('{folder}/out/*/*.parquet') "
                       "where id like 't10k%'").fetchall()[0][0]
    assert right >= 0.975
    by_file = {entry["file"]: entry for entry in run["evaluation"]["files"]}
    assert by_file["t10k-images-idx3-ubyte"]["records"] == 10_000
    assert by_file["t10k-images-idx3-ubyte"]["accuracy"] == pytest.approx(right, abs=1e-9)


def test_the_confusion_table_adds_up(hello):
    folder, _ = hello
    evaluation = report("report", folder)["evaluation"]
    assert evaluation["records"] == 70_000
    assert sum(c["records"] for c in evaluation["classes"]) == 70_000
    assert [c["name"] for c in evaluation["classes"]] == [str(i) for i in range(10)]
    assert "precision %" in succeeded("report", folder).stdout


def test_verify_deep_finds_nothing(hello):
    folder, _ = hello
    verified = report("verify", folder, "--deep")
    assert verified["ok"] and verified["faults"] == []
    assert verified["records"] == 70_000


def test_running_again_says_at_once_that_all_is_done(hello):
    folder, _ = hello
    before = outputs(folder)
    again = succeeded("run", ROOT / "examples/hello-world/job.yaml", "--job", folder,
                      "--set", f"input.uri={mnist_dir()}")
    assert "done before: all 70,000 records; nothing to do" in again.stderr
    assert "70,000, none dead" in again.stdout
    assert outputs(folder) == before


def test_dollars_appear_only_with_a_price(hello):
    folder, _ = hello
    assert "per million" not in succeeded("report", folder).stdout
    priced = succeeded("report", folder, "--price-per-hour", "0.34")
    assert "per million records, at $0.34 an hour" in priced.stdout


def test_status_errors_and_doctor_of_a_finished_job(hello):
    folder, _ = hello
    status = report("status", folder)
    assert (status["state"], status["records"]) == ("done", 70_000)
    assert report("errors", folder)["dead"] == 0
    assert armada("doctor", folder).returncode == 0


def test_a_missing_file_is_found(hello, tmp_path):
    import shutil

    folder, _ = hello
    copy = tmp_path / "copy.armada"
    shutil.copytree(folder, copy)
    import os

    os.remove(outputs(copy)[0])
    result = armada("verify", copy)
    assert result.returncode == 1
    assert "fault" in result.stdout or "not complete" in result.stdout
