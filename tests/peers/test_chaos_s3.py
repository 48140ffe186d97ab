"""The scenarios of tests/chaos on s3://, once and small. `make soak` repeats them for minutes."""
import os
import random
import sys

import pytest

import s3_servers
from driver import ROOT

sys.path.insert(0, str(ROOT / "tests/chaos"))
import harness  # noqa: E402
import scenarios  # noqa: E402

SEED = int(os.environ.get("ARMADA_SEED") or random.SystemRandom().getrandbits(32))
SIZE = harness.Size(pictures=1000, shard_records=4, strikes=10)
ORIGINALS = [path for path in sorted((ROOT / "tests/pictures").iterdir()) if path.suffix != ".pnm"]


@pytest.fixture
def rng():
    print(f"ARMADA_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def pictures(tmp_path):
    return harness.make_pictures(tmp_path / "photos", ORIGINALS, SIZE.pictures)


@pytest.fixture
def gateway(tmp_path):
    with s3_servers.versitygw(tmp_path / "gateway") as server:
        yield server


def place(gateway, tmp_path):
    return harness.s3_place(gateway, tmp_path / "gateway/data", s3_servers.BUCKET, "jobs/chaos")


def test_workers_killed(gateway, tmp_path, pictures, rng):
    print(dict(scenarios.worked_on(place(gateway, tmp_path), tmp_path, pictures, rng, SIZE)))


def test_server_killed(gateway, tmp_path, pictures, rng):
    print(dict(scenarios.server_killed(place(gateway, tmp_path), gateway, tmp_path, pictures, rng, SIZE)))
