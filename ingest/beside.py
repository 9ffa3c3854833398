"""What stands beside a bill, price sheets and companions: whose it is, and with which bill it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingest import companions, prices
from ingest.checks import Member
from ingest.companions import fits, unclear
from ingest.deliveries import Found
from ingest.shapes import Shape, price_sheet
from ingest.staging import Staged
from ledger.faults import Fault, Rejected

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Beside = Mapping[str, tuple[Staged, ...]]  # by the account, in lower case, of the bills that they belong to
NOTHING: Beside = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Owned:
    """What stands beside a bill: the billing accounts it is of, in lower case, and the accounts within them.

    Either is empty where it does not say.
    """

    staged: Staged
    accounts: frozenset[str] = frozenset()
    members: frozenset[Member] = frozenset()


def stands_beside(staged: Staged) -> bool:
    """Whether it is no bill, but belongs to one."""
    return prices.is_sheet(staged) or companions.is_companion(staged)


def owned(connection: DuckDBPyConnection, staged: Staged) -> Owned:
    """Whose it is, once its values are looked at. Rejected names what is wrong with them."""
    if prices.is_sheet(staged):
        return Owned(staged, prices.owners(connection, staged))
    return Owned(staged, *companions.owners(connection, staged))


def takes(bill: Shape, other: Shape) -> bool:
    """Whether the mapping of such a bill reads it."""
    return other.name in bill.companions or (bool(bill.prices) and other.name == price_sheet().name)


def beside(given: Iterable[Owned], found: Sequence[Found]) -> dict[str, tuple[Staged, ...]]:
    """What is given, by the account of a bill that it belongs to. Rejected where it belongs to none, or to any."""
    chosen: dict[str, tuple[Staged, ...]] = {}
    faults = []
    for one in given:
        bills = [entry for entry in found if takes(entry.staged.shape, one.staged.shape) and _is_of(one, entry)]
        faults += _unclear(one, bills) if bills else [_unused(one, found)]
        for account in sorted({entry.account.lower() for entry in bills}):
            chosen[account] = (*chosen.get(account, ()), one.staged)
    if faults:
        raise Rejected(faults)
    return chosen


def beside_if_any(given: Iterable[Owned], found: Sequence[Found], left_out: list[str]) -> dict[str, tuple[Staged, ...]]:
    """The same, with a word in `left_out` on what belongs to none of the bills."""
    fitting: list[Owned] = []
    for one in given:
        if any(takes(entry.staged.shape, one.staged.shape) and _is_of(one, entry) for entry in found):
            fitting.append(one)
        else:
            left_out.append(f"{_unused(one, found).message}: {one.staged.file.label} is left out")
    return beside(fitting, found)


def given_to(found: Sequence[Found], given: Beside) -> tuple[Staged, ...]:
    """Those of the accounts in one delivery, each once."""
    shape, accounts = found[0].staged.shape, sorted({entry.account.lower() for entry in found})
    every = [one for account in accounts for one in given.get(account, ()) if takes(shape, one.shape)]
    return tuple({one.digest: one for one in every}.values())


def _is_of(one: Owned, entry: Found) -> bool:
    is_account = not one.accounts or entry.account.lower() in one.accounts
    told = one.members and entry.members
    return is_account and (not told or any(fits(a, b) for a in one.members for b in entry.members))


def _unclear(one: Owned, bills: Sequence[Found]) -> list[Fault]:
    """An account's own view does not name the account: of several it could be any."""
    known = {member for entry in bills for member in entry.members}
    if not any(unclear(member, known) for member in one.members):
        return []
    text = f"the bill is of {len(known)} accounts, and the file does not tell of which one it is"
    advice = "Add the columns ACCOUNT_LOCATOR and REGION to what is unloaded, or give the bill of that account alone."
    return [Fault(text, advice, "companion-unclear", one.staged.file.label, column="ACCOUNT_LOCATOR")]


def _unused(one: Owned, found: Sequence[Found]) -> Fault:
    label = one.staged.file.label
    if prices.is_sheet(one.staged):
        return prices.unused(label, one.accounts, alone=not found)
    if not found:
        text = f"{one.staged.shape.label} is no bill: it tells more of what a bill charges"
        return Fault(text, "Give it together with the bill that it belongs to.", "companion-alone", label)
    named = sorted(one.accounts) or sorted(".".join(filter(None, member)) for member in one.members)
    whose = f" of {', '.join(named[:3])}{' ...' if len(named) > 3 else ''}" if named else ""
    text = f"{one.staged.shape.label}{whose} is given, but no bill that it belongs to"
    return Fault(text, "Give what belongs to the bill's own accounts, or leave it out.", "companion-of-another", label)
