"""Scopes of three clouds: what lies below which, and that nothing lies below nothing."""

from __future__ import annotations

import pytest

from governance.places import below, is_place, is_scope

SUB = "/subscriptions/s-1"
VM = f"{SUB}/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/a"
EC2 = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0a"
WAREHOUSE = "snowflake:ORG-ACC/DEV_WH"


@pytest.mark.parametrize(
    ("id", "place"),
    [
        (VM, SUB),
        (VM, f"{SUB}/resourcegroups/rg"),
        (VM, VM.upper()),
        (EC2, "arn:aws:ec2::123456789012"),
        (EC2, "arn:aws:ec2:eu-west-1:123456789012"),
        (EC2, EC2),
        (WAREHOUSE, "snowflake:org-acc"),
        (WAREHOUSE, WAREHOUSE),
    ],
)
def test_what_lies_below(id: str, place: str) -> None:
    assert below(id, place)


@pytest.mark.parametrize(
    ("id", "place"),
    [
        (VM, ""),
        (VM, "/"),
        (VM, "/subscriptions/s-"),
        (VM, "/subscriptions/s-12"),
        (VM, f"{SUB}/resourcegroups/r"),
        (EC2, "arn:aws:ec2::123456789013"),
        (EC2, "arn:aws:ec2:eu-west-2:123456789012"),
        (EC2, "arn:aws-cn:ec2::123456789012"),
        (EC2, "arn:aws:ec2:eu-west-1:123456789012:instance/i-0"),
        (EC2, "arn"),
        (WAREHOUSE, "snowflake:org-ac"),
        (WAREHOUSE, "snowflake:"),
    ],
)
def test_what_does_not(id: str, place: str) -> None:
    assert not below(id, place)


@pytest.mark.parametrize("scope", [SUB, f"{SUB}/resourcegroups/rg", "arn:aws:ec2::123456789012", "snowflake:o-a"])
def test_what_is_a_scope(scope: str) -> None:
    assert is_scope(scope)


@pytest.mark.parametrize("place", [SUB, VM, f"{SUB}/resourcegroups/rg", EC2, "arn:aws:ec2::123456789012", WAREHOUSE])
def test_what_is_a_place(place: str) -> None:
    assert is_place(place)


@pytest.mark.parametrize(
    "place", ["", "/", "a", "i-0a", SUB[1:], f"{SUB}/", "arn:aws:ec2::123456789012:", "snowflake:"]
)
def test_invariant_3_what_protects_nothing_is_no_place(place: str) -> None:
    assert not is_place(place)


@pytest.mark.parametrize(
    "scope", ["", "/", "*", "/subscriptions/", "arn:aws:ec2::1", "arn:aws:s3:::b", "snowflake:", VM]
)
def test_invariant_1_what_is_none(scope: str) -> None:
    assert not is_scope(scope)
