"""What pytest gives a test of the chaos: a Trial of its own, small, with a seed that is printed."""
import os
import random

import pytest

import harness
from driver import ROOT

SEED = int(os.environ.get("ARMADA_SEED") or random.SystemRandom().getrandbits(32))
ORIGINALS = [path for path in sorted((ROOT / "tests/pictures").iterdir()) if path.suffix != ".pnm"]
SIZE = harness.Size(pictures=2000, shard_records=4, strikes=10)


@pytest.fixture
def small_trial(tmp_path):
    print(f"ARMADA_SEED={SEED}")
    pictures = harness.make_pictures(tmp_path / "photos", ORIGINALS, SIZE.pictures)
    return harness.Trial(tmp_path, pictures, random.Random(SEED), SIZE)
