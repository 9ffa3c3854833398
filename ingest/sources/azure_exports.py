"""Exports of Azure in a blob container as deliveries: manifests are read, and the files they list held against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ingest.azure_manifests import LARGEST, RULE, Part, Place, Run, Spot, dated_folder, is_manifest, parse, place_of
from ingest.azure_runs import ROLES, Bill, Unread, choose, of_scope
from ingest.offers import Offer, Promise, RemoteFile
from ingest.sources.azure_blobs import Blobs, Head
from ledger.faults import Fault, Missing, Rejected, Transient, reject

AT_ONCE = 8  # manifests read side by side
MOST_MANIFESTS = 5_000
SETTLED = timedelta(minutes=15)  # a file that a manifest names is there by then
WRITING = timedelta(hours=2)  # files of a run without its manifest may still be followed by it
GIVEN_UP = timedelta(days=2)  # exports run daily: a manifest that has not followed its files by then will not
AGAIN = "Run the export again (Cost Management, Exports, Run now); if it stays so, create it anew."
NARROWER = "Point the location at the folder that the exports write to, or at that of one export."
DATA = (".csv", ".csv.gz", ".parquet")


class AzureExports:
    """A DeliverySource over the exports of Cost Management in one container.

    `location` is `az://container/prefix` or the container's https:// address, and may be a single manifest. `exports`
    are the names of those that are meant, none for all, and so is `scope`; `basis` actual takes actual cost without its
    amortized half.
    """

    def __init__(
        self,
        opened: Callable[[str], Blobs],
        location: str,
        now: Callable[[], datetime],
        *,
        exports: tuple[str, ...] = (),
        scope: str = "",
        basis: str = "amortized",
    ) -> None:
        self.place = place_of(location)
        self._blobs, self._now = opened(location), now
        self._exports, self._scope, self._basis = exports, scope, basis
        self._ignored: tuple[str, ...] = ()

    @property
    def ignored(self) -> tuple[str, ...]:
        """What the last listing passed over, each with the reason."""
        return self._ignored

    def offers(self) -> list[Offer]:
        """One for every month of every bill. Rejected where there is none at all."""
        heads = dict(self._blobs.names(listing_start(self.place)))
        spots = [Spot(self.place, name, head.written) for name, head in heads.items() if self._counts(name)]
        if len(spots) > MOST_MANIFESTS:
            raise reject(f"{self.place} holds more than {MOST_MANIFESTS} manifests", NARROWER, "location")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            read = list(pool.map(lambda spot: self._read(spot, heads[spot.name]), spots))
        runs, unread = [one for one in read if isinstance(one, Run)], [one for one in read if isinstance(one, Unread)]
        unread += self._bare(heads)
        chosen = choose(of_scope(runs, self._scope), unread, self._exports, self._basis, self._now())
        self._ignored = chosen.ignored
        if not chosen.bills:
            raise _nothing(str(self.place), unread, chosen.ignored)
        return [self._offer(bill, heads) for bill in chosen.bills]

    def download(self, file: RemoteFile, target: Path) -> None:
        name = file.label.removeprefix(self.place.label(""))
        self._blobs.download(name, file.size, file.version, target)

    def _counts(self, name: str) -> bool:
        return name == self.place.prefix if is_manifest(self.place.prefix) else is_manifest(name)

    def _read(self, spot: Spot, head: Head) -> Run | Unread:
        try:
            return parse(self._blobs.small(spot.name, head, LARGEST), spot)
        except (Rejected, Transient) as fault:
            return Unread(spot, fault)

    def _bare(self, heads: Mapping[str, Head]) -> Iterator[Unread]:
        """Folders of a month that hold data and no manifest at all."""
        there = {dated_folder(name) for name in heads if is_manifest(name)}
        newest: dict[str, datetime] = {}
        for name, head in heads.items():
            folder = dated_folder(name)
            if folder and folder not in there and looks_like_part(name):
                newest[folder] = max(head.written, newest.get(folder, head.written))
        for folder, written in newest.items():
            spot = Spot(self.place, folder, written)
            yield Unread(spot, _no_manifest(spot, self._now()))

    def _offer(self, bill: Bill, heads: Mapping[str, Head]) -> Offer:
        """The month's delivery; whatever is wrong with it is its own fault and not the other months'."""
        written = max((run.spot.written for run in bill.runs), default=self._now())
        digest = "" if bill.fault else bill.digest
        offer = Offer(bill.export, bill.period, bill.manifest, digest, (), (), written, bill.fault)
        if bill.fault:
            return offer
        try:
            files = [file for run in bill.runs for file in self._files(run, heads)]
            prices, details = (self._others(run, heads) for run in (bill.prices, bill.details))
            promises = [promise for run in bill.runs for promise in _promised(run)]
            return replace(offer, files=tuple(files), prices=prices, beside=details, promises=tuple(promises))
        except (Rejected, Transient) as fault:
            return replace(offer, fault=fault)

    def _files(self, run: Run, heads: Mapping[str, Head], role: str | None = None) -> list[RemoteFile]:
        """By the listing; what does not fit it is looked at once more, for a listing is no instant."""
        told = ROLES.get(run.type, "") if role is None else role
        try:
            known = {part.name: heads.get(part.name) or self._head(part.name) for part in run.parts}
            settled(run, known, self._now())
        except Rejected:
            known = {part.name: self._head(part.name) for part in run.parts}
            settled(run, known, self._now())
        return [_remote(run, part, head, told) for part in run.parts if (head := known[part.name])]

    def _others(self, run: Run | None, heads: Mapping[str, Head]) -> tuple[RemoteFile, ...]:
        """Files of what stands beside the bill; a run that is broken leaves the bill as it is, and is told of."""
        if not run:
            return ()
        try:
            return tuple(self._files(run, heads, run.type))
        except Rejected as refusal:
            self._ignored += (f"{run.spot.label} ({refusal.faults[0].message})",)
            return ()

    def _head(self, name: str) -> Head | None:
        try:
            return self._blobs.head(name)
        except Missing:
            return None


def listing_start(place: Place) -> str:
    """The prefix to list: a manifest's own folder, for its files lie there."""
    return place.prefix[: place.prefix.rfind("/") + 1] if is_manifest(place.prefix) else place.prefix


