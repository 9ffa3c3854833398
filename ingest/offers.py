"""What a source with manifests has ready: whole deliveries, listed before anything is downloaded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ledger.delivery import Period
from ledger.faults import Rejected, Transient, reject


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file where it lies. `label` is what a person may see; `version` names this very content, such as an ETag.

    `role` is actual or amortized where the provider says which of the two it is, `rows` how many it says there are.
    """

    label: str
    size: int
    version: str
    role: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """How many rows a manifest says that several files have together, where it does not say it of each."""

    manifest: str
    labels: frozenset[str]
    rows: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One whole delivery of an export: exactly the files that its manifest lists.

    `digest` is the SHA-256 of the manifest: equal digests are equal deliveries; it is empty where no manifest tells
    and the files have to be looked at. `columns` are the header that every
    file has to have, empty where the manifest names none; `delivered` is when the manifest was written (UTC).
    `fault` is why the delivery cannot be taken now, such as another one under way: then `files` says nothing, and
    `digest` is empty where the manifest could not be read. `prices` are the files of the price sheet of the same scope,
    `beside` the provider's other views that the bill's mapping reads.
    """

    export: str
    period: Period
    manifest: str
    digest: str
    columns: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    delivered: datetime
    fault: Transient | Rejected | None = None
    prices: tuple[RemoteFile, ...] = ()
    beside: tuple[RemoteFile, ...] = ()
    promises: tuple[Promise, ...] = ()


class DeliverySource(Protocol):
    """Where deliveries lie. Faults: Transient (busy, cut off, being rewritten), Rejected (denied, broken manifest)."""

    def offers(self) -> Sequence[Offer]:
        """The newest delivery of every billing period, in order of export and period, also those with a fault."""

    def download(self, file: RemoteFile, target: Path) -> None:
        """Exactly the version listed, whole, with bounded memory; Transient when it is another one by now."""


def several(offers: Sequence[Offer]) -> Offer:
    """Without a digest, so that it is not taken for the delivery that the ledger holds."""
    named = ", ".join(sorted(offer.manifest for offer in offers))
    advice = "Name one: a longer location, or export = NAME of the source in ledger.toml. Two would bill twice."
    fault = reject(f"several exports offer {offers[0].period}: {named}", advice, "several-exports", file=named)
    return replace(offers[0], digest="", fault=fault)
