"""Rules, ceilings and safeguards of the settings file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from governance.model import Budget
from governance.places import below, is_place
from governance.rules import (
    ACTIONS,
    ALERT_KINDS,
    BUILT_IN,
    COOL_OFF_HOURS,
    DEFAULT_CEILINGS,
    DEFAULT_STAGES,
    KINDS,
    NO_CEILINGS,
    STOP,
    Ceilings,
    Hours,
    Policy,
    Safeguards,
    Stages,
)
from ingest.plan import Source
from ledger.classify import Classification
from ledger.faults import Fault
from settings.entry import Entry, settings_fault
from settings.values import above_zero, named, one_of, share, switch, text, texts, whole, word

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_MACHINES, MOST_HOURS = 100_000, 24 * 30


def read_policy(name: str, entry: Entry) -> Policy:
    if name == BUILT_IN:
        entry.fault("is the name of the rule that budgets without rules have", "Choose another.")
    found = Policy(
        name,
        budgets=entry.need("budgets", some(word), ("-",)),
        threshold=entry.take("threshold", share, Decimal("0.8")),
        alerts=entry.take("alerts", some(one_of(ALERT_KINDS)), ("actual",)),
        action=entry.take("action", one_of(ACTIONS), STOP),
        kinds=entry.take("kinds", some(one_of(KINDS)), ()),
        tags=entry.take("tags", named(text), {}),
        environments=entry.take("environments", some(word), ()),
        accounts=entry.take("accounts", some(word), ()),
        hours=_hours(entry.table("hours")) if entry.has("hours") else None,
        notice=timedelta(hours=entry.take("notice_hours", whole(0, MOST_HOURS), 0)),
        approval=timedelta(hours=entry.take("approval_hours", whole(0, MOST_HOURS), 0)),
        ceilings=read_ceilings(entry.table("ceilings"), NO_CEILINGS),
        cool_off=timedelta(hours=entry.take("cool_off_hours", whole(0, MOST_HOURS), COOL_OFF_HOURS)),
    )
    if found.action != STOP and (found.hours or found.notice or found.approval or found.ceilings != NO_CEILINGS):
        entry.fault("stops nothing, but has what a stop waits for", "Take it out, or let the action be stop.")
    entry.close()
    return found


def read_ceilings(entry: Entry, default: Ceilings) -> Ceilings:
    """0 machines is no ceiling but a pause, and has its own switch."""
    found = Ceilings(
        count=entry.take("count", whole(1, MOST_MACHINES), default.count),
        percent=entry.take("percent", share, default.percent),
        per_hour=entry.take("per_hour", above_zero, default.per_hour),
        day_count=entry.take("day_count", whole(1, MOST_MACHINES), default.day_count),
        day_percent=entry.take("day_percent", share, default.day_percent),
        day_per_hour=entry.take("day_per_hour", above_zero, default.day_per_hour),
        currency=entry.take("currency", word, default.currency),
    )
    entry.close()
    return found


def read_safeguards(entry: Entry, ceilings: Entry, undo: Entry) -> Safeguards:
    protected: tuple[str, ...] = entry.take("protected", some(place), ())
    found = Safeguards(
        protected=tuple(one.rstrip("/").lower() for one in protected),
        ceilings=read_ceilings(ceilings, DEFAULT_CEILINGS),
        paused=entry.take("paused", switch, False),
        undo=_stages(undo),
    )
    entry.close()
    return found


def _stages(entry: Entry) -> Stages:
    minutes, days = DEFAULT_STAGES.pause // timedelta(minutes=1), DEFAULT_STAGES.age.days
    found = Stages(
        batch=entry.take("batch", whole(1, MOST_MACHINES), DEFAULT_STAGES.batch),
        pause=timedelta(minutes=entry.take("pause_minutes", whole(0, 120), minutes)),
        age=timedelta(days=entry.take("within_days", whole(1, 90), days)),
    )
    entry.close()
    return found


def guarded(
    budgets: Sequence[Budget], policies: Sequence[Policy], safeguards: Safeguards, stale: timedelta
) -> tuple[Budget, ...]:
    """Each budget with the rules that name it, and after how long its cost data are stale."""
    rules = {one.name: tuple(rule for rule in policies if one.name in rule.budgets) for one in budgets}
    return tuple(replace(one, policies=rules[one.name], safeguards=safeguards, stale_after=stale) for one in budgets)


def unfed(budgets: Sequence[Budget], sources: Sequence[Source]) -> list[Fault]:
    """A feed that nobody looks for would never be missed."""
    known = {one.name for one in sources if one.location}
    return [
        settings_fault(
            f"there is no source {one.feed} with a location", f"budgets.{one.name}.feed", "Name one of [sources.NAME]."
        )
        for one in budgets
        if one.feed and one.feed not in known
    ]


def fed(budgets: Sequence[Budget], sources: Sequence[Source]) -> tuple[Budget, ...]:
    """Each budget with its feed: the one it names, else the only source with a location that can bring its costs."""
    return tuple(replace(one, feed=one.feed or _only_feed(one, sources)) for one in budgets)


def _only_feed(budget: Budget, sources: Sequence[Source]) -> str:
    """Of several nobody knows which; then none, as the wrong one's silence would be told as this budget's."""
    found = [one.name for one in sources if one.provider == "azure" and one.location and _brings(one, budget)]
    return found[0] if len(found) == 1 else ""


def _brings(source: Source, budget: Budget) -> bool:
    """Of a subscription's costs only what lies in it; wider scopes, and exports that name none, may bring anything."""
    scope = source.azure.scope.lower()
    return not scope.startswith("/subscriptions/") or below(budget.scope, scope)


