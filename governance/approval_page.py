"""What a person sees who opens a link: a page that asks, and one that tells. Nothing on them loads or runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from governance.approval_link import Link

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head><body><h1>{title}</h1>
{body}
</body></html>
"""


def question(link: Link, details: Iterable[str]) -> str:
    """Opening it decides nothing, so that a mail scanner that follows links does no harm: only the button does."""
    plan = escape("\n".join(details))
    verb = link.choice.capitalize()
    button = f'<form method="post"><button type="submit">{verb} this plan</button></form>'
    who = f"<p>For {escape(link.to)}, who is recorded as having decided. Valid until {escape(link.expires)}.</p>"
    return _page(f"{verb} plan {link.plan[:12]}?", f"<pre>{plan}</pre>\n{who}\n{button}")


def answer(title: str, text: str) -> str:
    return _page(title, f"<p>{escape(text)}</p>")


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)
