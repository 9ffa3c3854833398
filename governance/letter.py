"""What a notice says: title, lines and links, from the event, the alert behind it and the words of its kind. Pure.

Whatever comes from outside (names, tags, reasons) is plain text here: without control characters, and cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from string import Template

from governance import streams
from governance.model import Event
from governance.notices import Kind
from governance.receipt import money, rounded

LONGEST = 200
MOST_MACHINES = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice ready for any medium; `id` is the same at every try, `links` are secrets of who gets it."""

    id: str
    kind: str
    at: str
    budget: str
    title: str
    lines: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict, repr=False)


class Facts(dict[str, str]):
    """Fields of a text; one that nobody recorded reads so."""

    def __missing__(self, name: str) -> str:
        return "unknown"


def letter(
    id: str,
    kind: Kind,
    event: Event,
    alert: Mapping[str, object],
    budget: str,
    *,
    targets: Sequence[Mapping[str, object]] | None = None,
    links: Mapping[str, str] | None = None,
) -> Letter:
    """`alert` is the body of the received alert, empty where there is none; `targets` instead of the event's own."""
    shown = _targets(event.body) if targets is None else targets
    facts = _facts(event, alert, budget, shown)
    lines = [clean(Template(line).substitute(facts)) for line in kind.lines]
    machines = machine_lines(shown) if kind.shows else []
    title = clean(Template(kind.title).substitute(facts))
    at = event.at.isoformat(timespec="seconds")
    return Letter(id, kind.name, at, clean(budget), title, (*lines, *machines), links or {})


def clean(value: object) -> str:
    """One line of text: nothing that breaks a line or a header, turns the direction of writing, or is out of bounds."""
    text = "".join(one if one.isprintable() else " " for one in str(value)).strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def machine_lines(targets: Sequence[Mapping[str, object]]) -> list[str]:
    lines = [_machine(one) for one in sorted(targets, key=_is_stopped)[:MOST_MACHINES]]
    more = len(targets) - len(lines)
    return [*lines, *([f"and {more} more: ledger plan show has all"] if more > 0 else [])]


def savings(targets: Sequence[Mapping[str, object]], name: str) -> str:
    """What the known prices come to, per currency, and how many are not known."""
    known: dict[str, Decimal] = {}
    for one in targets:
        if one.get(name) is not None:
            currency = str(one["currency"])
            known[currency] = known.get(currency, Decimal(0)) + Decimal(str(one[name]))
    unknown = sum(one.get(name) is None for one in targets)
    told = [f"{rounded(amount)} {currency}" for currency, amount in sorted(known.items())]
    return (
        " + ".join(
            [*told, *([f"what {unknown} of unknown price cost" if told else "an unknown amount"] * bool(unknown))]
        )
        or "nothing"
    )


def _facts(event: Event, alert: Mapping[str, object], budget: str, targets: Sequence[Mapping[str, object]]) -> Facts:
    who = event.body.get("who")
    told = {**alert, **event.body, **(who if isinstance(who, Mapping) else {})}
    facts = Facts({name: _text(value) for name, value in told.items() if isinstance(value, (str, int))})
    stopped = [one for one in targets if _is_stopped(one)]
    count = len(targets)
    return Facts(
        facts,
        budget=clean(budget),
        machine=clean(str(told.get("target", "unknown")).rpartition("/")[2]),
        count=f"{count} machine{'s' * (count != 1)}",
        failed=str(count - len(stopped)),
        percent=_percent(told.get("threshold")),
        plan=clean(event.body.get("plan", event.body.get("digest", "unknown")))[:12],
        reasons=clean("; ".join(_texts(told.get("reasons")))),
        saves=savings(stopped, "saves"),
        saves_until_end=savings(stopped, "saves_until_end"),
    )


def _text(value: str | int) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else clean(value)


def _percent(threshold: object) -> str:
    return "unknown" if threshold is None else format((Decimal(str(threshold)) * 100).normalize(), "f")


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _targets(body: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    return streams.targets_in(body) if isinstance(body.get("targets"), list) else []


def _is_stopped(target: Mapping[str, object]) -> bool:
    """A plan has no outcome yet: all of it counts."""
    return bool(target.get("stopped", True))


def _machine(target: Mapping[str, object]) -> str:
    name = str(target.get("id", "")).rpartition("/")[2]
    mark = "" if _is_stopped(target) else "NOT STOPPED: "
    return clean(f"{mark}{name}: {target.get('outcome', target.get('reason', ''))}{money(target)}")
