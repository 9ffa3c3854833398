"""Which (source, billing period) are due, and what a configured source is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.delivery import Period

SILENT = timedelta(days=2)  # of a new month: until then its provider may not tell any costs
RESTATED_FOR = 15  # days after its end for which a provider still restates a month


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How to reach a payer account: the export's name or ARN, its bucket's region and owner, the role to assume.

    `audience` is what the identity's token has to be issued for, so that AWS takes it.
    """

    export: str = ""
    region: str = ""
    role: str = ""
    audience: str = ""
    bucket_owner: str = ""


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """What to read of Azure: the scope that is asked for its costs; exports by their names."""

    scope: str = ""
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnowflakeAccess:
    """Which account of Snowflake is asked, as whom, and for which view of the bill: usage or focus.

    `account` is ORGANIZATION-ACCOUNT. No secret is here: keys are of the environment.
    """

    account: str = ""
    user: str = ""
    role: str = ""
    warehouse: str = ""
    auth: str = "key-pair"
    view: str = "usage"


@dataclass(frozen=True, slots=True)
class Source:
    """A source from ledger.toml: its accounts are claimed for it, its currency is the only one it may bill in.

    `location` is what the timer reads: a folder, az://container/prefix, the https:// address of a container,
    s3://bucket/prefix, cost-explorer:, cost-details: or snowflake:; empty when fed by hand only. Months before `since`
    are left alone. `allocation` says how shared machines' costs are allocated: split as the bill says, or of Snowflake
    by warehouse, query-tag or user; `net_costs` whether net costs that are all 0 are used or ignored.
    `contract_billing` is draw-down or purchase and `marketplace` the cloud through which Snowflake is bought;
    `prepaid_sellers` are those of a marketplace whose own bills tell what is used of what is bought there.
    """

    name: str
    provider: str
    currency: str = ""
    accounts: tuple[str, ...] = ()
    location: str = ""
    basis: str = "amortized"
    since: Period | None = None
    restated_for: int = RESTATED_FOR
    allocation: str = ""
    net_costs: str = ""
    aws: AwsAccess = AwsAccess()
    azure: AzureAccess = AzureAccess()
    contract_billing: str = ""
    marketplace: str = ""
    prepaid_sellers: tuple[str, ...] = ()
    snowflake: SnowflakeAccess = SnowflakeAccess()

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What its settings ask of the mapping; nothing of what is so anyway, so that saying it changes no delivery."""
        split = self.allocation == "split"
        asked = {
            "split": "true" if split else "",
            "net_costs": self.net_costs,
            "allocation": "" if split else self.allocation,
            "contract_billing": "" if self.contract_billing == "draw-down" else self.contract_billing,
            "purchase_currency": self.currency.upper() if self.contract_billing == "purchase" else "",
            "marketplace": self.marketplace,
            "prepaid_sellers": "\n".join(sorted({name.strip().lower() for name in self.prepaid_sellers})),
        }
        return tuple((name, value) for name, value in asked.items() if value)


@dataclass(frozen=True, slots=True)
class Due:
    """One partition to ingest: the queue message of ingest-partition."""

    source: str
    period: Period

    def as_message(self) -> dict[str, object]:
        return {"source": self.source, "period": str(self.period)}


def claims(sources: Sequence[Source]) -> Mapping[tuple[str, str], str]:
    """(provider, account) -> source name."""
    return {(source.provider, account): source.name for source in sources for account in source.accounts}


def due(offered: Mapping[tuple[str, Period], str], current: Mapping[tuple[str, Period], str]) -> list[Due]:
    """Partitions whose offered delivery differs from the ledger's, by the first 16 digits of the digest."""
    return [
        Due(source, period)
        for (source, period), digest in sorted(offered.items())
        if current.get((source, period)) != digest[:16]
    ]


def months_to_ask(
    now: datetime, days: int, since: Period | None, *, silent: timedelta = SILENT, before: bool = False
) -> list[Period]:
    """Months that a source without manifests is asked for again, oldest first; a new one once it has costs to tell.

    With `before`, the month before the open one is always among them.
    """
    first = now - timedelta(days=days)
    if before:
        first = min(first, now.replace(day=1) - timedelta(days=1))
    current, asked = Period(first.year, first.month), []
    while current.start + silent <= now:
        asked.append(current)
        current = current.next()
    return [period for period in asked if since is None or period >= since]
