"""Sources of the settings file: where bills lie, from when on, and how AWS is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.plan import RESTATED_FOR, AwsAccess, AzureAccess, SnowflakeAccess
from ledger.delivery import Period
from ledger.faults import Rejected
from settings import Settings, load

WHOLE = """
[sources.main]
provider = "aws"
location = "s3://bills/exports"
since = "2026-01"
restated_for = 20
allocation = "split"
export = "daily"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/ledger"
audience = "api://ledger"
bucket_owner = "111122223333"
"""


def read(folder: Path, text: str) -> Settings:
    path = folder / "ledger.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def test_every_key_of_an_aws_source_is_read(tmp_path: Path) -> None:
    source = read(tmp_path, WHOLE).source("main")
    role = "arn:aws:iam::111122223333:role/ledger"
    assert source.aws == AwsAccess("daily", "eu-west-1", role, "api://ledger", "111122223333")
    assert (source.since, source.restated_for, source.options) == (Period(2026, 1), 20, (("split", "true"),))


def test_without_them_nothing_is_asked_of_a_mapping(tmp_path: Path) -> None:
    source = read(tmp_path, '[sources.main]\nprovider = "aws"\n').source("main")
    assert (source.aws, source.since, source.restated_for, source.options) == (AwsAccess(), None, RESTATED_FOR, ())


@pytest.mark.parametrize(
    ("value", "exports"),
    [('"daily"', ("daily",)), ('["actual"]', ("actual",)), ('["actual", "amortized"]', ("actual", "amortized"))],
)
def test_exports_of_azure_are_one_name_or_a_few(value: str, exports: tuple[str, ...], tmp_path: Path) -> None:
    source = read(tmp_path, f'[sources.main]\nprovider = "azure"\nexport = {value}\n').source("main")
    assert (source.azure, source.aws) == (AzureAccess(exports=exports), AwsAccess())


def test_the_scope_of_azure_is_kept_as_it_stands(tmp_path: Path) -> None:
    lines = '[sources.main]\nprovider = "azure"\nlocation = "cost-details:"\nscope = "/subscriptions/ID"\n'
    assert read(tmp_path, lines).source("main").azure.scope == "/subscriptions/ID"


def test_scopes_that_are_none_are_refused_together(tmp_path: Path) -> None:
    one = '[sources.{}]\nprovider = "azure"\nlocation = "cost-details:"\nscope = "{}"\n'
    with pytest.raises(Rejected) as refusal:
        read(tmp_path, one.format("a", "70000042") + one.format("b", "/subscriptions/ID") + one.format("c", "/../x"))
    told = [(fault.column, fault.advice) for fault in refusal.value.faults]
    assert [place for place, _ in told] == ["sources.a", "sources.c"]
    assert all("resource id" in advice for _, advice in told)


ASKED = 'provider = "snowflake"\nlocation = "snowflake:"\n'


def test_every_key_of_a_snowflake_source_is_read(tmp_path: Path) -> None:
    lines = """account_identifier = "EXAMPLE-MAIN"
