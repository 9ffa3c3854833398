"""HTML as values: whatever is not already Html is escaped, so no text of a bill can become markup."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"meta", "br", "hr"})


class Html(str):
    """Text that is markup already; only `el` and `raw` make it."""

    __slots__ = ()


def raw(text: str) -> Html:
    """For text that is markup by our own hand, such as the style sheet; never for data."""
    return Html(text)


def el(name: str, /, *children: object, **attributes: object) -> Html:
    """An element; `class_` and other names lose their trailing underscore, inner underscores become hyphens."""
    pairs = "".join(f' {_attribute(key)}="{escape(str(value))}"' for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{pairs}>")
    return Html(f"<{name}{pairs}>{join(children)}</{name}>")


def join(children: object) -> Html:
    """Children in order, each escaped unless it is Html; lists are taken apart."""
    if isinstance(children, (list, tuple)):
        return Html("".join(join(child) for child in children))
    return children if isinstance(children, Html) else Html(escape(str(children)))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key != "viewBox" else key
