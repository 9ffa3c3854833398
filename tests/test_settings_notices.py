"""[notices.NAME]: which channels there are; no secret and no address of a webhook can stand in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.notices import Channel
from ledger.faults import Rejected
from settings import load

BUDGET = """
[budgets.dev]
id = "/subscriptions/1/providers/Microsoft.Consumption/budgets/dev"
scope = "/subscriptions/1"
currency = "USD"
amount = "1"
"""
MAIL = 'kind = "email"\nserver = "SMTP"\nfrom = "ledger@example.com"\n'


def read(folder: Path, text: str) -> tuple[Channel, ...]:
    path = folder / "ledger.toml"
    path.write_text(f"{BUDGET}\n[notices.ops]\n{text}")
    return load(path, {}).channels


def test_no_channels_is_the_default() -> None:
    assert load(None, {}).channels == ()


def test_each_medium_with_what_it_needs(tmp_path: Path) -> None:
    assert read(tmp_path, 'kind = "teams"\nurl = "TEAMS_URL"\napprover = "Kim"') == (
        Channel("ops", "teams", "TEAMS_URL", approver="Kim"),
    )
    assert read(tmp_path, 'kind = "slack"\nurl = "SLACK_URL"\nevents = ["stopped"]\nbudgets = ["dev"]') == (
        Channel("ops", "slack", "SLACK_URL", ("stopped",), ("dev",)),
    )
    assert read(tmp_path, 'kind = "webhook"\nurl = "HOOK"\nsigning_key = "HOOK_KEY"') == (
        Channel("ops", "webhook", "HOOK", key="HOOK_KEY"),
    )
    more = 'to = ["a@example.com"]\nuser = "U"\npassword = "P"\nowner_tag = "owner"\nowner_domains = ["example.com"]'
    assert read(tmp_path, MAIL + more) == (
        Channel(
            "ops",
            "email",
            "SMTP",
            user="U",
            password="P",
            sender="ledger@example.com",
            to=("a@example.com",),
            owner_tag="owner",
            owner_domains=("example.com",),
        ),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('kind = "pager"', "kind is one of teams, slack, email, webhook"),
        ('kind = "teams"', "url is missing"),
        ('kind = "teams"\nurl = "https://x.example/top-secret"', "never the value itself"),
        ('kind = "teams"\nurl = "U"\nsigning_key = "K"', "signing_key is not known here"),
        ('kind = "webhook"\nurl = "U"', "signing_key is missing"),
        ('kind = "webhook"\nurl = "U"\nsigning_key = "top-secret"', "never the value itself"),
        ('kind = "slack"\nurl = "U"\nevents = ["stoped"]', "there is no kind of notice stoped"),
        ('kind = "slack"\nurl = "U"\nbudgets = ["lab"]', "there is no budget lab"),
        ('kind = "slack"\nurl = "U"\nevents = []', "is not empty"),
        (MAIL, "writes to nobody"),
        (MAIL + 'to = ["a@example.com\\nBcc: b@example.com"]', "is an address such as"),
        (MAIL + 'to = ["a@example.com"]\nuser = "U"', "only one of user and password"),
        (MAIL + 'to = ["a@example.com"]\nuser = "U"\npassword = "top-secret"', "never the value itself"),
        (MAIL + 'owner_tag = "owner"', "only one of owner_tag and owner_domains"),
        (MAIL + 'owner_tag = "owner"\nowner_domains = ["*"]', "is a list of domains"),
    ],
)
def test_what_cannot_work_is_a_fault_that_repeats_no_value(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read(tmp_path, text)
    assert reason in str(refusal.value) and "top-secret" not in str(refusal.value)