user = "LEDGER"
role = "LEDGER_ROLE"
warehouse = "LEDGER_WH"
auth = "workload-identity"
allocation = "query-tag"
contract_billing = "purchase"
marketplace = "aws"
"""
    source = read(tmp_path, f"[sources.main]\n{ASKED}{lines}").source("main")
    access = SnowflakeAccess("EXAMPLE-MAIN", "LEDGER", "LEDGER_ROLE", "LEDGER_WH", "workload-identity", "usage")
    assert (source.snowflake, source.aws) == (access, AwsAccess())
    asked = (("allocation", "query-tag"), ("contract_billing", "purchase"), ("marketplace", "aws"))
    assert source.options == asked


def test_what_is_so_anyway_is_asked_of_no_mapping(tmp_path: Path) -> None:
    lines = 'provider = "snowflake"\ncontract_billing = "draw-down"\nallocation = ""\nmarketplace = ""\n'
    source = read(tmp_path, f"[sources.main]\n{lines}").source("main")
    assert (source.options, source.snowflake) == ((), SnowflakeAccess())


@pytest.mark.parametrize("account", ["EXAMPLE-MAIN", "xy12345", "xy12345.eu-central-1.aws", "a_b-c_d"])
def test_an_account_is_named_by_its_identifier(account: str, tmp_path: Path) -> None:
    lines = f'{ASKED}user = "U"\naccount_identifier = "{account}"\n'
    assert read(tmp_path, f"[sources.main]\n{lines}").source("main").snowflake.account == account


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as refusal:
        read(tmp_path, f'[sources.main]\n{ASKED}view = "focus"\nallocation = "user"\nauth = "token"\n')
    told = [fault.message.split()[0] for fault in refusal.value.faults]
    assert told == ["auth", "account_identifier", "user", "allocation"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (f'{ASKED}user = "U"', "account_identifier"),
        (
            f'{ASKED}user = "U"\naccount_identifier = "https://example-main.snowflakecomputing.com"',
            "account_identifier",
        ),
        (f'{ASKED}user = "U"\naccount_identifier = "example-main.snowflakecomputing.com"', "account_identifier"),
        (f'{ASKED}account_identifier = "EXAMPLE-MAIN"', "user"),
        (f'{ASKED}account_identifier = "EXAMPLE-MAIN"\nuser = "U"\nprivate_key = "k"', "private_key"),
        (f'{ASKED}account_identifier = "EXAMPLE-MAIN"\nuser = "U"\npassword = "p"', "password"),
        ('provider = "snowflake"\nlocation = "Snowflake"\naccount_identifier = "A-B"\nuser = "U"', "location"),
        ('provider = "snowflake"\nlocation = "az://bills"\nuser = "U"', "location"),
        ('provider = "snowflake"\nallocation = "split"', "allocation"),
        ('provider = "snowflake"\ncontract_billing = "both"', "contract_billing"),
        (
            'provider = "snowflake"\nlocation = "snowflake:"\naccount_identifier = "A-B"\nuser = "L"\nview = "focus"\n'
            'contract_billing = "purchase"',
            "contract_billing",
        ),
        ('provider = "snowflake"\nmarketplace = "ebay"', "marketplace"),
        ('provider = "snowflake"\nview = "all"', "view"),
        ('provider = "aws"\nlocation = "snowflake:"', "sources.main"),
        ('provider = "aws"\nwarehouse = "W"', "sources.main"),
        ('provider = "azure"\nmarketplace = "azure"', "sources.main"),
        ('provider = "aws"\nallocation = "warehouse"', "allocation"),
        ('provider = "azure"\nlocation = "s3://bills"', "sources.main"),
        ('provider = "snowflake"\nexport = "daily"', "sources.main"),
        ('provider = "azure"\nlocation = "cost-explorer:"', "sources.main"),
        ('provider = "azure"\nexport = ["a", "b", "c", "d", "e"]', "export"),
        ('provider = "azure"\nexport = ["a", "a"]', "export"),
        ('provider = "azure"\nexport = []', "export"),
        ('provider = "azure"\nexport = 1', "export"),
        ('provider = "azure"\nlocation = "cost-details:"', "scope"),
        ('provider = "azure"\nscope = 1', "scope"),
        ('provider = "azure"\nlocation = "cost-details:"\nscope = "contoso"', "scope"),
        ('provider = "azure"\nlocation = "az://exports"\nscope = "/subscriptions/A/B"', "scope"),
        ('provider = "azure"\nlocation = "cost-details:/subscriptions/A"\nscope = "/subscriptions/B"', "location"),
        ('provider = "azure"\nlocation = "Cost-Details"\nscope = "/subscriptions/B"', "location"),
        ('provider = "azure"\nlocation = "cost-details:"\nscope = "/subscriptions/B"\nexport = "daily"', "export"),
        ('provider = "aws"\nlocation = "cost-details:"', "scope"),
        ('provider = "aws"\nscope = "/subscriptions/1"', "scope"),
        ('provider = "aws"\nexport = ["a", "b"]', "export"),
        ('provider = "aws"\nrole = "arn:aws:iam::1:role/r"', "audience"),
        ('provider = "aws"\nsince = "2026-13"', "since"),
        ('provider = "aws"\nsince = 2026-01-01', "since"),
        ('provider = "aws"\nrestated_for = -1', "restated_for"),
        ('provider = "aws"\nallocation = "all"', "allocation"),
        ('provider = "aws"\nnet_costs = "maybe"', "net_costs"),
        ('provider = "aws"\nprepaid_sellers = "Snowflake Inc."', "prepaid_sellers"),
        ('provider = "snowflake"\nprepaid_sellers = ["Snowflake Inc."]', "prepaid_sellers"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(lines: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as refusal:
        read(tmp_path, f"[sources.main]\n{lines}\n")
    [fault] = refusal.value.faults
    assert told in fault.message and fault.rule == "settings"
