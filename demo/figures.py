"""The figures the demo must show, each against what was computed; the only place that knows them."""

from __future__ import annotations

from decimal import Decimal

from demo.story import Control, Money
from emulators.scenario import ADDRESS_OF_LAB, DISK_OF_LAB, LAB, PRODUCTION, UNTAGGED

Check = tuple[str, object, object]

_SUMMARY = {
    "by_provider": {"AWS": "80.65", "Azure": "0.85", "Snowflake": "255.00"},
    "by_environment": {"Production": "317.15", "Development": "19.35"},
    "by_service_code": {
        "Snowflake": "255.00",
        "AmazonEC2": "50.00",
        "AmazonRDS": "18.50",
        "AmazonS3": "12.15",
        "Virtual Machines": "0.75",
        "Storage": "0.08",
        "Virtual Network": "0.02",
    },
}


def checks(money: Money, control: Control) -> list[Check]:
    """(what, wanted, found) for every figure."""
    return [*_of_money(money), *_of_the_bill(control), *_of_the_stop(control)]


def wrong(found: list[Check]) -> list[str]:
    """A sentence for each figure that is off."""
    return [f"{what}: wanted {wanted}, found {got}" for what, wanted, got in found if wanted != got]


def _of_money(money: Money) -> list[Check]:
    return [
        ("total billed", "336.50", money.block.get("total")),
        ("Snowflake's share", "75.78", money.percent("by_provider", "Snowflake")),
        ("difference between raw files and ledger", Decimal(0), money.difference),
        *(
            (f"{group.removeprefix('by_')} {name}", wanted, money.cost(group, name))
            for group, lines in _SUMMARY.items()
            for name, wanted in lines.items()
        ),
    ]


def _of_the_bill(control: Control) -> list[Check]:
    outcome = control.outcome
    return [
        ("spend at hour 39", Decimal("0.7921875"), outcome.hours[38].spent),
        ("spend at hour 40", Decimal("0.8125"), outcome.hours[39].spent),
        ("hour of the webhook", 40, outcome.fired),
        ("machine", Decimal("0.75"), outcome.line(LAB).cost),
        ("disk", Decimal("0.08"), outcome.line(DISK_OF_LAB).cost),
        ("address", Decimal("0.02"), outcome.line(ADDRESS_OF_LAB).cost),
        ("tagged resources in all", Decimal("0.85"), outcome.tagged_cost),
    ]


def _of_the_stop(control: Control) -> list[Check]:
    outcome = control.outcome
    return [
        ("machines asked to deallocate", [LAB], list(control.calls)),
        ("power state read back", "deallocated", _read_back(control)),
        ("tagged machine", "deallocated", outcome.line(LAB).state),
        ("untagged machine", "running", outcome.line(UNTAGGED).state),
        ("production machine", "running", outcome.line(PRODUCTION).state),
        ("machines asked to start by the undo", [LAB], list(control.started)),
        ("power state read back after the undo", "running", _running(control)),
        ("faults in the record's chains", [], list(control.faults)),
    ]


def _read_back(control: Control) -> object:
    verified = control.event("verified")
    return verified.body.get("power") if verified else None


def _running(control: Control) -> object:
    events = [event for undone in control.undone for event in undone.events if event.kind == "verified"]
    return events[-1].body.get("power") if events else None
