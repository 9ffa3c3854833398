"""Sources of the settings file. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.azure_scopes import scope_of
from ingest.plan import RESTATED_FOR, AwsAccess, AzureAccess, Source
from ledger.delivery import SOURCE_NAME
from ledger.faults import Fault, Rejected
from settings.entry import Entry, settings_fault
from settings.snowflake import ALLOCATIONS as OF_SNOWFLAKE
from settings.snowflake import CONTRACT_BILLING, MARKETPLACES, read_access, refuse_snowflake_misfits
from settings.values import few, month, one_of, text, texts, whole

BASES = ("amortized", "actual")
PROVIDERS = ("aws", "azure", "snowflake")
ALLOCATIONS = ("", "split")
NET_COSTS = ("", "used", "ignored")
MOST_DAYS = 366
AWS_PLACES = ("s3://", "cost-explorer:")
COST_DETAILS = "cost-details:"


def claimed_twice(sources: Sequence[Source]) -> list[Fault]:
    """An account belongs to one source, or its bills would go to whichever came last."""
    owners: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for account in set(source.accounts):
            owners.setdefault((source.provider, account), []).append(source.name)
    return [
        settings_fault(
            f"account {account} is claimed by {' and '.join(names)}", "sources", "Leave it with one of them."
        )
        for (_, account), names in owners.items()
        if len(names) > 1
    ]


def read_source(name: str, entry: Entry) -> Source:
    if not SOURCE_NAME.fullmatch(name):
        entry.fault("is no source name", "Use lower-case letters, digits and hyphens, at most 63.")
    provider = entry.need("provider", one_of(PROVIDERS), "")
    location = entry.take("location", text, "")
    found = Source(
        name,
        provider=provider,
        currency=entry.take("currency", text, ""),
        accounts=entry.take("accounts", texts, ()),
        location=location,
        basis=entry.take("basis", one_of(BASES), BASES[0]),
        since=entry.take("since", month, None),
        restated_for=entry.take("restated_for", whole(0, MOST_DAYS), RESTATED_FOR),
        allocation=entry.take("allocation", one_of(OF_SNOWFLAKE if provider == "snowflake" else ALLOCATIONS), ""),
        net_costs=entry.take("net_costs", one_of(NET_COSTS), ""),
        aws=_aws(entry, provider),
        azure=_azure(entry, provider),
        contract_billing=entry.take("contract_billing", one_of(CONTRACT_BILLING), ""),
        marketplace=entry.take("marketplace", one_of(MARKETPLACES), ""),
        prepaid_sellers=() if provider == "snowflake" else entry.take("prepaid_sellers", texts, ()),
        snowflake=read_access(entry, provider, location),
    )
    _refuse_misfits(found, entry)
    refuse_snowflake_misfits(found, entry)
    entry.close()
    return found


def _azure(entry: Entry, provider: str) -> AzureAccess:
    if provider != "azure":
        return AzureAccess()
    scope = entry.take("scope", text, "")
    if scope:
        _refuse_no_scope(scope, entry)
    return AzureAccess(scope=scope, exports=entry.take("export", few, ()))


def _refuse_no_scope(scope: str, entry: Entry) -> None:
    try:
        scope_of(scope)
    except Rejected as refusal:
        entry.fault("is no scope of Azure's Cost Management", refusal.faults[0].advice, "scope")


def _aws(entry: Entry, provider: str) -> AwsAccess:
    return AwsAccess(
        export="" if provider == "azure" else entry.take("export", text, ""),
        region=entry.take("region", text, ""),
        role="" if provider == "snowflake" else entry.take("role", text, ""),
        audience=entry.take("audience", text, ""),
        bucket_owner=entry.take("bucket_owner", text, ""),
    )


def _refuse_misfits(found: Source, entry: Entry) -> None:
    """What only AWS has, at another provider; a role that no token is asked for."""
    if found.provider != "aws" and (found.aws != AwsAccess() or found.location.startswith(AWS_PLACES)):
        entry.fault("is no source of AWS, but has its keys", "Take them out, or correct the provider.")
    if found.location.strip().lower().startswith(COST_DETAILS.rstrip(":")):
        _refuse_unclear_scope(found, entry)
    if found.aws.role and not found.aws.audience:
        entry.fault("is missing, but there is a role", "Say what the identity's token is for: audience.", "audience")


def _refuse_unclear_scope(found: Source, entry: Entry) -> None:
    """Cost Details are asked of `scope` alone: what else might be meant would be passed over without a word."""
    if found.location != COST_DETAILS:
        advice = f'Write location = "{COST_DETAILS}", and the scope of Azure as scope.'
        entry.fault("is not quite what asks for Cost Details", advice, "location")
    if not found.azure.scope:
        entry.fault("is missing, but its costs are asked for", "Name the scope of Azure whose costs they are.", "scope")
    if found.azure.exports:
        entry.fault(
            "is set, but Cost Details have no exports", "Take it out, or let location be a container.", "export"
        )
