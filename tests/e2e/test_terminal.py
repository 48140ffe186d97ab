"""What is seen on a terminal, and what elsewhere."""
import json
import os
import pty
import subprocess

import pytest

from driver import BINARY, armada, environment, succeeded, write_fake_model, write_idx, write_job


@pytest.fixture
def job():
    write_idx("images-idx3-ubyte", bytes(28 * 28 * 500), (500, 28, 28))
    write_fake_model("model.fake.json")
    return write_job("small.yaml", model={"path": "model.fake.json"}, input={"uri": "images-idx3-ubyte"})


def on_terminal(*arguments, **env):
    """stderr of a command whose stderr is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.DEVNULL, stderr=slave,
                               env=environment(**env))
    os.close(slave)
    seen = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(master)
    assert process.wait() == 0, seen
    return seen.decode()


def test_a_bar_on_a_terminal(job):
    seen = on_terminal("run", job, TERM="xterm-256color")
    assert "\r" in seen and "%" in seen and "of 500" in seen
    assert "\x1b[" in seen


def test_no_color_leaves_the_bar_without_escape_sequences(job):
    seen = on_terminal("run", job, TERM="xterm-256color", NO_COLOR="1")
    assert "of 500" in seen
    assert "\x1b" not in seen


def test_a_dumb_terminal_gets_lines(job):
    seen = on_terminal("run", job, TERM="dumb")
    assert "of 500 records" in seen
    assert "\x1b" not in seen


def test_elsewhere_lines_on_stderr_and_the_result_on_stdout(job):
    result = succeeded("run", job, env=environment(TERM="xterm-256color"))
    assert "\x1b" not in result.stderr + result.stdout
    assert "small: 500 of 500 records (100%)" in result.stderr
    assert result.stdout.startswith("small: complete")


def test_json_is_all_there_is_on_stdout(job):
    for command in (["submit", job], ["run", job], ["status", "small.armada"], ["report", "small.armada"],
                    ["errors", "small.armada"], ["verify", "small.armada"], ["doctor"], ["version"],
                    ["submit", job, "--explain"], ["bench", "model.fake.json", "images-idx3-ubyte"]):
        json.loads(succeeded(*command, "--json").stdout)


def test_every_command_explains_itself():
    overview = succeeded().stdout
    for command in ("run", "submit", "work", "resume", "status", "report", "errors", "verify", "bench", "doctor",
                    "version"):
        assert f"\n  {command}" in overview
        text = succeeded(command, "--help").stdout
        assert f"Usage: armada {command}" in text
        assert f"armada {command}" in text.split("Examples")[1]
        assert succeeded("help", command).stdout == text


def test_explain_writes_nothing(job, tmp_path):
    text = succeeded("submit", job, "--explain").stdout
    assert "plan.shard_records" in text and "precision" in text and "Nothing was written." in text
    assert not (tmp_path / "small.armada").exists()


def test_a_full_stdout_is_not_a_success(job):
    with open("/dev/full", "w") as full:
        result = subprocess.run([BINARY, "version"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert "standard output" in result.stderr


def test_hostile_names_cannot_drive_the_terminal():
    result = armada("run", "\x1b[2Jevil.yaml")
    assert result.returncode == 3
    assert "\x1b" not in result.stderr