def misnamed(budgets: Sequence[Budget], policies: Sequence[Policy], rules: Classification) -> list[Fault]:
    """Rules that name what is not there would never select anything, or spare nothing, without a word."""
    known = {"budget": {one.name for one in budgets}, "environment": {*rules.values, *rules.accounts.values()}}
    return [
        settings_fault(f"there is no {what} {name}", f"policies.{rule.name}", f"Correct the name of the {what}.")
        for rule in policies
        for what, names in (("budget", rule.budgets), ("environment", rule.environments))
        for name in names
        if name not in known[what] and name != "-"
    ]


def one_id_twice(budgets: Sequence[Budget]) -> list[Fault]:
    """An alert names its budget by the id: which of two is meant would be chance."""
    names: dict[str, list[str]] = {}
    for one in budgets:
        names.setdefault(one.id, []).append(one.name)
    return [
        settings_fault(f"{' and '.join(twice)} have one id", "budgets", "Leave it with one of them.")
        for id, twice in names.items()
        if len(twice) > 1 and id != "-"
    ]


def _hours(entry: Entry) -> Hours:
    found = Hours(
        zone=entry.need("zone", zone, "UTC"),
        days=entry.take("days", days, (0, 1, 2, 3, 4)),
        opens=entry.need("from", wall_clock, time()),
        closes=entry.need("to", wall_clock, time()),
    )
    entry.close()
    return found


def some(check: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    """A list is not empty: an empty one might be meant as all or as none."""

    def read(value: object) -> tuple[str, ...]:
        found = texts(value)
        if not found:
            raise ValueError("is not empty; leave it out to ask for nothing")
        return tuple(check(one) for one in found)

    return read


def place(value: object) -> str:
    """A bare name or number would protect nothing, without a word."""
    if not is_place(text(value).rstrip("/")):
        raise ValueError("holds what is no id of a machine, group, subscription or account")
    return text(value)


def days(value: object) -> tuple[int, ...]:
    return tuple(DAYS.index(one) for one in some(one_of(DAYS))(value))


def zone(value: object) -> str:
    name = word(value)
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError('is a time zone such as "Europe/Berlin"') from None


def wall_clock(value: object) -> time:
    """Minutes are fine enough; an offset belongs into the zone."""
    try:
        found = time.fromisoformat(text(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo or len(text(value)) != 5:
        raise ValueError('is a time such as "08:00"')
    return found
