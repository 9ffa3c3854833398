"""What to tell of a file that is no known bill: in which language its header is, or what it comes closest to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ingest.mappings import table_rows
from ingest.shapes import Shape, known, plain, shapes
from ledger.faults import Rejected, reject

SHOWN = 6  # columns that a message names
ALIKE = 30  # percent of a shape's signature from which the file may have been meant as it
TRANSLATED = 2  # headers in one language from which a header counts as translated


def unrecognised(headers: Sequence[str], format: str, label: str) -> Rejected:
    """The refusal of such a file."""
    words = translated(headers)
    if len(words) >= TRANSLATED:
        return reject(
            f"the header is in another language ({_languages(words)}): {_listed(list(words))}",
            "Columns are told by their English names. Take the file from an export or the API, which always write"
            " those, or set the portal's language to English and download it again.",
            "translated-header",
            file=label,
        )
    return reject(
        f"no known bill has these columns: {_listed(headers)}{_close_to(headers, format)}",
        "Known shapes are listed in docs/ingest.md; check that the export type is one of them.",
        "unknown-shape",
        file=label,
    )


def translated(headers: Sequence[str]) -> dict[str, str]:
    """The headers that are a column's name in another language, and in which."""
    known = {row["header"]: row["language"] for row in table_rows("header_languages")}
    folded = {header: header.strip().lstrip("\ufeff").lower() for header in headers}
    return {header: known[word] for header, word in folded.items() if word in known}


def _languages(words: dict[str, str]) -> str:
    """The one language that all of them may be in, or each."""
    told = Counter(name for names in words.values() for name in names.split(" or "))
    shared = [name for name, count in told.items() if count == len(words)]
    return " or ".join(shared) or ", ".join(sorted(told))


def _close_to(headers: Sequence[str], format: str) -> str:
    """The shape that most of the header fits, and what it would need."""
    candidates = [shape for shape in shapes() if format in shape.formats]
    scored = [(_percent(shape, headers), place) for place, shape in enumerate(candidates)]
    score, place = max(scored, default=(0, 0))
    best = candidates[place]
    return f"; the closest is {best.label}, but without {', '.join(_missing(best, headers))}" if score >= ALIKE else ""


def _percent(shape: Shape, headers: Sequence[str]) -> int:
    lacking = {*_missing(shape, headers)} & {*shape.signature}
    return 100 - 100 * len(lacking) // len(shape.signature)


def _missing(shape: Shape, headers: Sequence[str]) -> list[str]:
    """What the shape needs, or is known by, and the headers do not have."""
    present, by_name = {plain(header) for header in headers}, {column.name: column for column in shape.columns}
    needed = [*(column.name for column in shape.columns if column.required), *shape.signature]
    return [name for name in dict.fromkeys(needed) if not known(by_name.get(name), name, present)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:SHOWN])}{' ...' if len(names) > SHOWN else ''}"
