"""A job on S3, with servers that are not ours: versitygw (checks signatures, creates atomically), moto, and s3rver,
which ignores conditions and must be found out.

`make soak` sets ARMADA_RACE_ROUNDS=1000.
"""
import collections
import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

import s3_servers
from driver import BINARY, DIGITS_MODEL, Running, armada, environment, mnist_dir, outputs, report, rows, succeeded, write_job
from s3_servers import BUCKET

SUITE = pathlib.Path(BINARY).parent / "store_peer"
RACE_ROUNDS = os.environ.get("ARMADA_RACE_ROUNDS", "50")
RECORDS, SHARD = 10_000, 125
JOB = f"s3://{BUCKET}/jobs/digits"


@pytest.fixture
def gateway(tmp_path, monkeypatch):
    """A versitygw that this test's commands find; .job is the folder in which it keeps JOB."""
    with s3_servers.versitygw(tmp_path / "gateway") as server:
        server.job = tmp_path / "gateway/data" / BUCKET / "jobs/digits"
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def suite(server, *options, **env):
    command = [SUITE, *options]
    env = server.environment(ARMADA_STORE_URI=f"s3://{BUCKET}/suite", **env)
    return subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, timeout=600)


@pytest.fixture
def digits(tmp_path):
    """A job over the 10,000 test digits that takes a while: small shards, one record at a time, f32."""
    images = tmp_path / "images"
    images.mkdir()
    (images / "t10k-images-idx3-ubyte").symlink_to(mnist_dir() / "t10k-images-idx3-ubyte")
    return write_job("digits.yaml", name="digits", job=JOB, model={"path": str(DIGITS_MODEL), "precision": "f32"},
                     input={"uri": str(images)}, preprocess={"rescale": "1/255"},
                     plan={"shard_records": SHARD, "batch": 1, "commit_every": "50ms"})


def check_complete(gateway):
    """Every record once, which the audit finds too, reading every byte through S3."""
    assert (gateway.job / "DONE").is_file()
    assert rows(gateway.job).keys() == {f"t10k-images-idx3-ubyte#{i}" for i in range(RECORDS)}
    audit = report("verify", JOB, "--deep")
    assert audit["ok"] and audit["complete"] and audit["records"] == RECORDS


@pytest.mark.parametrize("options", [[], ["--keep-alive"]], ids=["closes", "keeps-alive"])
def test_versitygw_keeps_every_promise(tmp_path, options):
    with s3_servers.versitygw(tmp_path, *options) as server:
        result = suite(server, ARMADA_RACE_ROUNDS="1")
        assert result.returncode == 0, result.stdout


def test_moto_keeps_every_promise():
    with s3_servers.moto() as server:
        result = suite(server, ARMADA_RACE_ROUNDS="2")
        assert result.returncode == 0, result.stdout


def test_of_32_creates_at_once_one_wins(gateway):
    result = suite(gateway, "--gtest_filter=*OfManyCreatesAtOnceExactlyOneWins*", ARMADA_RACE_ROUNDS=RACE_ROUNDS)
    assert result.returncode == 0, result.stdout


def test_over_tls_and_only_with_a_certificate_that_is_trusted(tmp_path):
    certificate, key = s3_servers.write_certificate(tmp_path)
    with s3_servers.versitygw(tmp_path, "--cert", certificate, "--key", key, "--keep-alive", scheme="https") as server:
        result = suite(server, ARMADA_RACE_ROUNDS="2", AWS_CA_BUNDLE=str(certificate))
        assert result.returncode == 0, result.stdout
        refused = armada("status", f"s3://{BUCKET}/jobs", env=server.environment())
        assert refused.returncode == 4
        assert "certificate is not trusted" in refused.stderr and "AWS_CA_BUNDLE" in refused.stderr


def test_s3rver_is_refused(tmp_path, digits):
    with s3_servers.s3rver(tmp_path / "s3rver") as server:
        result = armada("submit", digits, env=server.environment())
        assert result.returncode == 3
        assert f"{JOB} can't hold a job" in result.stderr
        assert 'the store ignores "only if absent"' in result.stderr
        assert "put the job folder on another" in result.stderr


@pytest.mark.parametrize("change, exit_code, says", [
    ({"AWS_ACCESS_KEY_ID": "stranger"}, 4, "is not one of this endpoint's"),
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 4, "does not belong to the access key"),
    ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, 4, "not sent"),
    ({"AWS_ENDPOINT_URL_S3": "http://s3.example.org"}, 3, "unencrypted"),
    ({}, 3, "no job at s3://armada-test/nothing"),
])
def test_what_is_wrong_is_said(gateway, change, exit_code, says):
    result = armada("status", f"s3://{BUCKET}/nothing", env=environment(**change))
    assert result.returncode == exit_code, result.stderr
    assert says in result.stderr


