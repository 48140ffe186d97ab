"""The scenarios of tests/chaos on folders, each once and small. `make soak` repeats them for minutes."""
import os
import random
import sys

import pytest

import driver

sys.path.insert(0, str(driver.ROOT / "tests/chaos"))
import harness  # noqa: E402
import scenarios  # noqa: E402

SEED = int(os.environ.get("ARMADA_SEED") or random.SystemRandom().getrandbits(32))
SIZE = harness.Size(pictures=2000, shard_records=4, strikes=10)
ORIGINALS = [path for path in sorted((driver.ROOT / "tests/pictures").iterdir()) if path.suffix != ".pnm"]


@pytest.fixture
def rng():
    print(f"ARMADA_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def pictures(tmp_path):
    return harness.make_pictures(tmp_path / "photos", ORIGINALS, SIZE.pictures)


@pytest.mark.parametrize("scenario", [
    scenarios.workers_killed, scenarios.submitters_killed, scenarios.all_lost_near_the_end,
    scenarios.asked_to_leave,
], ids=lambda scenario: scenario.__name__)
def test_scenario(scenario, tmp_path, pictures, rng):
    print(dict(scenario(tmp_path, pictures, rng, SIZE)))


def test_pictures_change(tmp_path, rng):
    print(dict(scenarios.pictures_change(tmp_path, ORIGINALS, rng, SIZE)))


def test_rows_file_changes(tmp_path, rng):
    print(dict(scenarios.rows_file_changes(tmp_path, rng, SIZE)))


def test_disk_full(tmp_path, pictures, rng):
    try:
        with driver.small_disk(tmp_path / "disk", 16) as disk:
            print(dict(scenarios.disk_full(disk, tmp_path, pictures, rng, SIZE)))
    except OSError as error:
        if "mount" not in str(error):
            raise
        pytest.skip("needs the right to mount a tmpfs")
