"""The scenarios of tests/chaos on folders, each once and small. `make soak` repeats them longer."""
import contextlib

import pytest

import driver
import scenarios


@pytest.mark.parametrize("scenario", scenarios.ON_FOLDERS, ids=lambda scenario: scenario.__name__)
def test_on_a_folder(scenario, small_trial):
    print(dict(scenario(small_trial)))


def test_disk_full(small_trial, tmp_path):
    with contextlib.ExitStack() as stack:
        try:
            disk = stack.enter_context(driver.small_disk(tmp_path / "disk", 16))
        except OSError:
            pytest.skip("needs the right to mount a tmpfs")
        print(dict(scenarios.disk_full(disk, small_trial)))
