"""Which files make up which delivery: one (source, billing period) each, Azure's as an actual and amortized pair."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.holding import Holding
from ingest.mapping import StagedFile, definition
from ingest.shapes import Shape, companions_of, price_sheet
from ingest.staging import Staged
from ledger.delivery import Period, SourceRef
from ledger.faults import Fault, Rejected, reject

ROLES = ("actual", "amortized")
LONGEST = 50  # of an account in a source's name, which has 63 characters


@dataclass(frozen=True, slots=True)
class Found:
    """What one file holds for one account and billing period; `hints` are the roles whose own rows it has.

    `promised` is how many rows its manifest says that the whole file has, where it says so. `members` are the accounts
    within the billing account, where its shape tells them apart.
    """

    staged: Staged
    account: str
    period: Period
    provider: str
    currencies: tuple[str, ...]
    rows: int
    hints: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    promised: int | None = None
    members: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class Assembled:
    """A delivery ready to map, or, with `missing`, one that waits for the file of that role.

    `parties` are the settings' names of companies, where its mapping looks them up; `options` are what its source's
    settings ask of the mapping; `prices` are the price sheets beside it and `companions` what else stands there;
    `manifest` is the digest of the manifest that lists the files, if there is one; `is_listed` says that the provider
    listed them, in one or otherwise.
    """

    source: SourceRef
    period: Period
    found: tuple[Found, ...]
    basis: str
    missing: str = ""
    parties: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    manifest: str = ""
    is_listed: bool = False
    prices: tuple[Staged, ...] = ()
    companions: tuple[Staged, ...] = ()

    @property
    def members(self) -> frozenset[tuple[str, ...]]:
        """The accounts within the billing accounts."""
        return frozenset(member for entry in self.found for member in entry.members)

    @property
    def holding(self) -> Holding:
        """Whose bill this is."""
        keys = {f"{entry.account}/{scope}".rstrip("/") for entry in self.found for scope in entry.scopes or ("",)}
        return Holding(self.source.name, self.source.provider, frozenset(keys))

    @property
    def may_overlap(self) -> bool:
        """Whether two of its files may be two tellings of the same lines: files of one role that nobody lists."""
        files = {(entry.staged.file.role, entry.staged.file.label) for entry in self.found}
        return not (self.manifest or self.is_listed) and len({role for role, _ in files}) < len(files)

    def rows_of(self, files: Collection[StagedFile]) -> int:
        """How many rows of these files are this delivery's."""
        paths = {file.path for file in files}
        entries = {(entry.staged.file.path, entry.account): entry for entry in self.found}
        return sum(entry.rows for (path, _), entry in entries.items() if path in paths)

    @property
    def shape_name(self) -> str:
        return self.found[0].staged.shape.name

    @property
    def digest(self) -> str:
        """What decides the rows, as one digest; a manifest stands for the files that it lists."""
        files = sorted(f"{entry.staged.digest}:{entry.staged.file.role}:{entry.account}" for entry in self.found)
        content = [f"manifest {self.manifest}"] if self.manifest else files
        shape, prices = self.found[0].staged.shape, [sheet.digest for sheet in self.prices]
        besides = [one.digest for one in self.companions]
        return delivery_digest(
            content, self.basis, self.period, self.source.name, shape, self.parties, self.options, prices, besides
        )

    @property
    def facts(self) -> dict[str, str]:
        """Of the whole delivery: true where any of its files says so."""
        return dict(sorted(pair for entry in self.found for pair in entry.facts))


def basis_of(shape: Shape, asked: str) -> str:
    """Only a shape that comes as an actual and an amortized file has a choice."""
    return asked if shape.roles else "amortized"


def delivery_digest(
    content: Sequence[str],
    basis: str,
    period: Period,
    source: str,
    shape: Shape,
    parties: Sequence[tuple[str, str]] = (),
    options: Sequence[tuple[str, str]] = (),
    prices: Sequence[str] = (),
    companions: Sequence[str] = (),
) -> str:
    """SHA-256 over the content, the basis, the settings and the mapping with its tables: what decides the rows.

    `prices` are the digests of the price sheets beside it, `companions` those of what else stands there.
    """
    parts = [*content, basis, str(period), source, *definition(shape)]
    parts += [f"{name} is {entity}" for name, entity in parties]
    parts += [f"{name} = {value}" for name, value in options]
    parts += [*(f"prices {digest}" for digest in sorted(prices)), *definition(price_sheet())] if prices else []
    parts += [f"beside {digest}" for digest in sorted(companions)]
    parts += [told for one in companions_of(shape) for told in definition(one)] if companions else []
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def source_name(provider: str, account: str, named: Mapping[tuple[str, str], str]) -> str:
    """The configured source of this (provider, account), else one made of both: no two payers share a partition."""
    configured = named.get((provider, account))
    slug = re.sub(r"[^a-z0-9]+", "-", account.lower()).strip("-")
    if slug == account.lower() and len(slug) <= LONGEST:
        return configured or f"{provider}-{slug}"
    mark = hashlib.sha256(account.encode()).hexdigest()[:8]
    return configured or "-".join(part for part in (provider, slug[: LONGEST - 9].rstrip("-"), mark) if part)


