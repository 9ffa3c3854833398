"""One AWS bill in each of its four shapes: CUR 2.0 and the legacy report, as Parquet and as CSV."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.shapes import shape_named
from tests.bills import CUR2, cur2
from tests.mapped import write_csv

Line = Mapping[str, Any]
# The sections of a legacy name and the words that have capitals of their own, as the report's CSV spells them.
SECTION = re.compile(r"(bill|line_item|product|pricing|reservation|savings_plan|split_line_item)_(.+)")
LOWER = {"pricing_currency", "pricing_unit", "pricing_term", "product_sku", "product_instance_type"}


def cur2_csv(path: Path, *lines: Line) -> Path:
    """CUR 2.0 as text: a map is a JSON object."""
    return _text(path, [{name: text(value) for name, value in _cur2(line).items()} for line in lines or ({},)])


def legacy(path: Path, *lines: Line) -> Path:
    """The legacy report as Parquet: a column per tag and attribute that occurs, blank text instead of null."""
    filled = [_spread(_cur2(line), "resource_tags_{}", "product_{}") for line in lines or ({},)]
    kinds = {column.name: column.type for column in shape_named("aws_cur_legacy").columns}
    names = list(dict.fromkeys([*kinds, *(name for line in filled for name in line)]))
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {kinds.get(name, "VARCHAR")}' for name in names)
        connection.execute(f"CREATE TABLE bill ({columns})")
        rows = [
            [line.get(name, "" if kinds.get(name, "VARCHAR") == "VARCHAR" else None) for name in names]
            for line in filled
        ]
        connection.executemany(f"INSERT INTO bill VALUES ({', '.join('?' * len(names))})", rows)
        connection.execute(f"COPY bill TO '{path}' (FORMAT parquet)")
    return path


def legacy_csv(path: Path, *lines: Line) -> Path:
    """The legacy report as text: section/Name, resourceTags/user:key."""
    filled = [_spread(_cur2(line), "resourceTags/{}", "product_{}") for line in lines or ({},)]
    return _text(path, [{slashed(name): text(value, ".000Z") for name, value in line.items()} for line in filled])


SHAPES: Mapping[str, Callable[..., Path]] = {
    "aws_cur2": cur2,
    "aws_cur2_csv": cur2_csv,
    "aws_cur_legacy": legacy,
    "aws_cur_legacy_csv": legacy_csv,
}


def written(folder: Path, shape: str, lines: Sequence[Line]) -> Path:
    """The bill in that shape; the texts are packed."""
    return SHAPES[shape](folder / f"{shape}.{'csv.gz' if shape.endswith('csv') else 'parquet'}", *lines)


def slashed(name: str) -> str:
    """line_item_usage_type is lineItem/UsageType, reservation_reservation_a_r_n reservation/ReservationARN."""
    found = SECTION.fullmatch(name)
    if found is None:
        return name
    section, rest = found.groups()
    first, *more = section.split("_")
    words = [word.capitalize() for word in rest.split("_")]
    words = [words[0].lower(), *words[1:]] if name in LOWER else words
    return f"{first}{''.join(word.capitalize() for word in more)}/{''.join(words)}"


def text(value: object, zone: str = "Z") -> str:
    """As AWS writes it: scientific numbers with a capital E, instants in UTC."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}{zone}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return repr(value).upper() if isinstance(value, float) else str("" if value is None else value)


def _cur2(line: Line) -> dict[str, Any]:
    return {column.name: {**CUR2, **line}.get(column.name) for column in shape_named("aws_cur2").columns}


def _spread(line: Line, tag: str, attribute: str) -> dict[str, Any]:
    """The maps as columns; a tag of the text report has a colon behind its owner."""
    plain = {name: value for name, value in line.items() if name not in ("resource_tags", "product")}
    owner = re.compile(r"^(user|aws)_" if "/" in tag else r"(?!)()")
    tags = {tag.format(owner.sub(r"\1:", key)): value for key, value in (line["resource_tags"] or {}).items()}
    return plain | tags | {attribute.format(key): value for key, value in (line["product"] or {}).items()}


