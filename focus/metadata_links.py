"""What no single metadata rule sees: references between the documents, the order of sectors, the data's own header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from focus.metadata_rules import Finding, Object, is_instant, rule_findings
from focus.schema import VERSION

# Our own names for what follows from the specification's text without being a rule of its model.
INSTANCE, TWICE, ONCE = "META-LINK-INSTANCE", "META-LINK-UNIQUE", "META-LINK-RECENCY-ONCE"
DATASET, SPAN, ORDER = "META-LINK-DATASET", "META-LINK-SECTOR-SPAN", "META-LINK-SECTOR-ORDER"
FOCUS_VERSION, HEADER, DOUBLED = "META-LINK-VERSION", "META-LINK-HEADER", "META-LINK-COLUMN-ONCE"
UNIQUE = (
    ("DatasetInstance", "DatasetInstanceId", TWICE),
    ("Schema", "SchemaId", TWICE),
    ("Recency", "DatasetInstanceId", ONCE),
)
DATASETS = ("CostAndUsage", "ContractCommitment")
SHOWN = 5


def check_metadata(document: Object, version: str = VERSION, header: Sequence[str] | None = None) -> list[Finding]:
    """Every finding in the documents, given as one mapping of top key to content.

    `header` is the delivered data's own: at least one Schema has to describe exactly these columns.
    """
    found = rule_findings(document, version)
    found += _references(document)
    found += _repeated(document)
    found += _datasets(document)
    for place, one in _objects(document, "Recency"):
        found += _span(place, _sectors(one))
    for place, schema in _objects(document, "Schema"):
        found += _doubled(place, schema)
    found += _version(document, version)
    return found + (_header(document, header) if header is not None else [])


def _references(document: Object) -> Iterator[Finding]:
    if "DatasetInstance" not in document:
        return
    known = [one.get("DatasetInstanceId") for _, one in _objects(document, "DatasetInstance")]
    for place, one in [*_objects(document, "Schema"), *_objects(document, "Recency")]:
        named = one.get("DatasetInstanceId")
        if named is not None and named not in known:
            yield Finding(INSTANCE, "MUST", f"{place}.DatasetInstanceId", f"names no described instance: {named}")


def _repeated(document: Object) -> Iterator[Finding]:
    for name, key, rule in UNIQUE:
        seen: list[object] = []
        for place, one in _objects(document, name):
            if one.get(key) is not None and one[key] in seen:
                yield Finding(rule, "MUST", f"{place}.{key}", f"occurs twice: {one[key]}")
            seen.append(one.get(key))


def _datasets(document: Object) -> Iterator[Finding]:
    for place, one in _objects(document, "DatasetInstance"):
        named = one.get("FocusDatasetId")
        if isinstance(named, str) and named not in DATASETS:
            yield Finding(DATASET, "MUST", f"{place}.FocusDatasetId", f"is none of {', '.join(DATASETS)}: {named}")


def _sectors(recency: Object) -> list[tuple[str, str, str]]:
    """(path, start, end) of each sector whose instants are well written: as texts they sort as the instants do."""
    listed = [(p, one.get("TimeSectorStart"), one.get("TimeSectorEnd")) for p, one in _objects(recency, "TimeSectors")]
    return [(place, str(start), str(end)) for place, start, end in listed if is_instant(start) and is_instant(end)]


def _span(owner: str, sectors: Sequence[tuple[str, str, str]]) -> Iterator[Finding]:
    last = ""
    for place, start, end in sectors:
        if start >= end:
            yield Finding(SPAN, "MUST", f"{owner}.{place}", f"ends at {end}, which is not after {start}")
        if start < last:
            yield Finding(ORDER, "SHOULD", f"{owner}.{place}", f"starts at {start}, before an earlier one ends: {last}")
        last = max(last, end)


def _doubled(place: str, schema: Object) -> Iterator[Finding]:
    names = _names(schema)
    for at, name in enumerate(names):
        if name in names[:at]:
            yield Finding(DOUBLED, "MUST", f"{place}.ColumnDefinition[{at}].ColumnName", f"occurs twice: {name}")


def _version(document: Object, version: str) -> Iterator[Finding]:
    """Schemas of earlier versions may lie beside the one that describes the data."""
    said = [str(one["FocusVersion"]) for _, one in _objects(document, "Schema") if "FocusVersion" in one]
    if said and version not in said:
        yield Finding(
            FOCUS_VERSION, "MUST", "Schema.FocusVersion", f"none is {version}: {', '.join(sorted(set(said)))}"
        )


def _header(document: Object, header: Sequence[str]) -> list[Finding]:
    """Order is free in FOCUS, names are not."""
    schemas = [(place, _names(one)) for place, one in _objects(document, "Schema")]
    if not schemas or any(sorted(names) == sorted(header) for _, names in schemas):
        return []
    place, names = min(schemas, key=lambda pair: len(set(pair[1]) ^ set(header)))
    message = "; ".join(
        text
        for text in (
            _listed("not in the data", [name for name in names if name not in header]),
            _listed("only in the data", [name for name in header if name not in names]),
        )
        if text
    )
    return [Finding(HEADER, "MUST", f"{place}.ColumnDefinition", message or "a column is doubled")]


def _listed(label: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{label}: {', '.join(names[:SHOWN])}{more}" if names else ""


def _names(schema: Object) -> list[str]:
    return [str(one["ColumnName"]) for _, one in _objects(schema, "ColumnDefinition") if "ColumnName" in one]


def _objects(owner: Object, name: str) -> list[tuple[str, Object]]:
    """(path, object) of each object under a key; what is no object is left to the rules."""
    value = owner.get(name)
    if isinstance(value, Mapping):
        return [(name, value)]
    listed = value if isinstance(value, list) else []
    return [(f"{name}[{at}]", one) for at, one in enumerate(listed) if isinstance(one, Mapping)]
