"""Ports, locks and process marks: what the rest relies on."""

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from weft.stack import AlreadyRunning, StackError, ports
from weft.stack.lock import DirectoryLock
from weft.stack.processes import ProcessMark, end
from weft.stack.state import StateFile


def test_a_wanted_port_is_kept_while_it_is_free() -> None:
    port = ports.choose()
    assert ports.choose(port) == port
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, port))
        taken.listen()
        assert ports.choose(port) != port


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> range:
    """Three ports to choose from, which are no other test run's: they stand below one that was promised to this process."""
    first = ports.choose() - 10_000
    monkeypatch.setenv("WEFT_PORTS", f"{first}-{first + 2}")
    return range(first, first + 3)


def test_a_port_is_promised_to_one_process_until_it_ends_whether_anybody_listens_yet_or_not(given: range) -> None:
    script = "from weft.stack import ports; print(ports.choose(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None and other.stdout is not None
        theirs = int(other.stdout.readline())
        with ThreadPoolExecutor(2) as side_by_side:
            ours = set(side_by_side.map(lambda _: ports.choose(), range(2)))
        with pytest.raises(OSError, match="no free loopback port"):
            ports.choose(theirs)
        other.stdin.write("\n")
    assert {theirs, *ours} == set(given)
    assert (ports.choose(theirs), {ports.choose(port) for port in ours}) == (theirs, ours)


def test_ports_are_chosen_below_the_ephemeral_range_and_not_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEFT_PORTS", raising=False)
    chosen: list[int] = []
    for _ in range(50):
        chosen.append(ports.choose(avoid=chosen))
    assert len(set(chosen)) == 50
    assert all(20_000 <= port < 30_000 for port in chosen)


def test_ports_are_chosen_from_the_range_that_is_given(given: range) -> None:
    chosen = ports.choose(avoid=given[:2])
    assert {chosen, ports.choose(), ports.choose()} == set(given)
    with pytest.raises(OSError, match=f"between {given[0]} and {given[-1]}"):
        ports.choose(chosen, avoid=given)


@pytest.mark.parametrize("nonsense", ["", "31000", "31001-31000", "80-90", "31000-70000", "a-b", "31000-31001 "])
def test_a_range_of_ports_that_is_none_is_refused(nonsense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_PORTS", nonsense)
    with pytest.raises(StackError, match="Write it as first-last"):
        ports.choose()


def test_a_lock_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    script = "import os, sys; from pathlib import Path; from weft.stack.lock import DirectoryLock\n"
    script += "DirectoryLock(Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    lock = DirectoryLock(tmp_path)
    with lock:
        assert lock.is_held()
        with pytest.raises(AlreadyRunning) as refusal:
            DirectoryLock(tmp_path).acquire()
    assert (refusal.value.pid, lock.is_held()) == (os.getpid(), False)


def test_a_process_is_recognised_by_number_start_and_words() -> None:
    child = subprocess.Popen(["sleep", "60"], env={"MARK": "ours"})
    mark = ProcessMark.of(child.pid, "ours")
    found = [
        mark.find(),
        mark.model_copy(update={"marker": "theirs"}).find(),
        mark.model_copy(update={"started_at": mark.started_at - 60}).find(),
    ]
    end(mark)
    child.wait()
    assert [process is not None for process in (*found, mark.find())] == [True, False, False, False]


def test_what_does_not_listen_to_asking_is_killed() -> None:
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    mark = ProcessMark.of(child.pid, "SIG_IGN")
    end(mark, timeout_s=0.2)
    child.stdout.close()
    assert mark.find() is None


def test_the_state_file_is_private_and_survives_nonsense(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json")
    mark = ProcessMark(pid=1, started_at=2.0, marker="x")
    state.put("one", mark)
    state.put("two", mark)
    state.drop("one")
    assert (state.get("one", ProcessMark), state.get("two", ProcessMark)) == (None, mark)
    assert state.path.stat().st_mode & 0o777 == 0o600
    for nonsense in ("", "[]", '{"two": 5}', "{"):
        state.path.write_text(nonsense)
        assert state.get("two", ProcessMark) is None
