"""Purchases by items of contracts: each is billed in the month of its first day, where the source asks for it. Pure.

An item may be changed once that month is in the ledger. A run commits one month: what others have of it is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from ingest.contracts import TABLE, Item
from ingest.deliveries import Assembled
from ledger.faults import Fault, Rejected
from ledger.summary import plain

ONE_OWNER = (
    "A contract is of one organization: unload CONTRACT_ITEMS of the bill's own alone, after a renaming once more."
)
ONE_CURRENCY = (
    "Check that CONTRACT_ITEMS is of the bill's organization and the source's currency in ledger.toml; amounts are not"
    " converted on the way in."
)


def judged(items: Sequence[Item], held: Mapping[str, Sequence[Item]], assembled: Assembled) -> list[tuple[str, int]]:
    """What a person should know of the months held, and of how many items. Rejected on items that cannot be billed.

    `held` is what each month of the ledger was committed with.
    """
    options, period = dict(assembled.options), str(assembled.period)
    file = " and ".join(one.file.label for one in assembled.companions if one.shape.name == TABLE)
    is_billed = options.get("contract_billing") == "purchase" and not options.get("marketplace")
    faults = _of_two(items, file) + _strangers(items, period, options.get("purchase_currency", ""), file)
    if faults:
        raise Rejected(faults)
    return (
        [told for month in sorted({*held} - {period}) for told in _stale(items, held[month], month)]
        if is_billed
        else []
    )


def _of_two(items: Sequence[Item], file: str) -> list[Fault]:
    faults = []
    for contract, of in groupby(sorted(items, key=lambda item: item.contract), key=lambda item: item.contract):
        owners = sorted({item.organization.upper() for item in of})
        if len(owners) > 1:
            text = f"contract {contract} is of {' and of '.join(owners)}"
            faults.append(Fault(text, ONE_OWNER, "contract-organization", file, column="ORGANIZATION_NAME"))
    return faults


def _strangers(items: Sequence[Item], period: str, currency: str, file: str) -> list[Fault]:
    """Purchases of the month in another currency than the source's only one; none where it has no such."""
    wrong = [item for item in items if currency and _is_bought(item, period) and item.currency != currency]
    texts = [f"{item.id} is bought for {_money(item)}, but the source is set to {currency}" for item in wrong]
    return [Fault(text, ONE_CURRENCY, "contract-currency", file, column="CURRENCY") for text in texts]


def _is_bought(item: Item, month: str) -> bool:
    """As the mapping has it: macro item_kind."""
    name = item.item.lower()
    return "capacity" in name and "free" not in name and bool(item.amount) and f"{item.starts:%Y-%m}" == month


def _money(item: Item) -> str:
    return f"{item.currency} {plain(item.amount or Decimal(0))}"


def _stale(items: Sequence[Item], held: Sequence[Item], month: str) -> list[tuple[str, int]]:
    """The purchases that a month has otherwise than they are known now; another day of the month changes nothing."""
    was, now = ([item for item in which if _is_bought(item, month)] for which in (held, items))
    gone, new = _less(was, now), _less(now, was)
    told = []
    for one in gone:
        other = _successor(one, new, items, held)
        new = [item for item in new if item is not other]
        told.append(f"{one.id} at {_money(one)}, now {_told(other, month)}")
    told += [f"{one.id} not at all, now at {_money(one)}" for one in new]
    text = f"purchases that {month} has as they were, read {month} again: {'; '.join(told)}"
    return [(text, len(told))] if told else []


def _less(ones: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    known = {(item.contract, item.item, item.currency, item.amount) for item in others}
    return [item for item in ones if (item.contract, item.item, item.currency, item.amount) not in known]


def _successor(one: Item, new: Sequence[Item], items: Sequence[Item], held: Sequence[Item]) -> Item | None:
    """What took the item's place: in its month, else one that the month did not know."""
    known = {item.key for item in held}
    chosen = [*new, *(item for item in items if item.key not in known)]
    return next((item for item in chosen if (item.contract, item.item) == (one.contract, one.item)), None)


def _told(item: Item | None, month: str) -> str:
    if item is None:
        return "not at all"
    begins = f"{item.starts:%Y-%m}"
    return f"at {_money(item)}" if begins == month else f"in {begins} at {_money(item)}"
