"""A report for people and for other programs: plain text, JUnit XML, an HTML page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from xml.sax.saxutils import quoteattr

from focus.report import NOT_APPLICABLE, NOT_CHECKABLE, PASSED, VIOLATED, Example, Report, Verdict
from focus.rules import MUST, SHOULD

LONGEST = 100  # characters of a requirement on a line of text

STYLE = """
:root{--ink:#1c2430;--soft:#5d6b7e;--line:#dfe4ea;--good:#13795b;--bad:#b3261e;--warn:#8a5a00;--paper:#fff;--back:#f5f7f9}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa8ba;--line:#2c3644;--good:#4cc38a;--bad:#ff8a80;
--warn:#f2b84b;--paper:#161c24;--back:#0f141a}}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 12px}p{color:var(--soft);margin:0 0 16px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.card span{color:var(--soft)}
table{width:100%;border-collapse:collapse;background:var(--paper);border:1px solid var(--line);border-radius:10px}
th,td{text-align:left;padding:8px 12px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:13px ui-monospace,monospace}.violated{color:var(--bad)}.passed{color:var(--good)}.warning{color:var(--warn)}
details{margin-top:4px}summary{cursor:pointer;color:var(--soft)}
"""


def outcome(report: Report) -> str:
    """One line: is the data conformant, and how far was it looked at."""
    musts, shoulds = len(report.violated(MUST)), len(report.violated(SHOULD))
    word = "conformant" if report.conformant else f"NOT conformant: {musts} rules with MUST are broken"
    warned = f", {shoulds} warnings" if shoulds else ""
    return f"{report.dataset} against FOCUS {report.version}: {word}{warned}"


def text(reports: Sequence[Report]) -> Iterator[str]:
    """Lines for a terminal: broken rules with their first places, the summary by keyword, and coverage."""
    for report in reports:
        yield outcome(report)
        yield f"  {report.rows} rows{f'; partial: {report.partial}' if report.partial else ''}"
        for keywords in (MUST, SHOULD):
            for verdict in report.violated(keywords):
                yield from _lines(verdict)
        yield ""
        for keyword, counts in report.summary().items():
            yield f"  {keyword:<10} {', '.join(f'{count} {name}' for name, count in counts.items())}"
        yield f"  coverage   {', '.join(f'{count} {name}' for name, count in report.coverage().items())}"
        yield from (f"  note       {note}" for note in report.notes)


def _lines(verdict: Verdict) -> Iterator[str]:
    sort = "error  " if verdict.keyword in MUST else "warning"
    yield f"  {sort} {verdict.rule} {verdict.keyword}: {verdict.text[:LONGEST]}"
    yield f"          {verdict.violations} of {verdict.scope} in scope"
    for example in verdict.examples:
        yield f"          {_place(example)}: {_values(example)}"


def _place(example: Example) -> str:
    return f"{example.file}{f' row {example.row}' if example.row is not None else ''}"


def _values(example: Example) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in example.values.items())


def _value(value: str | None) -> str:
    return "null" if value is None else repr(value)


def junit(reports: Sequence[Report]) -> str:
    """A test case a rule: failures are broken rules with MUST, rules that were not evaluated are skipped."""
    suites = "\n".join(_suite(report) for report in reports)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{suites}\n</testsuites>\n'


def _suite(report: Report) -> str:
    failed = len(report.violated(MUST))
    skipped = sum(one.status in (NOT_APPLICABLE, NOT_CHECKABLE) for one in report.verdicts)
    counts = f'tests="{len(report.verdicts)}" failures="{failed}" skipped="{skipped}"'
    cases = "\n".join(_case(one) for one in report.verdicts)
    name = quoteattr(f"FOCUS {report.version} {report.dataset}")
    return f"<testsuite name={name} {counts}>\n{cases}\n</testsuite>"


def _case(verdict: Verdict) -> str:
    head = f"<testcase classname={quoteattr(verdict.column or 'file')} name={quoteattr(verdict.rule)}"
    if verdict.status == PASSED:
        return f"{head}/>"
    if verdict.status != VIOLATED:
        return f"{head}><skipped message={quoteattr(_clean(f'{verdict.status}: {verdict.reason}'))}/></testcase>"
    places = "\n".join(f"{_place(one)}: {_values(one)}" for one in verdict.examples)
    told = f"{verdict.violations} of {verdict.scope} in scope break it: {verdict.text}"
    tag = "failure" if verdict.keyword in MUST else "system-out"
    message = f" message={quoteattr(_clean(told))}" if tag == "failure" else ""
    return f"{head}><{tag}{message}>{escape(_clean(places))}</{tag}></testcase>"


def _clean(value: str) -> str:
    """Without the characters that XML cannot carry."""
    return "".join(
        one if one in "\t\n" or " " <= one < "\ud800" or "\ue000" <= one < "\ufffe" else "?" for one in value
    )


def html(reports: Sequence[Report], title: str) -> str:
    """One page without anything from elsewhere."""
    body = "\n".join(_section(report) for report in reports)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _section(report: Report) -> str:
    coverage = report.coverage()
    numbers = {"rows": report.rows, "broken MUST rules": len(report.violated(MUST))}
    numbers |= {"warnings": len(report.violated(SHOULD)), **coverage}
    cards = "".join(
        f'<div class="card"><b>{count:,}</b><span>{escape(name)}</span></div>' for name, count in numbers.items()
    )
    broken = [*report.violated(MUST), *report.violated(SHOULD)]
    word = "passed" if report.conformant else "violated"
    partial = f"<p>Partial: {escape(report.partial)}</p>" if report.partial else ""
    return (
        f'<h2 class="{word}">{escape(outcome(report))}</h2>{partial}<div class="cards">{cards}</div>'
        f"{_table('Broken rules', broken) if broken else ''}"
        f"<details><summary>All {len(report.verdicts)} rules</summary>{_table('', report.verdicts)}</details>"
    )


def _table(title: str, verdicts: Sequence[Verdict]) -> str:
    heads = "".join(f"<th>{name}</th>" for name in ("Rule", "Keyword", "Status", "Broken", "In scope", "Requirement"))
    rows = "".join(map(_row, verdicts))
    return f"{f'<h2>{title}</h2>' if title else ''}<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(verdict: Verdict) -> str:
    sort = "warning" if verdict.status == VIOLATED and verdict.keyword not in MUST else verdict.status
    examples = "".join(
        f"<div><code>{escape(_place(one))}: {escape(_values(one))}</code></div>" for one in verdict.examples
    )
    more = f"<details open><summary>first places</summary>{examples}</details>" if examples else ""
    reason = f"<p>{escape(verdict.reason)}</p>" if verdict.reason else ""
    return (
        f"<tr><td><code>{escape(verdict.rule)}</code></td><td>{verdict.keyword}</td>"
        f'<td class="{sort}">{verdict.status}</td><td class="n">{verdict.violations:,}</td>'
        f'<td class="n">{verdict.scope:,}</td><td><code>{escape(verdict.text)}</code>{reason}{more}</td></tr>'
    )
