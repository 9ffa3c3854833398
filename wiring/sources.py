"""Where deliveries come from: buckets of AWS and containers of Azure, each with who may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env

if TYPE_CHECKING:
    from ingest.offers import DeliverySource
    from ingest.plan import Source
    from ingest.sources.azure_blobs import Blobs

BUCKET = "s3://"
CONTAINER, ADDRESS = "az://", "https://"
COST_EXPLORER = "cost-explorer:"
COST_DETAILS = "cost-details:"
SNOWFLAKE = "snowflake:"


def located(paths: Sequence[str], scope: str) -> list[str]:
    """Paths of the terminal as locations: the word azure asks a scope for its costs, the source's own without one, the
    word snowflake an account for its usage.

    Of a file or a folder with that name the path is ./azure. Rejected where the scope belongs to no path.
    """
    from ledger.faults import reject

    asked = [path in ("azure", COST_DETAILS) for path in paths]
    if scope and not any(asked):
        raise reject("a scope is given, but nothing is asked for its costs", "Write: ledger ingest azure.", "scope")
    places = [SNOWFLAKE if path == SNOWFLAKE.rstrip(":") else path for path in paths]
    return [f"{COST_DETAILS}{scope}" if one else path for path, one in zip(places, asked, strict=True)]


def listed(source: Source, env: Env) -> bool:
    """Whether its deliveries are listed by manifests; a container of the own account has to be looked into."""
    if source.location.startswith(CONTAINER):
        return source.provider in ("", "azure") and holds_exports(source.location, env)
    named = source.provider == "aws" and source.aws.export and not source.location
    return source.location.startswith((BUCKET, ADDRESS)) or bool(named)


def deliveries(source: Source, basis: str, env: Env, now: datetime) -> DeliverySource:
    """The exports in a bucket or a container, or AWS's export of that name wherever it is delivered to."""
    if source.location.startswith((CONTAINER, ADDRESS)):
        from ingest.sources.azure_exports import AzureExports

        wanted = source.azure
        return AzureExports(
            lambda one: blobs(one, env),
            source.location,
            lambda: now,
            exports=wanted.exports,
            scope=wanted.scope,
            basis=basis,
        )
    from adapters.aws_session import clients
    from ingest.sources.aws import AwsExports

    access, made = source.aws, clients(env, source.aws.role, source.aws.audience)
    region, owner = access.region, access.bucket_owner
    return AwsExports(made, source.location, lambda: now, export=access.export, region=region, owner=owner)


def passed_over(source: DeliverySource) -> tuple[str, ...]:
    """What its last listing found and did not offer, each with the reason."""
    from ingest.sources.azure_exports import AzureExports

    return source.ignored if isinstance(source, AzureExports) else ()


def blobs(location: str, env: Env) -> Blobs:
    """The container of this place: in the service's own account, or in the one that the address names."""
    from adapters.storage_account import account_from, account_named
    from ingest.azure_manifests import place_of
    from ingest.sources.azure_blobs import Blobs

    place = place_of(location)
    account = account_named(place.account, env) if place.account else account_from(env)
    return Blobs(account.blobs().get_container_client(place.container), place)


def holds_exports(location: str, env: Env) -> bool:
    """Whether runs of exports lie here, whole or not: such files are never read as they come."""
    from ingest.azure_manifests import place_of
    from ingest.sources.azure_exports import listing_start, of_exports
    from ledger.faults import Rejected

    try:
        return of_exports(name for name, _ in blobs(location, env).names(listing_start(place_of(location))))
    except Rejected as refusal:
        if refusal.faults[0].rule == "no-such-container":
            return False
        raise


def source_at(location: str, name: str, found: Settings) -> Source:
    """The source whose settings reach this place: the one of that name, else the one in whose location it lies."""
    from ingest.plan import Source

    named = [one for one in _fitting(location, found) if one.name == name]
    blank = Source("", "aws" if location.startswith(BUCKET) else "azure")
    return replace(next(iter((*named, *_around(location, found))), blank), location=location)


def refuse_unclear(location: str, name: str, found: Settings) -> None:
    """Rejected where no name is given, and several sources have the very place: the bill would be any one's."""
    from ledger.faults import reject

    names = [one.name for one in _around(location, found)]
    if len(names) > 1 and not name:
        text = f"several sources lie at {_around(location, found)[0].location}: {', '.join(names)}"
        raise reject(text, f"Name one: --source {names[0]}.", "which-source")


def _fitting(location: str, found: Settings) -> list[Source]:
    return [one for one in found.sources if not location.startswith(BUCKET) or one.provider == "aws"]


def _around(location: str, found: Settings) -> list[Source]:
    """Those in whose location it lies, and of them the nearest: a longer location is within a shorter one."""
    here = [one for one in _fitting(location, found) if one.location and _within(location, one.location)]
    longest = max((len(one.location.rstrip("/")) for one in here), default=0)
    return [one for one in here if len(one.location.rstrip("/")) == longest]


def _within(location: str, place: str) -> bool:
    return location.rstrip("/") == place.rstrip("/") or location.startswith(place.rstrip("/") + "/")
