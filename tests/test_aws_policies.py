"""The policies to copy name exactly the actions behind the calls that the code makes of AWS."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from tests.house.source import ROOT, product

PAGE = (ROOT / "docs/aws.md").read_text(encoding="utf-8")
SERVICES = ("bcm-data-exports", "ce", "s3", "sts")
TOTALS = "ce:GetCostAndUsage"

# A call of boto3 -> the action that permits it (AWS, Service Authorization Reference); HeadObject needs GetObject.
ACTIONS = {
    "assume_role_with_web_identity": "sts:AssumeRoleWithWebIdentity",
    "get_cost_and_usage": TOTALS,
    "get_export": "bcm-data-exports:GetExport",
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "list_executions": "bcm-data-exports:ListExecutions",
    "list_exports": "bcm-data-exports:ListExports",
    "list_objects_v2": "s3:ListBucket",
}
FREE = {"get_caller_identity"}  # no policy has to permit it


@cache
def operations() -> frozenset[str]:
    """Every call that clients of these services have, as boto3 spells it."""
    from botocore import xform_name
    from botocore.session import get_session

    models = [get_session().get_service_model(name) for name in SERVICES]
    return frozenset(xform_name(name) for model in models for name in model.operation_names)


@cache
def called() -> frozenset[str]:
    names = {name for module in product() for name, _ in module.calls()}
    return frozenset(names & operations())


def needed() -> set[str]:
    return {ACTIONS[name] for name in called() - FREE}


def policies() -> list[list[dict[str, Any]]]:
    """Trust policy, policy of the role, policy of another account's bucket: the statements of each."""
    found = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
    assert [policy["Version"] for policy in found] == ["2012-10-17"] * 3
    return [policy["Statement"] for policy in found]


def actions(statements: list[dict[str, Any]]) -> list[str]:
    return [action for statement in statements for action in statement["Action"]]


def test_every_call_of_aws_that_the_code_makes_is_known() -> None:
    assert called() <= set(ACTIONS) | FREE
    assert {"assume_role_with_web_identity", "list_exports", "head_object"} <= called()


def test_the_policies_of_the_role_permit_what_the_code_needs_and_no_more() -> None:
    trust, role, _ = policies()
    permitted = actions(trust) + actions(role)
    assert sorted(permitted) == sorted(set(permitted))
    assert set(permitted) == needed() | {TOTALS}


def test_the_role_is_assumed_by_one_identity_with_one_audience() -> None:
    [statement] = policies()[0]
    assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    provider = statement["Principal"]["Federated"].partition("oidc-provider/")[2]
    assert set(statement["Condition"]["StringEquals"]) == {f"{provider}:aud", f"{provider}:sub"}


def test_the_bucket_of_another_account_gives_what_is_read_of_s3() -> None:
    assert set(actions(policies()[2])) == {action for action in needed() if action.startswith("s3:")}


@pytest.mark.parametrize("index", range(3))
def test_no_action_is_a_wildcard_and_nothing_is_denied_or_negated(index: int) -> None:
    for statement in policies()[index]:
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        assert not any("*" in action for action in statement["Action"])
        assert statement.get("Principal") not in ("*", {"AWS": "*"})
        own = {action for action in statement["Action"] if action.startswith("s3:")}
        assert not own or all(place.startswith("arn:aws:s3:::BUCKET") for place in statement["Resource"])
