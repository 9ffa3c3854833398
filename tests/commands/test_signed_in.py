"""Beside the name that was typed, the record says whom Azure had signed in at the terminal; or that nobody vouches."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import signed_in
from adapters.folder import FolderStore
from emulators.identity import PRINCIPAL
from governance import streams
from governance.actor import CLAIMED, actor, named, principal, told
from governance.model import Event
from governance.record import Record
from tests.commands.test_plan import Terminal
from tests.commands.test_plan import terminal as terminal

APP = f"signed in to Azure as application {PRINCIPAL['appid']}, object {PRINCIPAL['oid']}"
PERSON = {"oid": "eeeeeeee-0000-4000-8000-000000000005", "upn": "kim@example.com", "tid": PRINCIPAL["tid"]}
KIM = f"signed in to Azure as kim@example.com, object {PERSON['oid']}"


def record(terminal: Terminal) -> Record:
    return Record(FolderStore(terminal.folder / "store"))


def events(terminal: Terminal, prefix: str, kind: str) -> list[Event]:
    kept = record(terminal)
    return [one for stream in kept.streams(prefix) for one in kept.events(stream) if one.kind == kind]


def carried_out(terminal: Terminal) -> str:
    """The run of an alert whose plan was approved by Kim."""
    terminal.alert()
    assert terminal.run("plan", "approve", terminal.plan(), "--by", "Kim") == 0
    terminal.alert()
    (planned,) = events(terminal, "alerts/", streams.PLANNED)
    return str(planned.body["run"])


def test_a_person_who_is_signed_in_is_recorded_beside_the_name_and_shown(terminal: Terminal) -> None:
    terminal.arm.identity.principal = dict(PERSON)
    run = carried_out(terminal)
    (approved,) = events(terminal, "alerts/", streams.APPROVED)
    expected = {"verified": True, "upn": "kim@example.com", "oid": PERSON["oid"], "tenant": PERSON["tid"]}
    assert (approved.body["by"], approved.body["actor"]) == ("Kim", expected)
    terminal.said()
    assert terminal.run("plan", "show", str(approved.body["plan"])) == 0
    assert f"approved by Kim ({KIM})" in terminal.said()
    assert terminal.run("orders", "--run", run) == 0
    assert f"approved by Kim ({KIM})" in terminal.said()


def test_an_order_shows_who_played_the_alert_and_who_approved_its_plan(terminal: Terminal) -> None:
    carried_out(terminal)
    (first, *_) = events(terminal, "orders/", "planned")
    assert terminal.run("order", "show", first.stream.rpartition("/")[2]) == 0
    said = terminal.said()
    assert f"approved by Kim ({APP})" in said
    assert f" ({APP}): " in next(line for line in said.splitlines() if line.startswith("alert "))
    who = first.body["who"]
    assert isinstance(who, dict) and who["actor"] == who["approver"]


def test_an_undo_and_a_pause_say_it_too(terminal: Terminal) -> None:
    run = carried_out(terminal)
    assert terminal.run("undo", run, "--by", "Kim") == 0
    assert f"asked for by Kim ({APP})" in terminal.said()
    assert terminal.run("pause", "--reason", "release night", "--by", "Kim") == 0
    (pause,) = record(terminal).events(streams.PAUSE)
    assert pause.body["actor"] == actor(principal(PRINCIPAL))


def test_planning_again_says_it_too(terminal: Terminal) -> None:
    terminal.settings("ceilings = { per_hour = '0.000001' }")
    terminal.alert(ends=1)
    (taken,) = events(terminal, "alerts/", streams.RECEIVED)
    terminal.settings()
    assert terminal.run("plan", "again", str(taken.body["run"]), "--reason", "raised", "--by", "Kim") == 0
    (revived,) = events(terminal, "alerts/", streams.REVIVED)
    assert revived.body["who"] == {"entry": "terminal", "by": "Kim", "actor": actor(principal(PRINCIPAL))}


def test_where_nobody_is_signed_in_the_record_says_that_the_name_is_a_claim(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.alert()
    plan = terminal.plan()
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    assert terminal.run("plan", "approve", plan, "--by", "Kim") == 0
    (approved,) = events(terminal, "alerts/", streams.APPROVED)
    assert approved.body["actor"] == {"verified": False, "is": CLAIMED}
    terminal.said()
    assert terminal.run("plan", "show", plan) == 0
    assert f"approved by Kim ({CLAIMED})" in terminal.said()


def test_an_identity_that_is_refused_is_nobody_and_the_command_goes_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    assert terminal.run("pause", "--reason", "release night", "--by", "Kim") == 0
    (pause,) = record(terminal).events(streams.PAUSE)
    assert pause.body["actor"] == {"verified": False, "is": CLAIMED}


def test_no_token_is_printed_or_recorded(terminal: Terminal) -> None:
    carried_out(terminal)
    said = terminal.said()
    issued = terminal.arm.identity.tokens()
    assert issued
    kept = "".join(path.read_text() for path in (terminal.folder / "store").rglob("*.json"))
    for token in issued:
        assert not [part for part in token.split(".") if part in said or part in kept]


def test_where_no_identity_can_be_had_without_a_wait_none_is_asked_for(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    monkeypatch.setattr(signed_in, "credential", lambda _: pytest.fail("asked"))
    assert terminal.run("pause", "--reason", "release night", "--by", "Kim") == 0


ODD = {
    "opaque": "opaque",
    "two parts": "a.b",
    "no base64": "a.%%%.c",
    "no JSON": f"a.{base64.urlsafe_b64encode(b'no').decode()}.c",
    "a list": f"a.{base64.urlsafe_b64encode(b'[1]').decode()}.c",
    "no text": f"a.{base64.urlsafe_b64encode(bytes([255, 254])).decode()}.c",
    "too long": f"a.{base64.urlsafe_b64encode(json.dumps({'oid': 'x' * 20_000}).encode()).decode()}.c",
    "empty": "",
}


@pytest.mark.parametrize("token", ODD.values(), ids=ODD)
def test_what_is_no_token_names_nobody(token: str) -> None:
    assert signed_in.payload(token) == {}
    assert actor(principal(signed_in.payload(token)))["verified"] is False


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(st.dictionaries(st.sampled_from(["oid", "upn", "unique_name", "appid", "azp", "tid", "name"]), json_values))
def test_only_short_printable_texts_of_the_known_claims_are_kept(claims: dict[str, object]) -> None:
    found = principal(claims)
    assert set(found) <= {"upn", "oid", "appid", "tenant"}
    assert all(value.isprintable() and 0 < len(value) <= 200 for value in found.values())
    assert not found or found["oid"] == claims["oid"]
    assert "\n" not in told(actor(found))


def test_older_events_and_links_show_the_name_alone() -> None:
    assert (named("Kim", None), named("Kim", {})) == ("Kim", "Kim")
