"""One-time links: what is signed is all they may do, until their end."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.approval_link import Link, made, read, seal, token
from governance.approval_page import answer, question
from ledger.faults import Rejected
from tests.governance.scene import NOW

KEY = "k" * 32
LINK = made("a" * 64, "b" * 64, "approve", "Kim <kim@fabrikam.example>", NOW + timedelta(hours=1))


def rule_of(given: str, key: str = KEY, now: object = NOW) -> str:
    with pytest.raises(Rejected) as refusal:
        read(given, key, now)  # type: ignore[arg-type]  # an instant
    return refusal.value.faults[0].rule


def test_a_link_reads_back_as_it_was_made() -> None:
    assert read(token(LINK, KEY), KEY, NOW) == LINK


def test_it_ends_with_its_window() -> None:
    assert rule_of(token(LINK, KEY), now=LINK.end) == "link-expired"


@pytest.mark.parametrize(
    "other",
    [replace(LINK, choice="reject"), replace(LINK, plan="c" * 64), replace(LINK, to="Eve"), replace(LINK, run="d")],
)
def test_another_content_needs_another_signature(other: Link) -> None:
    payload, signature = token(other, KEY).partition(".")[0], token(LINK, KEY).partition(".")[2]
    assert rule_of(f"{payload}.{signature}") == "link"


def test_another_key_signs_nothing() -> None:
    assert rule_of(token(LINK, "x" * 32)) == "link"


@pytest.mark.parametrize("key", ["", "short", "k" * 31])
def test_without_a_key_worth_the_name_there_are_no_links(key: str) -> None:
    assert rule_of("x.y", key) == "link-key"
    with pytest.raises(Rejected):
        token(LINK, key)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused_and_nothing_raises_otherwise(given_text: str) -> None:
    assert rule_of(given_text) == "link"
    assert rule_of(given_text + ".") == "link"


@given(st.integers(0, 400), st.characters(codec="ascii"))
def test_one_changed_character_is_enough(place: int, char: str) -> None:
    whole = token(LINK, KEY)
    at = place % len(whole)
    changed = whole[:at] + char + whole[at + 1 :]
    # The last character of each part has bits that base64 does not use: those are no change of the content.
    if changed != whole and at not in (whole.index(".") - 1, len(whole) - 1):
        assert rule_of(changed) == "link"


@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b"1", b'{"run": 1}', b"\xff", b'{"run":"a","plan":"b","choice":"x","to":"y","expires":"z"}']
)
def test_a_signed_content_that_is_no_link_is_refused(raw: bytes) -> None:
    from governance.approval_link import _mac, _text

    payload = _text(raw)
    assert rule_of(f"{payload}.{_text(_mac(payload, KEY))}") == "link"


@pytest.mark.parametrize(("choice", "to"), [("erase", "Kim"), ("approve", " ")])
def test_a_link_is_for_one_choice_and_one_person(choice: str, to: str) -> None:
    with pytest.raises(Rejected):
        made("a", "b", choice, to, NOW)


def test_the_payload_holds_no_secret_and_its_seal_is_not_the_token() -> None:
    payload = token(LINK, KEY).partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(payload + "==")).keys() == {"run", "plan", "choice", "to", "expires"}
    assert seal("x") != seal("y") and "x" not in seal("x")


@given(st.text(max_size=60))
def test_whatever_stands_in_a_plan_is_text_on_the_page(text: str) -> None:
    page = question(replace(LINK, to=text), [f"<script>{text}</script>"]) + answer(text, text)
    assert "<script" not in page
    assert page.count("<form") == page.count("<button") == 1