def _text(path: Path, lines: Sequence[Mapping[str, str]]) -> Path:
    names = list(dict.fromkeys(name for line in lines for name in line))
    write_csv(path, [{name: line.get(name, "") for name in names} for line in lines])
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


_RI = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:444455556666:reserved-instances/r-1"}
_SP = {"savings_plan_savings_plan_a_r_n": "arn:aws:savingsplans::444455556666:savingsplan/s-1"}
_PRICED = {"pricing_public_on_demand_cost": 0.5, "pricing_public_on_demand_rate": "0.25"}
_BEFORE = {"line_item_usage_start_date": datetime(2025, 12, 5), "line_item_usage_end_date": datetime(2025, 12, 6)}
_KINDS: Mapping[str, Line] = {
    "Usage": {
        "line_item_unblended_cost": 6.123e-7,
        "line_item_unblended_rate": "0.00000030615",
        "resource_tags": {"user_env": "prod"},
        **_PRICED,
    },
    "Usage:Spot": {"line_item_usage_type": "SpotUsage:t3.micro"},
    "Usage:Split": {
        "line_item_unblended_cost": 0.0,
        "line_item_product_code": "AmazonEKS",
        "line_item_usage_type": "EKS-EC2-vCPU-Hours",
        "line_item_resource_id": "arn:aws:eks:us-east-1:444455556666:pod/shop/default/web-1/0a1b",
        "resource_tags": {"user_app": "web"},
        "split_line_item_parent_resource_id": "i-0a1b",
        "split_line_item_split_usage": 0.5,
        "split_line_item_split_cost": 0.1,
        "split_line_item_unused_cost": 0.2,
        "split_line_item_public_on_demand_split_cost": 0.11,
    },
    "DiscountedUsage": {"line_item_unblended_cost": 0.0, "reservation_effective_cost": 0.3, **_RI, **_PRICED},
    "SavingsPlanCoveredUsage": {"savings_plan_savings_plan_effective_cost": 0.7, **_SP, **_PRICED},
    "RIFee": {"reservation_unused_recurring_fee": 0.2, "reservation_unused_quantity": 1.0, **_RI},
    "Fee": {},
    "Fee:Recurring": {"line_item_product_code": "AWSSupportBusiness"},
    "Fee:Commitment": {"bill_bill_type": "Purchase", **_RI},
    "SavingsPlanRecurringFee": {
        "savings_plan_total_commitment_to_date": 1.0,
        "savings_plan_used_commitment": 0.75,
        "savings_plan_net_recurring_commitment_for_billing_period": 0.8,
        **_SP,
    },
    "SavingsPlanUpfrontFee": _SP,
    "Refund": {"line_item_unblended_cost": -1.0},
    "Refund:Tax": {"line_item_unblended_cost": -1.0, "line_item_tax_type": "VAT"},
    "Refund:Closed": {"line_item_unblended_cost": -1.0, "line_item_usage_type": "", **_BEFORE},
    "Refund:Closed:Tax": {"line_item_unblended_cost": -1.0, "line_item_tax_type": "VAT", **_BEFORE},
    "Refund:Closed:Usage": {"line_item_unblended_cost": -1.0, **_BEFORE},
    "Refund:Closed:Commitment": {"line_item_unblended_cost": -1.0, **_BEFORE, **_RI},
    "Tax": {"line_item_usage_type": ""},
    "SavingsPlanNegation": {"line_item_unblended_cost": -1.0, **_SP},
    **{name: {"line_item_unblended_cost": -0.25} for name in ("Credit", "EdpDiscount", "PrivateRateDiscount")},
    **{name: {"line_item_unblended_cost": -0.25} for name in ("BundledDiscount", "SppDiscount", "RiVolumeDiscount")},
    "Discount": {"line_item_unblended_cost": -0.25},
}
# One line of every kind in the table; the operation says which.
EVERY_KIND: list[dict[str, Any]] = [
    {"line_item_line_item_type": name.partition(":")[0], "line_item_operation": name, **line}
    for name, line in _KINDS.items()
]
