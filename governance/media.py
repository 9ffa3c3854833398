"""A letter in the form of a medium. Texts go into the leaves of a document: nothing breaks out of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from string import Template
from typing import Any

from governance.letter import Letter

Fields = Mapping[str, str]


def slack_text(text: str) -> str:
    """Slack reads these three as markup, in any kind of text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_it_is(text: str) -> str:
    """Teams: the card shows values in text runs, which know no markup."""
    return text


ESCAPES: Mapping[str, Callable[[str], str]] = {"slack": slack_text, "teams": as_it_is, "webhook": as_it_is}


def document(medium: str, form: Any, found: Letter) -> bytes:
    """The JSON body for a medium that has a form (templates/MEDIUM.json)."""
    escape = ESCAPES[medium]
    top = {"id": found.id, "name": found.kind, "at": found.at, "budget": found.budget, "title": found.title}
    rows: Mapping[str, Sequence[Fields]] = {
        "lines": [{"line": line} for line in found.lines],
        "links": [{"label": label, "url": url} for label, url in found.links.items()],
    }
    filled = _filled(
        form, _escaped(top, escape), {name: [_escaped(one, escape) for one in rows[name]] for name in rows}
    )
    return json.dumps(filled, ensure_ascii=False).encode("utf-8", "replace")


def plain_text(found: Letter) -> str:
    links = [f"{label}: {url}" for label, url in found.links.items()]
    return "\n".join([found.title, "", *found.lines, *([""] if links else []), *links, ""])


def _escaped(fields: Fields, escape: Callable[[str], str]) -> Fields:
    return {name: escape(value) for name, value in fields.items()}


def _filled(node: Any, fields: Fields, rows: Mapping[str, Sequence[Fields]]) -> Any:
    if isinstance(node, str):
        return Template(node).safe_substitute(fields)
    if isinstance(node, dict):
        return {name: _filled(value, fields, rows) for name, value in node.items() if name != "each"}
    if isinstance(node, list):
        return [one for item in node for one in _repeated(item, fields, rows)]
    return node


def _repeated(item: Any, fields: Fields, rows: Mapping[str, Sequence[Fields]]) -> list[Any]:
    each = item.get("each") if isinstance(item, dict) else None
    return [_filled(item, {**fields, **row}, rows) for row in rows[each]] if each else [_filled(item, fields, rows)]
