"""Errors named by what the caller must do; every edge turns SDK errors into these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input, with its place and what to do about it.

    `row` counts data rows from 1 (the header is not a row); None where no single row is at fault.
    """

    message: str
    advice: str
    rule: str
    file: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = [
            f"file {self.file}" if self.file else "",
            f"row {self.row}" if self.row is not None else "",
            f"column {self.column}" if self.column else "",
        ]
        where = ", ".join(part for part in place if part)
        return f"{where + ': ' if where else ''}{self.message} [{self.rule}] {self.advice}"

    def as_json(self) -> dict[str, str | int | None]:
        return asdict(self)


class Rejected(Exception):
    """Tell the person: trying again without a change cannot help. Carries every fault found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class Transient(Exception):
    """Try again later; `retry_after` is what the other side asked for, if it did."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NotYet(Transient):
    """There is nothing yet, which is unknown and not zero: the next time that it is asked for as usual will do."""


class Conflict(Exception):
    """Somebody else changed it first: read again, then decide again."""


class Missing(Exception):
    """The named thing is not there."""


def reject(message: str, advice: str, rule: str, **place: str | int | None) -> Rejected:
    """A Rejected of one fault; `place` takes file, row and column."""
    return Rejected([Fault(message, advice, rule, **place)])  # type: ignore[arg-type]  # keys are Fault's own
