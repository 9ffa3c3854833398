"""Where deliveries come from: buckets of AWS, each with the session that may read it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env

if TYPE_CHECKING:
    from ingest.offers import DeliverySource
    from ingest.plan import AwsAccess, Source

BUCKET = "s3://"
COST_EXPLORER = "cost-explorer:"


def listed(source: Source) -> bool:
    """Whether its deliveries are listed by manifests: a bucket, or an export that is found by its name."""
    return source.location.startswith(BUCKET) or bool(source.provider == "aws" and source.aws.export)


def deliveries(location: str, access: AwsAccess, env: Env, now: datetime) -> DeliverySource:
    """The exports in a bucket, or the named export wherever it is delivered to."""
    from adapters.aws_session import clients
    from ingest.sources.aws import AwsExports

    made = clients(env, access.role, access.audience)
    return AwsExports(
        made, location, lambda: now, export=access.export, region=access.region, owner=access.bucket_owner
    )


def access_to(location: str, name: str, found: Settings) -> AwsAccess:
    """How the settings reach this place: by the source's name, else by the location that it lies in."""
    from ingest.plan import AwsAccess

    sources = [one for one in found.sources if one.provider == "aws"]
    named = [one for one in sources if one.name == name]
    here = [one for one in sources if one.location and _within(location, one.location)]
    return next((one.aws for one in (*named, *here)), AwsAccess())


def _within(location: str, place: str) -> bool:
    return location == place or location.startswith(place.rstrip("/") + "/")
