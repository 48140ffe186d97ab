"""The README's commands run: every line "$ armada …" of its console blocks, in a folder of its own."""
import re
import shlex

import pytest

from driver import ROOT, armada, mnist_dir

README = ROOT / "README.md"


def commands():
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), flags=re.S)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if re.match(r"(\S*/)?armada ", line)]


@pytest.fixture
def readers_folder(tmp_path):
    """What the README's commands name: the example, the digits, a model."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "digits").symlink_to(mnist_dir())
    return tmp_path


def test_the_readme_shows_commands():
    assert len(commands()) >= 5


def test_every_command_of_the_readme_runs_in_order(readers_folder):
    for command in commands():
        result = armada(*shlex.split(command)[1:])
        assert result.returncode == 0, f"{command}\n{result.stderr}"
