"""What a shape takes over from the shape it is like. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def texts(entry: dict[str, object], key: str) -> tuple[str, ...]:
    found = entry.get(key, [])
    assert isinstance(found, list)
    return tuple(map(str, found))


# How a text of CSV is checked, by the type it has in Parquet, and what the raw view calls it.
_AS_TEXT = {
    "DOUBLE": ("VARCHAR", "number"),
    "TIMESTAMP": ("VARCHAR", "instant"),
    "MAP(VARCHAR, VARCHAR)": ("JSON", "map"),
}


def whole(entry: dict[str, object], by_name: Mapping[str, dict[str, object]]) -> dict[str, object]:
    """The entry with what it takes over from the shape it is like; `text` turns that shape's columns into texts."""
    own = [f"{entry['shape']}.json"]
    if "like" not in entry:
        return {**entry, "files": own}
    like = whole(by_name[str(entry["like"])], by_name)
    listed, more = like["columns"], entry.get("columns", [])
    assert isinstance(listed, list) and isinstance(more, list)
    dropped = {*texts(entry, "without"), *(column["name"] for column in more)}
    kept = [column for column in listed if column["name"] not in dropped] + more
    kept = [_sectioned(column, texts(entry, "sections")) for column in kept]
    columns = [_as_text(column) for column in kept] if entry.get("text") else kept
    return {**like, **entry, "columns": columns, "files": [*own, *texts(like, "files")]}


def _as_text(column: dict[str, object]) -> dict[str, object]:
    kind = str(column["type"])
    if kind not in _AS_TEXT:
        return column
    shown, check = _AS_TEXT[kind]
    return {**column, "type": shown, "check": check, "typed": kind}


def _sectioned(column: dict[str, object], sections: Sequence[str]) -> dict[str, object]:
    """With the name that the legacy report's CSV gives it: line_item_usage_type is lineItem/UsageType there."""
    names = [str(column["name"]), *texts(column, "aliases")]
    more = [
        f"{section}/{name.removeprefix(section)}".replace("_", "")
        for name in names
        for section in sections
        if name.startswith(f"{section}_")
    ]
    return {**column, "aliases": [*names[1:], *more]}
