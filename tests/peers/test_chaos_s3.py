"""The scenarios of tests/chaos on s3://, each once and small. `make soak` repeats them longer."""
import pytest

import harness
import s3_servers
import scenarios


@pytest.fixture
def gateway(tmp_path):
    with s3_servers.versitygw(tmp_path / "gateway") as server:
        yield server


@pytest.fixture
def place(gateway, tmp_path):
    return harness.s3_place(gateway, tmp_path / "gateway/data", s3_servers.BUCKET, "jobs/chaos")


def test_workers_killed(place, small_trial):
    print(dict(scenarios.worked_on(place, small_trial)))


def test_server_killed(place, gateway, small_trial):
    print(dict(scenarios.server_killed(place, gateway, small_trial)))
