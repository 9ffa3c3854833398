"""Scopes of Azure's Cost Management: what kind one is, by its resource id. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.faults import reject

RULE = "azure-scope"

SUBSCRIPTION, RESOURCE_GROUP, MANAGEMENT_GROUP = "subscription", "resource group", "management group"
ENROLLMENT, ACCOUNT, PROFILE = "enrollment", "billing account", "billing profile"
DEPARTMENT, ENROLLMENT_ACCOUNT, SECTION, CUSTOMER = "department", "enrollment account", "invoice section", "customer"

_PART = r"[\w.:()-]+"  # no more than names may have: the SDK takes a brace for a place to fill
_BILLING = "/providers/Microsoft.Billing/billingAccounts/"
# What follows is the kind of scope; the first that fits wins: an enrollment's number is all digits.
_KINDS: tuple[tuple[str, str], ...] = (
    (SUBSCRIPTION, rf"/subscriptions/{_PART}"),
    (RESOURCE_GROUP, rf"/subscriptions/{_PART}/resourceGroups/{_PART}"),
    (MANAGEMENT_GROUP, rf"/providers/Microsoft\.Management/managementGroups/{_PART}"),
    (ENROLLMENT, rf"{_BILLING}\d+"),
    (ACCOUNT, rf"{_BILLING}{_PART}"),
    (DEPARTMENT, rf"{_BILLING}{_PART}/departments/{_PART}"),
    (ENROLLMENT_ACCOUNT, rf"{_BILLING}{_PART}/enrollmentAccounts/{_PART}"),
    (PROFILE, rf"{_BILLING}{_PART}/billingProfiles/{_PART}"),
    (SECTION, rf"{_BILLING}{_PART}/(?:billingProfiles/{_PART}/)?invoiceSections/{_PART}"),
    (CUSTOMER, rf"{_BILLING}{_PART}/customers/{_PART}"),
)
_FORMS = [(kind, re.compile(form.replace("Microsoft.Billing", r"Microsoft\.Billing"), re.I)) for kind, form in _KINDS]
_ADVICE = (
    "Give a resource id, such as /subscriptions/ID or /providers/Microsoft.Billing/billingAccounts/ID; "
    "the Azure portal shows it under Cost Management, Properties."
)


@dataclass(frozen=True, slots=True)
class Scope:
    """`path` begins with a slash and ends with none."""

    path: str
    kind: str


def scope_of(text: str) -> Scope:
    """Rejected when the text is no scope that Cost Management knows."""
    path = f"/{text.strip().strip('/')}"
    kind = next((kind for kind, form in _FORMS if form.fullmatch(path)), "")
    if not kind or ".." in path.split("/"):
        raise reject(f"{text[:200]!r} is no scope of Azure's Cost Management", _ADVICE, RULE)
    return Scope(path, kind)