def assemble(
    source: SourceRef, period: Period, found: Sequence[Found], basis: str, held: Sequence[Found] = ()
) -> Assembled:
    """The delivery of these files, completed by those held back earlier where a pair is needed."""
    shape = _one_shape(found)
    if not shape.roles:
        return Assembled(source, period, tuple(_distinct(found)), "amortized")
    roled = _distinct(assign_roles(found, held))
    if basis == "actual":
        return Assembled(source, period, _only_actual(roled), "actual")
    present = {entry.staged.file.role for entry in roled}
    missing = next((role for role in ROLES if role not in present), "")
    return Assembled(source, period, tuple(roled), "amortized", missing)


def assign_roles(found: Sequence[Found], held: Sequence[Found] = ()) -> list[Found]:
    """Each file with its role: by its manifest or its own rows, else by its name, else as a known one's other half.

    A newly given file takes the place of a held one of the same role; one that tells nothing and was held before is
    that very file again.
    """
    before = {entry.staged.digest: entry.staged.file.role for entry in held}
    fresh = [with_role(entry, _evident(entry) or before.get(entry.staged.digest, "")) for entry in found]
    kept = [entry for entry in held if entry.staged.file.role not in {new.staged.file.role for new in fresh}]
    roles = {entry.staged.file.role for entry in (*fresh, *kept)} - {""}
    open_files = sorted((entry for entry in fresh if not entry.staged.file.role), key=lambda entry: entry.staged.digest)
    if not open_files:
        return [*fresh, *kept]
    free = [role for role in ROLES if role not in roles]
    if len(open_files) > max(len(free), 1):
        raise _unclear(open_files)
    given = dict(zip((entry.staged.origin for entry in open_files), free or ["actual"], strict=False))
    return [with_role(entry, entry.staged.file.role or given[entry.staged.origin]) for entry in fresh] + kept


def _evident(entry: Found) -> str:
    if len(entry.hints) > 1:
        raise reject(
            "rows of an actual-cost and of an amortized-cost report stand in one file",
            "Give the two reports as two files; joined together they count commitments twice.",
            "mixed-metrics",
            file=entry.staged.file.label,
        )
    if (told := entry.staged.file.role) and entry.hints not in ((), (told,)):
        text = f"the file holds rows of an {entry.hints[0]}-cost report, but it was delivered as {told}"
        raise reject(text, "Let the provider deliver it again.", "mixed-metrics", file=entry.staged.file.label)
    return told or (entry.hints[0] if entry.hints else _by_name(entry.staged.file.label))


def _by_name(label: str) -> str:
    """The file's own name has the first say, then the folder around it, and so on; one that tells both says nothing."""
    spelt = label.lower().replace("cost", " ").replace("amortised", "amortized")
    for part in reversed(re.split(r"[/\\]", spelt)):
        told = [role for role in ROLES if role in re.split(r"[^a-z]+", part)]
        if len(told) == 1:
            return told[0]
    return ""


def with_role(entry: Found, role: str) -> Found:
    return replace(entry, staged=replace(entry.staged, file=replace(entry.staged.file, role=role)))


def _only_actual(found: Sequence[Found]) -> tuple[Found, ...]:
    actual = tuple(entry for entry in found if entry.staged.file.role == "actual")
    if not actual:
        raise reject(
            "the basis is actual, but only an amortized file was given",
            "Give the actual-cost file, or give both without --basis.",
            "basis",
            file=found[0].staged.file.label,
        )
    return actual


def _distinct(found: Sequence[Found]) -> list[Found]:
    """The same bytes given twice for the same account and role count once."""
    return list({(entry.account, entry.staged.digest, entry.staged.file.role): entry for entry in found}.values())


def _one_shape(found: Sequence[Found]) -> Shape:
    shapes = {entry.staged.shape.name: entry.staged.shape for entry in found}
    if len(shapes) > 1:
        raise reject(
            f"files of several shapes ({', '.join(sorted(shapes))}) claim the same source and billing period",
            "Ingest them one by one under names of their own: --source NAME.",
            "several-shapes",
            file=", ".join(sorted({entry.staged.file.label for entry in found})),
        )
    return next(iter(shapes.values()))


def _unclear(files: Sequence[Found]) -> Rejected:
    return Rejected(
        [
            Fault(
                "nothing in this file tells whether it is the actual or the amortized report",
                "Give one file of each metric and let the name say which: ...actual... and ...amortized...",
                "unclear-metric",
                entry.staged.file.label,
            )
            for entry in files
        ]
    )
