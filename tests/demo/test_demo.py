"""The demo end to end, in this process: its figures, its page, and that a figure that is off does not pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

import wiring
from demo.__main__ import ROOT, main
from demo.control import play_control
from demo.figures import checks, wrong
from demo.money import play_money
from demo.page import render
from demo.story import Control, Money
from emulators.scenario import Setup
from ledger.summary import Fact


@pytest.fixture(scope="module")
def money(tmp_path_factory: pytest.TempPathFactory) -> Money:
    env = {"LEDGER_STORE": str(tmp_path_factory.mktemp("demo") / "ledger")}
    found = wiring.settings(env, ROOT / "ledger.toml")
    return play_money(found, env, ROOT / "samples", datetime(2026, 2, 10, tzinfo=UTC))


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with Path(tmp_path_factory.mktemp("terminal") / "out").open("w") as out:
        store = wiring.store(str(tmp_path_factory.mktemp("record")), {})
        yield play_control(Setup(), store, Console(file=out), pause=0)


def test_every_figure_is_right(money: Money, control: Control) -> None:
    found = checks(money, control)
    assert len(found) > 25
    assert wrong(found) == []


def test_a_figure_that_is_off_is_named(money: Money, control: Control) -> None:
    off = replace(money, difference=Decimal("0.01"))
    assert wrong(checks(off, control)) == ["difference between raw files and ledger: wanted 0, found 0.01"]
    late = replace(control, outcome=control.unstopped, calls=[])
    said = " ".join(wrong(checks(money, late)))
    assert "tagged machine: wanted deallocated, found running" in said
    assert "machines asked to deallocate" in said


def test_an_empty_ledger_is_off_and_not_a_crash(money: Money, control: Control) -> None:
    empty = replace(money, document={"store": "here", "version": None, "currencies": {}}, facts=())
    faults = wrong(checks(empty, control))
    assert any(fault.startswith("total billed") for fault in faults)
    assert "A figure is off: total billed" in render(empty, control, faults)


def test_other_bills_give_exit_code_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "demo.html"
    aws_only = ["--samples", str(ROOT / "samples" / "aws"), "--ledger", str(tmp_path / "ledger"), "--page", str(page)]
    assert main(aws_only) == 1
    assert "total billed: wanted 336.50, found 80.65" in capsys.readouterr().out
    assert "A figure is off" in page.read_text(encoding="utf-8")


def test_the_whole_demo_ends_well_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--ledger", str(tmp_path / "ledger"), "--page", str(tmp_path / "demo.html")]
    assert [main(arguments), main(arguments)] == [0, 0]
    said = capsys.readouterr().out
    for wanted in ("USD 336.50 billed", "1 to stop, 2 spared", "read back: deallocated", "8 to 49 hours", "0 off"):
        assert said.count(wanted) == 2


def test_brackets_in_paths_are_no_markup_and_relative_paths_stay_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--ledger", "a[/x] b", "--page", "pages[/p]/[bold].html"]) == 0
    assert "ledger  a[/x] b\n" in capsys.readouterr().out
    page = Path("pages[/p]/[bold].html").read_text(encoding="utf-8")
    assert "<code>a[/x] b</code>" in page
    assert str(tmp_path) not in page


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("kept")
    assert main(["--ledger", str(tmp_path), "--page", str(tmp_path / "demo.html")]) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["theirs"]


class Tags(HTMLParser):
    """Opened and closed tags of a page, and its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nobody(money: Money, control: Control) -> None:
    page = render(money, control, [])
    tags = Tags(page)
    assert tags.open == []
    assert not tags.tags & {"script", "link", "img", "iframe", "a"}
    assert not tags.attributes & {"src", "href", "style", "onclick"}
    assert re.search(r"url\(|@import|https?:", page) is None


def test_the_page_shows_both_stories(money: Money, control: Control) -> None:
    page = render(money, control, [])
    for wanted in (
        "$336.50",
        "$317.15",
        "$19.35",
        "75.8%",
        "$0.85",
        "vm-notebook",
        "no opt-in tag",
        "$1.85 over budget",
    ):
        assert wanted in page


def test_text_of_a_bill_never_becomes_markup(money: Money, control: Control) -> None:
    evil = "<script>alert(1)</script>"
    fact = Fact("USD", evil, evil, evil, "2026-01", Decimal(999), Decimal(999), 1)
    page = render(replace(money, facts=(*money.facts, fact)), control, [evil])
    assert "script" not in Tags(page).tags
    assert page.count("&lt;script&gt;") >= 4
