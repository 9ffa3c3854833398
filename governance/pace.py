"""How fast the orders of one plan call their control plane, so that it need not refuse them. Pure.

Azure documents token buckets (May 2024): its Resource Manager takes 200 writing calls at once and 10 a second after
that, 250 readings and 25 a second, per subscription. AWS lets an account change 50 instances at once, then 5 a second.
Each order looks, calls and is read back, so both buckets are spent together; a margin is left for everybody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls at once, calls a second after that, and readings a second."""

    burst: int
    per_second: int
    readings: int


RATES: Mapping[str, Rate] = {
    "/subscriptions/": Rate(150, 10, 16),
    "arn:": Rate(40, 5, 10),
    "": Rate(10, 2, 5),
}
Target = Mapping[str, object]


def account(id: str) -> str:
    """Whose bucket an id's calls are taken from: a subscription, an account in a region, an account of Snowflake."""
    folded = id.lower()
    if folded.startswith("arn:"):
        return ":".join(folded.split(":")[:5])
    return "/".join(folded.split("/")[: 3 if folded.startswith("/") else 1])


def paced(targets: Sequence[Target]) -> Iterator[tuple[Target, timedelta, int]]:
    """Each target, how long after the plan its order is due, and of how many in the same account it is one."""
    peers = Counter(account(str(target["id"])) for target in targets)
    places: Counter[str] = Counter()
    for target in targets:
        whose = account(str(target["id"]))
        yield target, _delay(rate(whose), places[whose]), peers[whose]
        places[whose] += 1


def rate(id: str) -> Rate:
    return next(found for prefix, found in RATES.items() if id.lower().startswith(prefix))


def between_readings(id: str, peers: int) -> timedelta:
    """How long at least until the next reading, so that all peers can be read once in that time."""
    return timedelta(seconds=-(-peers // rate(id).readings))


def due(first: Mapping[str, object], otherwise: datetime) -> datetime:
    """When an order may call, as its first event says; older events do not."""
    said = first.get("due")
    return datetime.fromisoformat(str(said)) if said else otherwise


def _delay(found: Rate, place: int) -> timedelta:
    return timedelta(seconds=max(0, place - found.burst)) / found.per_second
