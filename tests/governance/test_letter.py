"""What notices say: whatever stands in a name, a tag or a reason stays a text in every medium."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.notify import _message
from governance.letter import LONGEST, MOST_MACHINES, Letter, clean, letter, machine_lines, savings
from governance.media import document, plain_text
from governance.model import Event
from governance.notices import Kind
from governance.templates import form

NOW = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)
KIND = Kind("stopped", "outcomes/", "stopped", "$budget: $reason", ("$reason", "$nothing"), shows=True)
HOSTILE = [
    '"}],"text":"x',
    "<!channel> <https://evil.example|click> & &lt;",
    "[click](https://evil.example) **x** {{DATE(2026)}}",
    "a\r\nBcc: x@evil.example\r\n\r\nbody",
    "$title ${title} $$ $url",
    "\u202egnp.exe\u2066 \x00\x1b[31m",
    "\ud800",
    "x" * 5000,
]


def told(text: str) -> Letter:
    target = {"id": f"/x/{text.replace('/', '')}", "reason": text, "kind": "azure_vm"}
    event = Event("outcomes/1", 1, "stopped", NOW, {"reason": text, "targets": [target]}, "", "")
    return letter("a" * 64, KIND, event, {}, text, links={"Approve": "https://x.example/?token=a.b-c_d"})


def leaves(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [one for value in node.values() for one in leaves(value)]
    return [one for value in node for one in leaves(value)] if isinstance(node, list) else [str(node)]


def shape(node: Any) -> Any:
    """The document without its texts."""
    if isinstance(node, dict):
        return {name: shape(value) for name, value in node.items()}
    return [shape(value) for value in node] if isinstance(node, list) else None


@pytest.mark.parametrize("medium", ["teams", "slack", "webhook"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_changes_no_form(medium: str, text: str) -> None:
    filled = json.loads(document(medium, form(medium), told(text)))
    assert shape(filled) == shape(json.loads(document(medium, form(medium), told("harmless"))))


@pytest.mark.parametrize("medium", ["teams", "slack", "webhook"])
@given(text=st.text())
def test_no_text_changes_any_form(medium: str, text: str) -> None:
    filled = json.loads(document(medium, form(medium), told(text)))
    assert shape(filled) == shape(json.loads(document(medium, form(medium), told("harmless"))))


def test_slack_reads_no_mention_and_no_link_but_ours() -> None:
    found = leaves(json.loads(document("slack", form("slack"), told(HOSTILE[1]))))
    links = [one for one in found if "<" in one or ">" in one]
    assert links == ["<https://x.example/?token=a.b-c_d|Approve>"]
    assert any("&lt;!channel&gt;" in one and "&amp; &amp;lt;" in one for one in found)


def test_teams_shows_what_comes_from_outside_in_runs_that_know_no_markup() -> None:
    card = json.loads(document("teams", form("teams"), told(HOSTILE[2])))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}


@given(text=st.text())
def test_a_mail_has_no_header_but_ours_and_no_line_but_its_own(text: str) -> None:
    found = told(text)
    mail: EmailMessage = _message("l@example.com", found, ["o@example.com"], plain_text(found), NOW)
    raw = mail.as_bytes()
    names = {line.partition(b":")[0] for line in raw.partition(b"\n\n")[0].split(b"\n") if line[:1] not in b" \t"}
    assert names <= {
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted"),
        *(b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version"),
    }
    assert len(plain_text(found).split("\n")) == len(plain_text(told("harmless")).split("\n"))


@given(text=st.text())
def test_a_clean_text_is_one_short_line(text: str) -> None:
    found = clean(text)
    assert len(found) <= LONGEST and found.isprintable() and len(found.splitlines()) <= 1


def test_a_field_that_nobody_recorded_says_so() -> None:
    assert told("x").lines[1] == "unknown"


def test_money_is_never_added_across_currencies_and_unknown_is_never_zero() -> None:
    targets = [
        {"saves": "0.10", "currency": "USD"},
        {"saves": "0.2", "currency": "USD"},
        {"saves": "1", "currency": "EUR"},
    ]
    assert savings(targets, "saves") == "1 EUR + 0.3 USD"
    assert savings([*targets, {"saves": None}], "saves") == "1 EUR + 0.3 USD + what 1 of unknown price cost"
    assert savings([{"saves": None}], "saves") == "an unknown amount"
    assert savings([], "saves") == "nothing"


def test_long_lists_are_cut_and_say_so_and_failures_come_first() -> None:
    targets = [{"id": f"/m/{number}", "outcome": "verified", "stopped": number != 30} for number in range(40)]
    lines = machine_lines(targets)
    assert len(lines) == MOST_MACHINES + 1 and lines[0].startswith("NOT STOPPED: 30")
    assert lines[-1].startswith("and 20 more")


def test_the_largest_letter_fits_every_medium() -> None:
    """Teams takes 28 KB; Slack 50 blocks of 3000 characters."""
    targets = [{"id": f"/m/{'&' * 300}", "reason": "&" * 300} for _ in range(500)]
    event = Event("outcomes/1", 1, "stopped", NOW, {"reason": "&" * 300, "targets": targets}, "", "")
    found = letter("a" * 64, KIND, event, {}, "&" * 300)
    assert len(document("teams", form("teams"), found)) < 28_000
    slack = json.loads(document("slack", form("slack"), found))
    assert len(slack["blocks"]) <= 50 and max(map(len, leaves(slack))) <= 3000


def test_savings_are_decimals() -> None:
    assert savings([{"saves": str(Decimal("0.0104")), "currency": "USD"}], "saves") == "0.0104 USD"
