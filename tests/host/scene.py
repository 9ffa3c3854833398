"""A dollar a month, its machines, and the webhook body about them: the emulated scenario for a running app."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from emulators.budget import payload
from emulators.scenario import Setup, World, build
from tests.clock import one_day


def world_now() -> World:
    """The scenario's resources, born now: the app lives by the real clock, and a budget by its month."""
    return build(replace(Setup(), start=one_day()))


def alert_body(setup: Setup) -> bytes:
    """What the budget sends when four fifths are spent."""
    return json.dumps(payload(setup.budget(), setup.threshold, Decimal("0.8125"), datetime.now(UTC))).encode()


def ledger_toml(setup: Setup, *, live: bool = True) -> str:
    budget = setup.budget()
    return f"""
[budgets.{budget.name}]
id = "{budget.id}"
scope = "{budget.scope}"
currency = "{budget.currency}"
amount = "{budget.amount}"
tag_key = "{setup.tag_key}"
live = {str(live).lower()}
"""