def test_the_endpoint_is_also_an_option(gateway, digits):
    env = environment(AWS_ENDPOINT_URL_S3="http://127.0.0.1:9")
    succeeded("run", digits, "--workers", 2, "--endpoint", gateway.endpoint, env=env)
    check_complete(gateway)
    assert f"no job at s3://{BUCKET}/x" in armada("status", f"s3://{BUCKET}/x", "--endpoint", gateway.endpoint, env=env).stderr


def test_a_region_that_is_wrong_is_learnt(tmp_path):
    with s3_servers.versitygw(tmp_path, "--region", "eu-north-1") as server:
        result = armada("status", f"s3://{BUCKET}/nothing", env=server.environment(AWS_REGION="us-east-1"))
        assert f"no job at s3://{BUCKET}/nothing" in result.stderr


def requests_of(log):
    """{(operation, first part of the key below the job, status): count} of an access log."""
    lines = re.findall(r" s3_(\w+) (\S+) \S+ (\d+) ", log.read_text())
    parts = ((operation, key.removeprefix("jobs/digits/").split("/")[0], int(status)) for operation, key, status in lines)
    return collections.Counter(parts)


def test_a_whole_job_with_two_workers(gateway, digits):
    succeeded("run", digits, "--workers", 2)
    counted = requests_of(gateway.log)
    print(*(f"{count} {what}" for what, count in sorted(counted.items())), sep="\n")
    check_complete(gateway)
    assert report("status", JOB)["state"] == "done"
    assert {status for _, _, status in counted} == {200, 404, 412}
    # Nothing is sent that need not be: a 200 for each object, a refusal for those who came second.
    assert counted["PutObject", "out", 200] == len(outputs(gateway.job)) >= RECORDS / SHARD
    assert counted["PutObject", "job.json", 200] == 1
    assert counted["PutObject", "probe", 200] == counted["DeleteObject", "probe", 200] == 6
    assert counted["PutObject", "probe", 412] == 1 + 5 * 31


def test_requests_and_replies_are_lost(gateway, digits):
    """One exchange in 12 fails in one of six ways, on the way there or back; no answer is lost or made twice."""
    seed = int(os.environ.get("ARMADA_SEED") or random.SystemRandom().getrandbits(32))
    print(f"ARMADA_SEED={seed}")
    with s3_servers.lossy(gateway, seed, 12) as proxy:
        succeeded("run", digits, "--workers", 2, "--endpoint", proxy.endpoint)
        print(dict(proxy.done))
        assert all(proxy.done[fault] for fault in proxy.FAULTS)
    check_complete(gateway)


def test_killed_with_its_server_and_run_again(gateway, digits):
    """Both die at once, mid-way: what was acknowledged is there, and what was not is no harm."""
    with Running("run", digits) as run:
        assert run.until(lambda: len(outputs(gateway.job)) >= 5)
        gateway.stop(signal.SIGKILL)
        run.signal(signal.SIGKILL)
    gateway.start()
    before = set(outputs(gateway.job))
    assert 5 <= len(before) < RECORDS / SHARD
    succeeded("run", digits)
    assert before <= set(outputs(gateway.job))
    check_complete(gateway)


@pytest.mark.skipif("ARMADA_RACE_ROUNDS" not in os.environ, reason="takes a minute: make soak")
def test_a_server_that_hangs_does_not_hold_up_who_was_asked_to_leave(gateway, digits):
    with Running("run", digits) as run:
        assert run.until(lambda: len(outputs(gateway.job)) >= 5)
        gateway.process.send_signal(signal.SIGSTOP)
        try:
            run.signal(signal.SIGTERM)
            assert run.ended().returncode in (4, 130)
        finally:
            gateway.process.send_signal(signal.SIGCONT)
    succeeded("run", digits)
    check_complete(gateway)


def test_a_server_that_comes_back_is_waited_for(gateway, digits):
    with Running("run", digits) as run:
        assert run.until(lambda: len(outputs(gateway.job)) >= 5)
        gateway.stop(signal.SIGKILL)
        gateway.start()
        ended = run.ended()
        assert ended.returncode == 0, ended.stderr
    check_complete(gateway)
