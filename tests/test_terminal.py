"""Text of a bill or a file name is shown as it stands: no markup, no control of the terminal, no crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

import terminal
from ingest.intake import Intake
from ingest.run import Run
from ledger.faults import Fault
from ledger.reconcile import Balance

# A closing tag without its opening one raises, a known style disappears, a name between colons becomes a picture.
MARKED = [
    "a [/x] b",
    "bill [jan].csv",
    "m[/b].csv",
    "[bold]loud[/bold]",
    ":smile:",
    "back\\[slash]",
    "a\u00a0b",
    "[link=x]y",
]
Out = Callable[[], str]


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Out:
    monkeypatch.setenv("COLUMNS", "200")
    return lambda: "".join(capsys.readouterr())


def run(text: str) -> Run:
    line = Balance(text, Decimal(2), Decimal(1), {text: Decimal(1)}, {}, Decimal(0), Decimal(1))
    found = Run("r", text, "aws", text, "2026-01", text, text, "d", (), "now", 2, 1, (line,), {text: 1}, missing=text)
    return replace(found, assumed={text: 1})


def summary(text: str) -> dict[str, object]:
    lines = [{"name": text, "cost": "1.00", "percent": "100.00"}]
    block = {"total": "1.00", "effective": "1.00", "rows": 1, **dict.fromkeys(terminal.TITLES, lines)}
    return {"currencies": {text: block}, "commitments": {text: 1}}


def show_progress(text: str) -> None:
    with terminal.progress(quiet=False) as tell:
        tell(text, {"file": text, "files": [text, text], "rows": 3})


NAMES = ["progress", "summary", "intake", "receipt", "problem"]
SHOWS: list[tuple[Callable[[str], None], int]] = [
    (show_progress, 4),
    (lambda text: terminal.show_summary(summary(text), as_json=False), 10),
    (lambda text: terminal.show_intake(Intake((run(text),), (text,), (Fault(text, "a", "r"),)), as_json=False), 13),
    (lambda text: terminal.show_receipt(202, [text], {}, as_json=False), 1),
    (lambda text: terminal.show_problem(text, as_json=False), 1),
]


@pytest.mark.parametrize("text", MARKED)
@pytest.mark.parametrize(("show", "times"), SHOWS, ids=NAMES)
def test_text_of_others_is_shown_as_it_stands(show: Callable[[str], None], times: int, text: str, out: Out) -> None:
    show(text)
    assert out().count(text) == times


@pytest.mark.parametrize("mark", ["\x1b[2J", "\x07", "\x9b31m", "\r", "\b", "\u202e"])
@pytest.mark.parametrize("show", [show for show, _ in SHOWS], ids=NAMES)
def test_text_of_others_does_not_drive_the_terminal(show: Callable[[str], None], mark: str, out: Out) -> None:
    show(f"a{mark}b")
    said = out()
    assert mark[0] not in said
    assert f"a{ascii(mark[0])[1:-1]}{mark[1:]}b" in said


def test_a_table_names_its_currency(out: Out) -> None:
    terminal.show_summary(summary("USD"), as_json=False)
    assert "USD 1.00 billed, 1.00 effective, 1 rows" in out()
