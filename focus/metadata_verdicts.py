"""Metadata rules as verdicts of a report: evaluated where documents lie beside the data, else not checkable. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from focus.metadata_links import check_metadata
from focus.metadata_rules import Finding, rules
from focus.report import NOT_CHECKABLE, PASSED, VIOLATED, Example, Verdict

ABSENT = "no metadata lies beside the data"


def metadata_verdicts(
    documents: Mapping[str, object] | None, version: str, header: Sequence[str], max_examples: int
) -> tuple[Verdict, ...]:
    """One verdict for every metadata rule, and one for every link between the documents that is broken."""
    known = {rule.id: (rule.keyword, ".".join(rule.path)) for rule in rules(version)}
    if documents is None:
        return tuple(Verdict(name, *told, "", NOT_CHECKABLE, reason=ABSENT) for name, told in known.items())
    found: dict[str, list[Finding]] = {}
    for finding in check_metadata(documents, version, header):
        found.setdefault(finding.rule, []).append(finding)
    links = {name: (mine[0].keyword, "metadata") for name, mine in found.items()}
    return tuple(_verdict(name, told, found.get(name, []), max_examples) for name, told in {**links, **known}.items())


def _verdict(name: str, told: tuple[str, str], mine: Sequence[Finding], max_examples: int) -> Verdict:
    examples = [Example("metadata", None, {one.path: one.message}) for one in mine[:max_examples]]
    text = f"{told[1]} is there and of its type"
    return Verdict(name, *told, text, VIOLATED if mine else PASSED, 1, len(mine), "", tuple(examples))
