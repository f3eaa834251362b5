"""How the model checker is had, with the package tools played by scripts, and how what it prints is read."""

import os
import textwrap
from pathlib import Path

import pytest
from weft.stack.packages import NotAvailable

from tests.model.toolchain import find, verdict

PLAN = """\
Inst libc6 (2.36 Debian [amd64])
Inst linux-libc-dev (6.1 Debian [amd64])
Inst libc6-dev (2.36 Debian [amd64])
Inst tcc (0.9 Debian [amd64])
Inst spin (6.5 Debian [amd64])"""
UNPACKED = ("usr/bin/spin", "usr/bin/tcc", "usr/include/stdio.h")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a shell's tools and nothing that compiles, and a cache of its own. Returns: where a test puts programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cat", "mkdir", "touch"):
        target = next(path for part in ("/bin", "/usr/bin") if (path := Path(part, name)).exists())
        (folder / name).symlink_to(target)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("WEFT_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
    path.chmod(0o755)


def distribution(folder: Path) -> None:
    """apt-get that writes what it was asked into `asked`, and dpkg-deb that unpacks the names of the files that matter."""
    program(
        folder, "apt-get", f'echo "$*" >> {folder}/asked\ncase "$*" in *download*) touch spin.deb; exit;; esac\ncat <<PLAN\n{PLAN}\nPLAN\n'
    )
    files = " ".join(f'"$3/{file}"' for file in UNPACKED)
    program(folder, "dpkg-deb", f'mkdir -p "$3/usr/bin" "$3/usr/include" "$3/usr/lib/{os.uname().machine}-linux-gnu/tcc"\ntouch {files}\n')


def test_the_small_packages_are_planned_as_if_nothing_were_installed(programs: Path, tmp_path: Path) -> None:
    distribution(programs)

    found = find(tmp_path)

    plan, download = (programs / "asked").read_text().splitlines()
    assert "Dir::State::status=/dev/null" in plan
    assert download.split("download ")[1].split() == ["linux-libc-dev=6.1", "libc6-dev=2.36", "tcc=0.9", "spin=6.5"]
    assert Path(found.spin).is_relative_to(tmp_path / "cache")
    assert Path(found.compiler.program).is_relative_to(tmp_path / "cache")


def test_a_system_that_can_have_no_checker_says_what_is_missing(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match="spin is not installed and this system has no apt-get"):
        find(tmp_path)


@pytest.mark.parametrize("note", ["Warning: Search not completed", "error: max search depth too small", "pan: reached -DMEMLIM bound"])
def test_a_search_that_was_cut_short_is_not_taken_for_a_whole_one(note: str) -> None:
    whole = "State-vector 156 byte, depth reached 52, errors: 0\n   762774 states, stored\n"

    assert verdict(whole).complete
    assert not verdict(f"{note}\n{whole}").complete
