"""Exports of AWS in S3 as deliveries: manifests are found and read, and the files they list held against them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ingest.aws_manifests import LARGEST, RULE, Spot, digest_of, is_dates, is_partition, parse, split_label, spot_of
from ingest.offers import Offer, RemoteFile
from ingest.sources.aws_exports import Destination, destination_of
from ingest.sources.s3 import Bucket, Clients, Head, Listing
from ledger.faults import Fault, Missing, Rejected, Transient, reject

AT_ONCE = 8  # months looked at side by side
DEEPEST = 6  # folders below the location in which exports are looked for
MOST_FOLDERS = 300
SETTLED = timedelta(minutes=15)  # a file that a manifest names is there by then
GIVEN_UP = timedelta(days=2)  # AWS delivers daily: a manifest that has not followed its files by then will not
AGAIN = "Wait for the next delivery; if it stays so, create the export anew in the AWS console."
NARROWER = "Point the location at the export's own S3 prefix, or at the folder that bears its name."


class AwsExports:
    """A DeliverySource over Data Exports and legacy reports.

    `location` is `s3://bucket/prefix`, may be one month's manifest, and may be empty where AWS can be asked for
    `export`, a name or an ARN. `region` is the bucket's, `owner` the account it has to belong to; both may be empty.
    """

    def __init__(
        self,
        clients: Clients,
        location: str,
        now: Callable[[], datetime],
        *,
        export: str = "",
        region: str = "",
        owner: str = "",
    ) -> None:
        self._clients, self._now = clients, now
        self._location, self._export, self._region, self._owner = location, export, region, owner
        self._buckets: dict[str, Bucket] = {}

    def offers(self) -> list[Offer]:
        """One for every month that has a manifest. Rejected where there is none at all."""
        there = destination_of(self._clients, self._location, self._export, self._now())
        bucket = self._bucket(there.place.bucket, there)
        months = list(_months(bucket, there))
        if not months:
            raise _nothing(there)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda spot: _offer(bucket, spot, self._now()), months))
        return sorted(_newest(found), key=lambda offer: (offer.export, offer.period))

    def download(self, file: RemoteFile, target: Path) -> None:
        name, key = split_label(file.label)
        self._bucket(name).download(key, file.size, file.version, target)

    def _bucket(self, name: str, there: Destination | None = None) -> Bucket:
        """The same for every file, with the region and the owner known from the settings, else from AWS."""
        if name not in self._buckets:
            region = self._region or (there.region if there else "")
            owner = self._owner or (there.owner if there else "")
            self._buckets[name] = Bucket(self._clients("s3", region), name, owner)
        return self._buckets[name]


def _months(bucket: Bucket, there: Destination) -> Iterator[Spot]:
    """Every current manifest; folders of data are never listed."""
    if single := spot_of(bucket.name, there.place.prefix.rstrip("/")):
        yield single
        return
    for root, listing in _exports(bucket, there):
        dated = [f"{root}{name}/" for name in listing.folders if is_dates(name)]
        if "metadata" in listing.folders:
            below = bucket.folder(f"{root}metadata/").folders
            dated += [f"{root}metadata/{name}/" for name in below if is_partition(name)]
        for folder in dated:
            yield from _current(bucket, folder, _last(root))


def _current(bucket: Bucket, folder: str, export: str) -> list[Spot]:
    """The month's manifest; one that is not there is missed when it is read, and told with its month."""
    there = [spot for key in bucket.folder(folder).keys if (spot := spot_of(bucket.name, key))]
    expected = spot_of(bucket.name, f"{folder}{export}-Manifest.json")
    return there or [spot for spot in (expected,) if spot]


def _exports(bucket: Bucket, there: Destination) -> Iterator[tuple[str, Listing]]:
    """Folders of exports with what they hold, the nearest first; below one, none is looked for."""
    start = there.place.prefix
    likely = f"{start}{there.export}/"
    if there.export and _is_export(listing := bucket.folder(likely)):
        yield likely, listing
        return
    waiting, seen = deque([(start, 0)]), 0
    while waiting:
        (root, depth), seen = waiting.popleft(), seen + 1
        if seen > MOST_FOLDERS:
            raise reject(f"more than {MOST_FOLDERS} folders lie below {there.place}", NARROWER, "s3-location")
        listing = bucket.folder(root)
        if _is_export(listing):
            if there.export.lower() in ("", _last(root).lower()):
                yield root, listing
        elif depth < DEEPEST:
            waiting += [(f"{root}{name}/", depth + 1) for name in listing.folders if "=" not in name]


