"""A machine that is not at its id any more: gone, or moved by somebody. One that is moved keeps its identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from governance import pace
from governance.model import Budget, Fleet, Machine
from governance.order import Order
from ledger.faults import Missing, reject

MOVED = "moved"


@contextmanager
def sought(order: Order, budget: Budget | None, fleet: Fleet, since: str = "the plan") -> Iterator[None]:
    """What is Missing inside is looked for in the budget's scopes; listed elsewhere, it is Rejected with its new id.

    It is never called there: that id is in no plan. Faults of the listing surface: unseen is not gone.
    """
    try:
        yield
    except Missing:
        if now_at := _listed_at(order, budget, fleet):
            advice = "The next alert's plan finds it there. Until then stop it, or start it, yourself."
            raise reject(f"it was moved since {since}, and is now {now_at}", advice, MOVED) from None
        raise


def _listed_at(order: Order, budget: Budget | None, fleet: Fleet) -> str:
    """Its id elsewhere, '' where there is none; without an identity nobody could know it again."""
    identity, kind = order.planned.get("identity"), order.planned["kind"]
    if not identity:
        return ""
    found = (one for place in _places(order, budget) for one in _listed(fleet, place))
    same = (one.id for one in found if (one.identity, one.kind) == (identity, kind))
    return next((id for id in same if id.lower() != order.target.lower()), "")


def _places(order: Order, budget: Budget | None) -> Sequence[str]:
    return (budget.scope, *budget.also) if budget else (pace.account(order.target),)


def _listed(fleet: Fleet, place: str) -> list[Machine]:
    """A scope that is gone itself, such as a whole resource group, has nothing in it."""
    try:
        return fleet.machines(place)
    except Missing:
        return []
