"""Getting RabbitMQ without root: from the distribution's packages, with the package tools played by scripts."""

import os
import textwrap
from pathlib import Path

import pytest
from weft.stack import Stack
from weft.stack.packages import NotAvailable, cache_folder
from weft.stack.rabbitmq_install import find, installed, unpacked

PLAN = """\
Inst libtinfo6 (6.4 Debian [amd64])
Inst erlang-base (1:25 Debian [amd64])
Inst logrotate (3 Debian)
Inst rabbitmq-server (3.10 Debian [all])"""
ERL = "#!/bin/sh\\nROOTDIR=/usr/lib/erlang\\n"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but the shell's tools, and a cache of its own. Returns: where a test puts programs."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "cat", "mkdir", "touch", "printf", "test"):
        target = next(path for part in ("/bin", "/usr/bin") if (path := Path(part, name)).exists())
        (folder / name).symlink_to(target)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("WEFT_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
    path.chmod(0o755)


def package_tools(folder: Path, lists_needed: bool) -> None:
    """apt-get that writes what it was asked into `asked`, and dpkg-deb that unpacks a small tree."""
    condition = 'case "$*" in *Dir::State=*) ;; *) echo "E: Unable to locate package" >&2; exit 100;; esac' if lists_needed else ""
    program(
        folder,
        "apt-get",
        f"""
        echo "$*" >> {folder}/asked
        case "$*" in
          *update*) exit 0;;
          *install*) {condition}
            cat <<'PLAN'
        {PLAN.replace(chr(10), chr(10) + " " * 8)}
        PLAN
            ;;
          *download*) touch rabbitmq-server.deb;;
        esac
        """,
    )
    program(
        folder,
        "dpkg-deb",
        f"""
        mkdir -p "$3/usr/lib/rabbitmq/bin" "$3/usr/lib/erlang/bin" "$3/usr/lib/x86_64-linux-gnu"
        touch "$3/usr/lib/rabbitmq/bin/rabbitmq-server" "$3/usr/lib/x86_64-linux-gnu/libtinfo.so.6"
        printf '{ERL}' > "$3/usr/lib/erlang/bin/erl"
        """,
    )


def test_packages_are_unpacked_once_and_found_again(tools: Path) -> None:
    package_tools(tools, lists_needed=False)
    first = find()
    asked = (tools / "asked").read_text()
    again = find()
    assert again == first == unpacked()
    assert (tools / "asked").read_text() == asked


def test_only_what_a_node_needs_is_fetched_in_the_versions_of_the_plan(tools: Path) -> None:
    package_tools(tools, lists_needed=False)
    find()
    download = next(line for line in (tools / "asked").read_text().splitlines() if "download" in line)
    assert download.split("download ")[1].split() == ["libtinfo6=6.4", "erlang-base=1:25", "rabbitmq-server=3.10"]


def test_launchers_point_into_the_tree_and_its_libraries_are_known(tools: Path) -> None:
    package_tools(tools, lists_needed=False)
    broker = find()
    assert f"ROOTDIR={broker.erlang.parent}\n" in (broker.erlang / "erl").read_text()
    assert [folder.name for folder in broker.libraries] == ["x86_64-linux-gnu"]


def test_without_package_lists_private_ones_are_read(tools: Path) -> None:
    package_tools(tools, lists_needed=True)
    told: list[str] = []
    find(told.append)
    update = next(line for line in (tools / "asked").read_text().splitlines() if "update" in line)
    assert f"Dir::State={cache_folder()}/apt/state" in update
    assert "Reading the distribution's package lists" in told


def test_a_system_without_package_tools_says_what_is_missing(tools: Path) -> None:
    with pytest.raises(NotAvailable, match="no apt-get"):
        find()


def test_a_distribution_that_answers_with_an_error_is_quoted(tools: Path) -> None:
    program(tools, "apt-get", "echo 'E: the mirror is on fire' >&2; exit 100")
    program(tools, "dpkg-deb", "exit 0")
    with pytest.raises(NotAvailable, match="the mirror is on fire"):
        find()


def test_nothing_installed_is_nothing_found(tools: Path) -> None:
    assert (installed(), unpacked()) == (None, None)


def test_a_stack_without_any_broker_runs_and_says_so(tools: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEFT_BROKER_URL", raising=False)
    monkeypatch.setenv("WEFT_DATABASE_URL", "postgresql://elsewhere.test/weft")
    with Stack(open_folder / "data") as running:
        assert running.broker_url is None
        assert running.notice is not None and "no apt-get" in running.notice
    assert os.environ["PATH"] == str(tools)