def _is_export(listing: Listing) -> bool:
    return "metadata" in listing.folders or any(is_dates(name) for name in listing.folders)


def _last(root: str) -> str:
    return root.rstrip("/").rpartition("/")[2]


def _offer(bucket: Bucket, spot: Spot, now: datetime) -> Offer:
    """The month's delivery; whatever is wrong with it is its own fault and not the other months'."""
    offer = Offer(spot.export, spot.period, spot.label, "", (), (), now)
    try:
        body, written = bucket.small(spot.key, LARGEST)
        offer = replace(offer, digest=digest_of(body), delivered=written)
        manifest = parse(body, spot)
        offer = replace(offer, columns=manifest.columns)
        heads = [(key, _head(bucket, key)) for key in manifest.keys]
        _settled(offer, heads, now)
        files = [RemoteFile(f"s3://{bucket.name}/{key}", head.size, head.version) for key, head in heads if head]
        return replace(offer, files=tuple(files))
    except (Rejected, Transient) as fault:
        return replace(offer, fault=fault)
    except Missing as fault:
        return replace(offer, fault=Transient(f"{fault} any more: a delivery is being written"))


def _head(bucket: Bucket, key: str) -> Head | None:
    try:
        return bucket.head(key)
    except Missing:
        return None


def _settled(offer: Offer, heads: list[tuple[str, Head | None]], now: datetime) -> None:
    """The manifest is written last: a file that is newer than it belongs to a delivery that is not whole yet."""
    newer = [key for key, head in heads if head and head.written > offer.delivered]
    if newer and all(now - head.written > GIVEN_UP for _, head in heads if head and head.written > offer.delivered):
        text = "the manifest is older than this file, and no newer one has come"
        raise Rejected([Fault(text, AGAIN, RULE, f"{offer.manifest}: {key}") for key in newer[:10]])
    if newer:
        raise Transient(f"{offer.manifest}: another delivery is under way, {newer[0]} is newer than the manifest")
    absent = [key for key, head in heads if head is None]
    if absent and now - offer.delivered < SETTLED:
        raise Transient(f"{offer.manifest}: {absent[0]}, which it lists, is not there yet")
    if absent:
        text = "the manifest lists this file, which is not there"
        raise Rejected([Fault(text, AGAIN, RULE, f"{offer.manifest}: {key}") for key in absent[:10]])


def _newest(offers: list[Offer]) -> list[Offer]:
    """One of each month. Two manifests are one export before and after a change of its settings: the newer counts."""
    latest: dict[tuple[str, str], Offer] = {}
    for offer in sorted(offers, key=lambda one: (one.delivered, one.manifest)):
        spot = spot_of(*split_label(offer.manifest))
        assert spot is not None
        place = (spot.root, str(spot.period))
        other = latest.get(place)
        latest[place] = replace(offer, fault=_both(offer, other)) if other and _layouts_differ(offer, other) else offer
    return list(latest.values())


def _layouts_differ(offer: Offer, other: Offer) -> bool:
    return ("/metadata/" in offer.manifest) != ("/metadata/" in other.manifest)


def _both(offer: Offer, other: Offer) -> Rejected:
    text = (
        f"a legacy report and a data export bear the same name and hold the same month; the other is {other.manifest}"
    )
    advice = "Give the one that is not meant another prefix, or remove its manifest of that month."
    return reject(text, advice, RULE, file=offer.manifest)


def _nothing(there: Destination) -> Exception:
    named = f" of the export {there.export!r}" if there.export else ""
    if there.new:
        return Transient(f"{there.place}: AWS has not delivered the export {there.export!r} yet; it takes up to a day")
    return reject(f"{there.place}: there is no manifest of a bill{named} here", NARROWER, "no-such-export")