def of_exports(names: Iterable[str]) -> bool:
    """Whether a manifest is among them, or a file in a folder that only runs of exports have."""
    return any(is_manifest(name) or (dated_folder(name) and looks_like_part(name)) for name in names)


def looks_like_part(name: str) -> bool:
    return name.lower().endswith(DATA)


def settled(run: Run, heads: Mapping[str, Head | None], now: datetime) -> None:
    """The manifest is written last, and tells the size of every file; whatever differs is not one whole delivery."""
    newer = [head for head in heads.values() if head and head.written > run.spot.written]
    later = [name for name, head in heads.items() if head and head.written > run.spot.written]
    if newer and all(now - head.written > GIVEN_UP for head in newer):
        raise _refused(run, later, "the manifest is older than this file, and no newer one has come")
    if newer:
        raise Transient(f"{run.spot.label}: another run is under way, {later[0]} is newer than the manifest")
    absent = [name for name, head in heads.items() if head is None]
    if absent and now - run.spot.written < SETTLED:
        raise Transient(f"{run.spot.label}: {absent[0]}, which it lists, is not there yet")
    if absent:
        raise _refused(run, absent, "the manifest lists this file, which is not there")
    _sizes(run, heads)


def _sizes(run: Run, heads: Mapping[str, Head | None]) -> None:
    faults = [
        Fault(f"the file has {head.size} bytes, its manifest says {part.size}", AGAIN, RULE, _named(run, part.name))
        for part in run.parts
        if (head := heads[part.name]) and part.size not in (None, head.size)
    ]
    if faults:
        raise Rejected(faults[:10])
    there = sum(head.size for head in heads.values() if head)
    if run.size not in (None, there):
        raise reject(
            f"its files have {there} bytes together, the manifest says {run.size}", AGAIN, RULE, file=run.spot.label
        )


def _promised(run: Run) -> list[Promise]:
    labels = frozenset(run.spot.place.label(part.name) for part in run.parts)
    return [] if run.rows is None else [Promise(run.spot.label, labels, run.rows)]


def _refused(run: Run, names: Iterable[str], text: str) -> Rejected:
    return Rejected([Fault(text, AGAIN, RULE, _named(run, name)) for name in list(names)[:10]])


def _named(run: Run, name: str) -> str:
    return f"{run.spot.label}: {name}"


def _remote(run: Run, part: Part, head: Head, role: str) -> RemoteFile:
    return RemoteFile(run.spot.place.label(part.name), head.size, head.version, role, part.rows)


def _no_manifest(spot: Spot, now: datetime) -> Rejected | Transient:
    text = "files of an export lie here without a manifest.json, so nothing tells which of them make up the bill"
    if now - spot.written < WRITING:
        return Transient(f"{spot.label}: {text}: the run may still be under way")
    advice = (
        "Create the export anew: exports of today write a manifest. Or give the files of one run to `ledger ingest`, "
        "each by its name."
    )
    return reject(text, advice, "no-manifest", file=spot.label)


def _nothing(place: str, unread: list[Unread], ignored: tuple[str, ...]) -> Exception:
    """What is wrong with all there is; else that there is nothing."""
    if unread:
        return unread[0].fault
    there = f"; there are: {', '.join(ignored[:5])}" if ignored else ""
    return reject(f"{place}: there is no manifest of a bill here{there}", NARROWER, "no-such-export")
