"""From the bytes of a webhook to an Alert, or to a refusal with its reason. Never raises.

The period of an alert is the UTC month in which it fired, or that and the one before (period.py). The legacy forms
carry no time of firing and their BudgetStartDate is the first day the budget ever had, so theirs is of their arrival.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256

from governance import amounts, period, policy
from governance.canonical import digest
from governance.model import Alert, Budget, Refusal
from governance.payload import Claim, Refused, clip, read
from governance.rules import NOTICE, SPARE, STOP, Policy

MAX_AGE = timedelta(days=3)
MAX_AHEAD = timedelta(minutes=10)
# Cost Management takes thresholds up to 1000 %; a larger ratio means an amount was misread on one side.
MAX_RATIO = Decimal(10)
TEST_ALERT = "a test alert from the portal"
_RATIO_DIGITS = Decimal("0.000001")
# The subscription and the budget names of the portal's test alerts are Microsoft's own, and nobody's registry has them.
_SAMPLE = ("/subscriptions/11111111-1111-1111-1111-111111111111", "test")
_TEST = re.compile(r"(?<![a-z])test(?![a-z])", re.IGNORECASE)


def parse(body: bytes, *, budgets: Sequence[Budget], now: datetime, max_age: timedelta = MAX_AGE) -> Alert | Refusal:
    """Judge one webhook body against the registry; an Alert with `notice_only` set must never lead to a stop."""
    seal = sha256(body).hexdigest()
    named = ("", "")
    try:
        claim = read(body)
        named = next(((one.name, one.id) for one in budgets if _names(claim, one)), (clip(claim.budget_name), ""))
        if _is_sample(claim) and not any(_names(claim, budget) for budget in budgets):
            return Refusal(202, TEST_ALERT, seal)
        return _judge(claim, _registered(claim, budgets), seal, now, max_age)
    except Refused as refused:
        return Refusal(refused.status, refused.reason, seal, *named)


def _judge(claim: Claim, budget: Budget, seal: str, now: datetime, max_age: timedelta) -> Alert:
    _check_start(claim, now)
    fired = _fired(claim.fired, now, max_age) if claim.fired else None
    limit, threshold, spent = _money(claim, budget)
    ratio = _ratio(claim, threshold, limit)
    months = period.of(fired or now)
    return Alert(
        key=key_of(budget.id, months, ratio, claim.kind),
        budget_id=budget.id,
        budget_name=budget.name,
        scope=budget.scope,
        currency=budget.currency,
        limit=limit,
        spent=spent,
        threshold=ratio,
        kind=claim.kind,
        period=months,
        form=claim.form,
        fired_at=fired,
        digest=seal,
        notice_only=_notice(claim, budget, spent, ratio, threshold),
        policies=tuple(one.name for one in _reached(claim, budget, ratio, threshold) if one.action != SPARE),
        alert_id=claim.alert_id,
    )


def key_of(budget_id: str, months: str, ratio: Decimal, kind: str) -> str:
    """One effect."""
    return digest([_arm(budget_id), months, format(ratio.normalize(), "f"), kind])


def _registered(claim: Claim, budgets: Sequence[Budget]) -> Budget:
    """The registry's budget the claim names; the claim's own scope and currency must be the registry's."""
    named = [budget for budget in budgets if _names(claim, budget)]
    if not named:
        raise Refused(403, f"budget {clip(claim.budget_name)} is not in the registry")
    inside = [budget for budget in named if _arm(claim.scope) == _arm(budget.scope)]
    if len(inside) != 1:
        raise Refused(403, f"scope {clip(claim.scope)} is not the registered scope of the budget")
    if claim.unit != inside[0].currency:
        raise Refused(422, f"currency {clip(claim.unit)} is not the budget's {inside[0].currency}")
    return inside[0]


def _names(claim: Claim, budget: Budget) -> bool:
    """By ARM id where the form has one, and always by name; ARM compares both without case."""
    by_id = not claim.budget_id or _arm(claim.budget_id) == _arm(budget.id)
    return by_id and claim.budget_name.lower() in (budget.name.lower(), _arm(budget.id).rpartition("/")[2])


def _arm(id: str) -> str:
    return id.lower().rstrip("/")


def _fired(text: str, now: datetime, max_age: timedelta) -> datetime:
    try:
        fired = datetime.fromisoformat(text).astimezone(UTC) if re.search(r"(Z|[+-]\d\d:?\d\d)$", text) else None
    except (ValueError, OverflowError):
        fired = None
    if fired is None:
        raise Refused(422, f"firedDateTime {clip(text)} is not an instant with its offset")
    if fired < now - max_age:
        raise Refused(422, f"fired at {fired.isoformat()}, longer ago than {max_age}")
    if fired > now + MAX_AHEAD:
        raise Refused(422, f"fired at {fired.isoformat()}, which is in the future")
    return fired


