"""Disks that are full, folders that can't be written."""
import contextlib
import os
import pathlib
import resource
import signal

import pytest

import driver
from driver import Running, armada, free_bytes, outputs, report, rows, succeeded, write_fake_model, write_idx, write_job


def job_in(folder, records=2000):
    write_idx("images-idx3-ubyte", bytes(28 * 28 * records), (records, 28, 28))
    write_fake_model("model.fake.json", outputs=100)
    return write_job("disk.yaml", name="disk", job=str(folder), model={"path": "model.fake.json"},
                     input={"uri": "images-idx3-ubyte"}, plan={"shard_records": 100})


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; skipped where it can't be had."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(driver.small_disk(tmp_path / "disk", 1))
        except OSError:
            pytest.skip("needs the right to mount a tmpfs")


def fill(path, leave_bytes):
    with open(path, "wb") as file:
        file.write(bytes(max(0, free_bytes(path.parent) - leave_bytes)))


def test_a_disk_that_fills_up_only_delays_the_job(small_disk):
    job = job_in(small_disk / "disk.armada")
    filler = small_disk / "filler"
    succeeded("submit", job)
    fill(filler, leave_bytes=64 << 10)
    with Running("run", job) as run:
        # Nothing more fits once the rest is taken: the worker tries again until there is room.
        assert run.until(lambda: free_bytes(small_disk) < 16 << 10)
        assert run.process.poll() is None
        filler.unlink()
        ended = run.ended()
    assert ended.returncode == 0, ended.stderr
    assert len(rows(small_disk / "disk.armada")) == 2000
    assert report("verify", small_disk / "disk.armada", "--deep")["ok"]


def test_no_room_for_the_job_at_all(small_disk):
    job = job_in(small_disk / "disk.armada")
    fill(small_disk / "filler", leave_bytes=0)
    result = armada("run", job)
    assert result.returncode == 4, result.stderr
    assert "No space left on device" in result.stderr
    assert not (small_disk / "disk.armada/job.json").exists()


def test_a_limit_on_file_sizes_is_an_error_and_no_death(tmp_path):
    job = job_in(tmp_path / "disk.armada")
    result = armada("run", job, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)))
    assert result.returncode in (3, 4), result.stderr
    assert result.stderr.startswith("error: ")
    assert outputs(tmp_path / "disk.armada") == []


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "disk.armada").write_text("mine")
    result = armada("run", job_in(tmp_path / "disk.armada"))
    assert result.returncode in (3, 4), result.stderr
    assert "disk.armada" in result.stderr
    assert (tmp_path / "disk.armada").read_text() == "mine"


def test_a_folder_that_may_not_be_written(tmp_path):
    # Root may write everywhere but where the kernel says no.
    folder = "/proc/armada-test" if os.geteuid() == 0 else str(tmp_path / "locked/disk.armada")
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
    result = armada("run", job_in(folder))
    assert result.returncode in (3, 4), result.stderr
    assert result.stderr.startswith("error: ") and "armada" in result.stderr


def test_a_killed_parent_takes_its_workers_with_it(tmp_path):
    job = job_in(tmp_path / "disk.armada", records=20_000)
    with Running("run", job, "--workers", "2", "--set", "plan.batch=1") as run:
        assert run.until(lambda: len(run.children()) == 2)
        workers = [os.pidfd_open(pid) for pid in run.children()]
        run.signal(signal.SIGKILL)
        import select

        for pidfd in workers:
            assert select.select([pidfd], [], [], 60)[0], "a worker outlived its parent"
            os.close(pidfd)
    succeeded("run", job, "--set", "plan.batch=1")
    assert len(rows(tmp_path / "disk.armada")) == 20_000
    assert pathlib.Path(tmp_path / "disk.armada/DONE").exists()
