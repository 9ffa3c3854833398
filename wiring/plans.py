"""Plans on real parts: read, decided from a terminal or by a link, and the pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.actors import actor
from wiring.control import send
from wiring.parts import Env, record, settings, store

if TYPE_CHECKING:
    from governance.approval_link import Link
    from governance.model import Message
    from governance.plans import Listed
    from governance.record import Record

KEY = "LEDGER_APPROVAL_KEY"
# What a refused link answers; anything else that is refused is about the plan.
STATUS = {"link": 403, "link-key": 404, "link-expired": 410}


@dataclass(frozen=True, slots=True)
class Page:
    """What a link's caller gets, and what moves the plan along."""

    status: int
    html: str
    messages: Sequence[Message] = ()


def plans(found: Settings, env: Env) -> list[Listed]:
    from governance.plans import listed

    return listed(_record(found, env))


def plan(id: str, found: Settings, env: Env) -> Listed:
    from governance.plans import found as looked_up

    return looked_up(_record(found, env), id)


def decide(id: str, choice: str, by: str, reason: str, found: Settings, env: Env, now: datetime) -> bool:
    """Record the decision about that exact plan; whether its messages were sent, or are left to the sweep."""
    from governance import approval

    kept, one, who = _record(found, env), plan(id, found, env), actor(found, env)
    messages = approval.decide(kept, one.run, one.id, choice, by=by, reason=reason, now=now, actor=who)
    return _sent(messages, env)


def plan_again(run: str, by: str, reason: str, found: Settings, env: Env, now: datetime) -> tuple[str, bool]:
    """The run, and whether its message was sent, or is left to the sweep."""
    from governance.revival import again

    whole, messages = again(_record(found, env), run, by=by, reason=reason, now=now, actor=actor(found, env))
    return whole, _sent(messages, env)


def _sent(messages: Sequence[Message], env: Env) -> bool:
    if not (env.get("AzureWebJobsStorage") or env.get("AzureWebJobsStorage__accountName")):
        return False
    send(messages, env)
    return True


def pause(on: bool, by: str, reason: str, found: Settings, env: Env, now: datetime) -> None:
    from governance.pause import turn

    turn(_record(found, env), on=on, by=by, reason=reason, now=now, actor=actor(found, env))


def links(id: str, to: str, found: Settings, env: Env) -> dict[str, str]:
    """A link per choice, until the approval window of the plan ends; Rejected where it awaits none."""
    from governance import approval
    from governance.approval_link import PATH, made, token
    from ledger.faults import reject

    one = plan(id, found, env)
    if approval.proposed(one.events) is None or one.standing != "awaiting approval":
        raise reject(f"plan {one.id[:12]} awaits no approval", "See `ledger plan list`.", "approval")
    if not found.approval_url:
        raise reject("where links lead is not known", "Set url of [approval] in ledger.toml.", "link")
    end = approval.expires(one.event)
    signed = {name: token(made(one.run, one.id, name, to, end), env.get(KEY, "")) for name in approval.DECISIONS}
    return {name: f"{found.approval_url}{PATH}?token={text}" for name, text in signed.items()}


def by_link(method: str, given: str, env: Env, now: datetime) -> Page:
    """GET asks and changes nothing; POST decides, once. A fault that passes surfaces."""
    from governance import approval_link, approval_page
    from ledger.faults import Rejected

    try:
        link = approval_link.read(given, env.get(KEY, ""), now)
        if method == "POST":
            return _decided(link, given, env, now)
        return _asked(link, env, now)
    except Rejected as refusal:
        fault = refusal.faults[0]
        status = STATUS.get(fault.rule, 409)
        return Page(status, approval_page.answer("Nothing was done", f"{fault.message}. {fault.advice}"))


def _asked(link: Link, env: Env, now: datetime) -> Page:
    from governance import approval, approval_page, plans

    kept = _record(settings(env), env)
    one = plans.found(kept, link.plan)
    approval.require_open(one.events, link.plan, now)
    return Page(200, approval_page.question(link, plans.details(one)))


def _decided(link: Link, given: str, env: Env, now: datetime) -> Page:
    from governance import approval, approval_link, approval_page

    kept, seal = _record(settings(env), env), approval_link.seal(given)
    messages = approval.decide(kept, link.run, link.plan, link.choice, by=link.to, reason="by link", now=now, link=seal)
    word = approval.DECISIONS[link.choice]
    return Page(200, approval_page.answer(f"Plan {link.plan[:12]} {word}", f"Recorded for {link.to}."), messages)


def _record(found: Settings, env: Env) -> Record:
    return record(store(found.store_url, env))
