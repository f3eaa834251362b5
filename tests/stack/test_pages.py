"""Every example of the pages that are followed, run as it is printed, gives the answer that is printed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.stack.forking import forked_command
from tests.stack.page import Example, Shell, examples, matches
from tests.support.meshes import MeshProcess, weft
from tests.support.modes import in_one_process

PAGES = (
    "docs/tutorial.md",
    "docs/operating.md",
    "docs/exchange.md",
    "docs/live-feed.md",
    "docs/signing-in.md",
    "docs/rules.md",
    "docs/notifications.md",
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES)
@in_one_process
def test_each_example_of_the_page_gives_the_answer_it_shows(mesh: MeshProcess, tmp_path: Path, page: str) -> None:
    data_dir = str(mesh.data_dir)
    with forked_command() as folder:
        shell = Shell(
            {
                **os.environ,
                "PATH": os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]]),
                "WEFT_DATA_DIR": data_dir,
                "API": f"{mesh.url}/api/v1",
                "AUTH": f"Authorization: Bearer {weft('token', '--data-dir', data_dir).stdout.strip()}",
                "JSON": "Content-Type: application/json",
            },
            tmp_path,
        )
        for example in examples((ROOT / page).read_text(encoding="utf-8")):
            assert shell.run(example) is None, f"{example.command}\nis to give\n{example.shown or example.path}"


def test_a_command_goes_on_until_its_quotes_are_closed_and_its_answer_follows() -> None:
    block = '```console\n$ curl -d \'{\n  "a": 1}\' \\\n  -X POST\n{"b":…}\n\n$ weft execution list\n```\n'
    page = f"{block}<!-- ID = items/0/id of weft execution list --json -->\n"
    assert list(examples(page)) == [
        Example("curl -d '{\n  \"a\": 1}' \\\n  -X POST", '{"b":…}\n\n'),
        Example("weft execution list"),
        Example("weft execution list --json", "", "ID", "items/0/id"),
    ]
    assert [example.only_looks for example in examples(page)] == [False, True, True]


def test_an_answer_may_differ_in_ids_times_and_where_something_is_left_out() -> None:
    shown = '{"id":"01a2143a-1029-742e-a9d7-a5415f1988b0","at":"2026-11-25T19:41:19.738641Z",…,\n "status":"paused"}'
    assert matches(shown, '{"id":"0a341e74-0000-742e-a9d7-a5415f1988b0","at":"2027-01-01T00:00:00Z","x":1,"status":"paused"}')
    assert not matches(shown, '{"id":"0a341e74-0000-742e-a9d7-a5415f1988b0","at":"2027-01-01T00:00:00Z","x":1,"status":"waiting"}')
    assert matches("execution 01a2143a-… is cancelled", "execution 0a341e74-0000-742e-a9d7-a5415f1988b0 is cancelled")
