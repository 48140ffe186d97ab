import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "chaos"))
import driver  # noqa: E402
from fixtures import small_trial  # noqa: E402, F401


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Every test works in a folder of its own, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))
    return tmp_path


# One cache for the session: the smoke test of one and the same model is made once.
CACHE = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"armada-e2e-cache-{os.getpid()}"


@pytest.fixture(scope="session", autouse=True)
def cache():
    CACHE.mkdir(exist_ok=True)
    yield
    import shutil

    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture
def digits(tmp_path):
    """A job over the 10,000 test digits that takes a while: small shards, one record at a time, f32."""
    images = tmp_path / "images"
    images.mkdir()
    (images / "t10k-images-idx3-ubyte").symlink_to(driver.mnist_dir() / "t10k-images-idx3-ubyte")
    driver.write_job(
        "digits.yaml", name="digits", model={"path": str(driver.DIGITS_MODEL), "precision": "f32"},
        input={"uri": str(images)}, preprocess={"rescale": "1/255"}, postprocess={"top_k": 1},
        plan={"shard_records": 125, "batch": 1, "commit_every": "50ms"})
    return "digits.yaml"


@pytest.fixture
def more_digits(digits, tmp_path):
    """The same job over 70,000: seconds of work, and workers look at control once a second."""
    (tmp_path / "images/train-images-idx3-ubyte").symlink_to(driver.mnist_dir() / "train-images-idx3-ubyte")
    return digits
