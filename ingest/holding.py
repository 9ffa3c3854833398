"""What a partition of the ledger holds, and whether a delivery may replace it: no bill lost, none doubled. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.delivery import Period
from ledger.faults import Fault

LATE = "usage of one month is billed with another: it is in the month that was delivered"
ONE_WAY = (
    "Let all exports of the source go by days (MonthToDate, TheLastMonth), or have {older} delivered by billing months "
    "as well, which leaves that usage to its invoice's month."
)


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose bill one partition holds; `keys` are billing accounts, or account/scope where exports are per scope.

    They are compared whatever their case: a provider writes an id now this way, now that.
    """

    source: str
    provider: str
    keys: frozenset[str]

    @property
    def accounts(self) -> set[str]:
        return {key.partition("/")[0] for key in self.keys}


def from_report(report: Mapping[str, object]) -> Holding:
    """The holding that a committed run's report tells of."""
    keys = report.get("holds", [])
    held = frozenset(map(str, keys)) if isinstance(keys, list | tuple) else frozenset()
    return Holding(str(report.get("source", "")), str(report.get("provider", "")), held)


def conflicts(new: Holding, period: Period, current: Holding | None, others: Sequence[Holding]) -> list[Fault]:
    """Why `new` may not be committed: another provider, an account left out, a bill that another source has."""
    faults = []
    if current and current.provider not in ("", new.provider):
        text = f"source {new.source} already holds a bill of {current.provider} for {period}"
        faults.append(
            Fault(text, "Give each provider a source of its own: --source NAME.", "source-of-another-provider")
        )
    elif current and (lost := _missing(current.accounts, new.accounts)):
        text = f"source {new.source} holds account {', '.join(lost)} for {period}, which these files do not"
        advice = "A delivery replaces the whole month: give the files of all its accounts, or one source per account."
        faults.append(Fault(text, advice, "account-would-be-lost"))
    elif current and 2 * len(lost := _missing(current.keys, new.keys)) > len(current.keys):
        shown = f"{', '.join(lost[:3])}{' ...' if len(lost) > 3 else ''}"
        text = f"source {new.source} holds {len(current.keys)} scopes for {period}, and these files lack {shown}"
        advice = "A delivery replaces the whole month: give the files of all its scopes, or name another --source."
        faults.append(Fault(text, advice, "scope-would-be-lost"))
    for other in others:
        if other.provider == new.provider and (twice := sorted(other.keys - {*_missing(other.keys, new.keys)})):
            text = f"the bill of {', '.join(twice)} for {period} is already in source {other.source}"
            advice = f"It would count twice: give --source {other.source}, or set the account there in ledger.toml."
            faults.append(Fault(text, advice, "bill-in-another-source"))
    return faults


def _missing(names: Iterable[str], among: Iterable[str]) -> list[str]:
    there = {name.casefold() for name in among}
    return sorted(name for name in names if name.casefold() not in there)


def strangers(names: Mapping[str, set[str]]) -> list[Fault]:
    """Faults for source names that one call claims for several providers."""
    return [
        Fault(
            f"source {name} would hold bills of {' and '.join(sorted(providers))}",
            "Leave --source out, or ingest each provider's files by themselves.",
            "source-of-another-provider",
        )
        for name, providers in sorted(names.items())
        if len(providers) > 1
    ]


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last day of what a month's delivery tells of, and how many of its lines are `late`.

    Late usage is billed with another month than it fell in. A delivery by days has it in its own month, one by billing
    months in that of the invoice.
    """

    period: Period
    first: str
    last: str
    late: int

    @property
    def is_by_days(self) -> bool:
        return self.first[:10] >= f"{self.period.start:%Y-%m-%d}"


def span_of(report: Mapping[str, object]) -> Span | None:
    """By a run's report; None where it tells no days."""
    days, assumed = report.get("days"), report.get("assumed")
    if not isinstance(days, list | tuple) or len(days) != 2 or not isinstance(assumed, Mapping):
        return None
    return Span(Period.parse(str(report["period"])), str(days[0]), str(days[1]), int(str(assumed.get(LATE, 0))))


def doubled(new: Span, others: Iterable[Span]) -> Fault | None:
    """Late usage of one month that is delivered by days there, and by billing months in a later one."""
    for other in others:
        older, newer = sorted((new, other), key=lambda one: one.period)
        reaches = newer.first[:10] < f"{older.period.end:%Y-%m-%d}"
        if older.late and newer.late and older.is_by_days and not newer.is_by_days and reaches:
            text = (
                f"usage of {older.period} that is billed later is in {older.period}, which was delivered by days, and "
                f"again in {newer.period}, which is delivered by billing months"
            )
            return Fault(text, f"It would count twice. {ONE_WAY.format(older=older.period)}", "late-usage-twice")
    return None
