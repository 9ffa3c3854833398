"""From the bytes of a webhook to what it claims: the forms of a budget alert, their fields as text, nothing judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

MAX_BYTES = 256 * 1024  # the stated upper limit of a common-schema alert
COMMON = "azureMonitorCommonAlertSchema"
LEGACY = "AIP Budget Notification"
KINDS = {"Actual": "actual", "Forecasted": "forecast"}


class Refused(Exception):
    """The body is no alert to act on; `status` is the 4xx to answer."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an alert says of itself, every value still text.

    `budget_id` and `fired` are empty in the legacy forms, which carry neither.
    """

    form: str
    kind: str
    budget_id: str
    budget_name: str
    scope: str
    unit: str
    limit: str
    threshold: str
    spent: str
    fired: str
    started: str
    alert_id: str = ""
    description: str = ""


def read(body: bytes) -> Claim:
    """The claim in a body; Refused says why there is none."""
    if len(body) > MAX_BYTES:
        raise Refused(413, f"the body has {len(body)} bytes, the limit is {MAX_BYTES}")
    document = _object(_json(body), "the body")
    schema = document.get("schemaId")
    if schema == COMMON:
        return _common(_inner(document, "data"))
    if schema == LEGACY:
        return _legacy(_inner(document, "data"))
    raise Refused(422, f"schemaId is {clip(schema)}, not a budget alert's")


def clip(value: object) -> str:
    """A foreign value, short and printable enough for an answer and the record."""
    return ascii(value)[:80]


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except Refused:
        raise
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"not JSON: {type(error).__name__}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(400, "a key appears twice in one object, so its meaning is in doubt")
    return found


def _no_constant(name: str) -> object:
    raise Refused(400, f"{name} is not JSON")


def _common(data: Mapping[str, object]) -> Claim:
    essentials, context = _inner(data, "essentials"), _inner(data, "alertContext")
    if _text(essentials, "monitoringService") != "CostAlerts" or context.get("AlertCategory") != "budgets":
        raise Refused(422, "not a budget alert: another monitoring service or category")
    detail = _inner(context, "AlertData")
    return Claim(
        form="common",
        kind=_kind(detail),
        budget_id=_text(detail, "BudgetId"),
        budget_name=_text(detail, "BudgetName"),
        scope=_text(detail, "Scope"),
        unit=_money_unit(detail),
        limit=_text(detail, "BudgetThreshold"),
        threshold=_text(detail, "NotificationThresholdAmount"),
        spent=_text(detail, "SpentAmount"),
        fired=_text(essentials, "firedDateTime"),
        started=_text(detail, "BudgetStartDate"),
        alert_id=_text(essentials, "alertId"),
        description=_optional(essentials, "description"),
    )


def _legacy(data: Mapping[str, object]) -> Claim:
    group = _optional(data, "ResourceGroup")
    return Claim(
        form="legacy" if "EnrollmentNumber" in data else "legacy-short",
        kind="actual",  # the legacy forms do not say; the amounts decide whether it is more than a notice
        budget_id="",
        budget_name=_text(data, "BudgetName"),
        scope=f"/subscriptions/{_text(data, 'SubscriptionId')}" + (f"/resourcegroups/{group}" if group else ""),
        unit=_money_unit(data),
        limit=_text(data, "Budget"),
        threshold=_text(data, "NotificationThresholdAmount"),
        spent=_text(data, "SpendingAmount"),
        fired="",
        started=_text(data, "BudgetStartDate"),
    )


def _kind(detail: Mapping[str, object]) -> str:
    word = _text(detail, "ThresholdType")
    if word not in KINDS:
        raise Refused(422, f"ThresholdType is {clip(word)}, neither Actual nor Forecasted")
    return KINDS[word]


def _money_unit(detail: Mapping[str, object]) -> str:
    if _text(detail, "BudgetType") != "Cost":
        raise Refused(422, f"BudgetType is {clip(detail['BudgetType'])}: only cost budgets are acted on")
    return _text(detail, "Unit")


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Refused(422, f"{name} is not a JSON object")
    return value


def _inner(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    return _object(parent.get(name), name)


def _optional(parent: Mapping[str, object], name: str) -> str:
    return _text(parent, name) if parent.get(name) not in (None, "") else ""


def _text(parent: Mapping[str, object], name: str) -> str:
    """A non-blank text; lone surrogates are refused, they cannot be hashed or stored."""
    value = parent.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(422, f"{name} is missing or not a text")
    if len(value) > 2048 or any("\ud800" <= char <= "\udfff" for char in value):
        raise Refused(422, f"{name} is too long or not valid text")
    return value
