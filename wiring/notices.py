"""Notices on real parts. `tell` is what an action's trigger calls last, and nothing it meets can reach the action."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, queue, record, settings, store

if TYPE_CHECKING:
    from adapters.notify import Notifier
    from governance.model import Event, Message
    from governance.notices import Channel
    from governance.posted import Posted
    from governance.record import Record

KEY = "LEDGER_APPROVAL_KEY"


def tell(env: Env, run: object = "") -> None:
    """Ask for notices about a run, or about the whole record. Never raises: what is lost here, the sweep asks again."""
    from adapters import telemetry
    from governance.notices import EVERYTHING, news

    try:
        if settings(env).channels:
            queue(env).send(news(str(run or EVERYTHING)))
    except Exception as fault:
        # Deliberately broad: the action is done, and no notice may make it look undone.
        telemetry.failed("notice-not-asked-for", fault)


def on_notice(body: Mapping[str, object], env: Env, now: datetime) -> list[Message]:
    from governance.telling import Desk, on_notice
    from governance.templates import kinds

    found = settings(env)
    kept = record(store(found.store_url, env))

    def links(event: Event, approver: str) -> Mapping[str, str]:
        return _links(event, approver, found, env, now)

    messages = on_notice(body, Desk(kept, found.channels, kinds(), found.budgets, notifier(env), links, now))
    _log_the_silent(body, kept)
    return messages


def _log_the_silent(body: Mapping[str, object], kept: Record) -> None:
    """A channel that takes nothing cannot say so itself: who watches the log is told."""
    from adapters import telemetry
    from governance.notices import GIVEN_UP, notice_stream

    events = kept.events(notice_stream(str(body["notice"]))) if "notice" in body else []
    if events and events[-1].kind == GIVEN_UP:
        told = {name: events[0].body[name] for name in ("channel", "notice")}
        telemetry.alarm("notice-given-up", **told, reason=events[-1].body["reason"])


def posted(found: Settings, env: Env) -> list[Posted]:
    from governance.posted import posted as read

    return read(record(store(found.store_url, env)))


def notifier(env: Env) -> Notifier:
    from adapters.notify import Notifier
    from governance.media import document, plain_text
    from governance.templates import form

    return Notifier(
        env, lambda: datetime.now(UTC), lambda medium, found: document(medium, form(medium), found), plain_text
    )


def try_channel(name: str, found: Settings, env: Env, now: datetime) -> Mapping[str, object]:
    """Send a test to one channel, now, and say what it answered. Rejected or Transient when it was not taken."""
    from governance.letter import Letter

    channel = _channel(name, found)
    lines = ("A person asked for this test from the command line. Nothing was stopped.",)
    letter = Letter(
        f"test-{now:%Y%m%dT%H%M%S}", "test", now.isoformat(timespec="seconds"), "", f"Test of {name}", lines
    )
    return notifier(env).send(channel, letter, channel.to)


def _channel(name: str, found: Settings) -> Channel:
    from ledger.faults import reject

    channel = next((one for one in found.channels if one.name == name), None)
    if channel is None:
        raise reject(f"there is no channel {name}", "Add [notices.NAME] to ledger.toml.", "settings")
    if channel.medium == "email" and not channel.to:
        raise reject(f"channel {name} writes to owners alone", "Give it a `to` of its own to test it.", "settings")
    return channel


def _links(event: Event, approver: str, found: Settings, env: Env, now: datetime) -> Mapping[str, str]:
    """Empty where links are not set up: then the notice names the command instead."""
    from governance import approval
    from governance.approval_link import PATH, SHORTEST_KEY, made, token

    key, end = env.get(KEY, ""), approval.expires(event)
    if not found.approval_url or len(key) < SHORTEST_KEY or now >= end:
        return {}
    run, plan = str(event.body["run"]), str(event.body["digest"])
    signed = {name: token(made(run, plan, name, approver, end), key) for name in approval.DECISIONS}
    return {name.capitalize(): f"{found.approval_url}{PATH}?token={text}" for name, text in signed.items()}