def _check_start(claim: Claim, now: datetime) -> None:
    """Both spellings seen: 2026-11-01 (common) and 11/17/2026 5:40:29 PM -08:00 (legacy)."""
    iso = re.match(r"(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)(?!\d)", claim.started, re.ASCII)
    found = iso or re.match(r"(?P<m>\d\d?)/(?P<d>\d\d?)/(?P<y>\d{4})(?!\d)", claim.started, re.ASCII)
    try:
        start = datetime(int(found["y"]), int(found["m"]), int(found["d"]), tzinfo=UTC) if found else None
    except ValueError:
        start = None
    if start is None:
        raise Refused(422, f"BudgetStartDate {clip(claim.started)} is not a date")
    if start > now + timedelta(days=1):
        raise Refused(422, f"BudgetStartDate {clip(claim.started)} lies in the future")


def _money(claim: Claim, budget: Budget) -> tuple[Decimal, Decimal, Decimal]:
    """Limit, threshold and spent; the limit must be the registry's to the last digit."""
    limit, threshold, spent = (
        _amount(text, name, budget.currency)
        for name, text in (("limit", claim.limit), ("threshold", claim.threshold), ("spent", claim.spent))
    )
    if limit != budget.amount:
        raise Refused(422, f"limit {clip(claim.limit)} is not the registry's {budget.amount} {budget.currency}")
    if limit <= 0:
        raise Refused(422, "a budget of nothing has no threshold")
    return limit, threshold, spent


def _amount(text: str, name: str, currency: str) -> Decimal:
    try:
        return amounts.read(text, currency)
    except amounts.Unreadable as fault:
        raise Refused(422, f"{name} {clip(text)} cannot be read as {currency} without doubt: {fault}") from None


def _ratio(claim: Claim, threshold: Decimal, limit: Decimal) -> Decimal:
    """The threshold as a share of the limit, to six places.

    The common form always prints an amount. The legacy forms print an amount or, in the older one, the share itself.
    """
    share = claim.form != "common" and threshold <= 1
    if share and limit <= 1:
        raise Refused(422, f"threshold {clip(claim.threshold)} may be an amount or a share of the limit")
    ratio = threshold if share else threshold / limit
    if not 0 < ratio <= MAX_RATIO:
        raise Refused(422, f"threshold {clip(claim.threshold)} is no plausible share of {limit}")
    return ratio.quantize(_RATIO_DIGITS).normalize()


def _notice(claim: Claim, budget: Budget, spent: Decimal, ratio: Decimal, threshold: Decimal) -> str:
    """Why this alert may only be noted; empty when it may lead to a stop."""
    if _is_test(claim):
        return TEST_ALERT
    stopping = [one for one in _answering(claim, budget) if one.action == STOP]
    if not stopping and claim.kind != "actual":
        return "a forecast: nothing is stopped on a forecast"
    if claim.kind == "actual" and spent < (threshold if _is_amount(claim, threshold) else ratio * budget.amount):
        return f"spent {spent} is below the threshold the alert names"
    reached = [one.action for one in _reached(claim, budget, ratio, threshold)]
    return "" if STOP in reached else _below(stopping, ratio, NOTICE in reached)


def _below(stopping: Sequence[Policy], ratio: Decimal, noted: bool) -> str:
    if noted:
        return f"a rule asks for a notice at threshold {ratio}"
    lowest = min((one.threshold for one in stopping), default=None)
    return f"threshold {ratio} is below the budget's action threshold {lowest}" if lowest else "no rule asks for a stop"


def _answering(claim: Claim, budget: Budget) -> list[Policy]:
    return [one for one in policy.policies_of(budget) if claim.kind in one.alerts]


def _reached(claim: Claim, budget: Budget, ratio: Decimal, threshold: Decimal) -> list[Policy]:
    printed = threshold if _is_amount(claim, threshold) else None
    return [one for one in _answering(claim, budget) if _reaches(budget, one.threshold, ratio, printed)]


def _is_amount(claim: Claim, threshold: Decimal) -> bool:
    return claim.form == "common" or threshold > 1


def _reaches(budget: Budget, wanted: Decimal, ratio: Decimal, printed: Decimal | None) -> bool:
    """A printed amount is rounded to its own digits (80 % of 0.33 prints 0.26), so the bound is rounded like it."""
    if printed is None:
        return ratio >= wanted
    bound = wanted * budget.amount
    return printed >= bound.quantize(Decimal(1).scaleb(int(printed.as_tuple().exponent)), ROUND_HALF_EVEN)


def _is_sample(claim: Claim) -> bool:
    place, name = _SAMPLE
    return _is_test(claim) or (_arm(claim.scope).startswith(place) and claim.budget_name.lower().startswith(name))


def _is_test(claim: Claim) -> bool:
    """The budget's own name is taken out first: a budget called load-test must still be able to act."""
    description = claim.description.replace(claim.budget_name, "")
    return bool(_TEST.search(description) or _TEST.search(claim.alert_id.rpartition("/")[2]))
