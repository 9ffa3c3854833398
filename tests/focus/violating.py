"""For a check of the rules' language, changes to a row that passes it after which it has to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from focus.expression import Among, Both, Call, Compare, Many, Name, Node, Not, Null, Number, Product, Text

Change = Mapping[str, str | None]

WRONG = {
    "FMT_NUMERIC": "1,5",
    "FMT_DATETIME": "2025-09-01",
    "FMT_CURRENCY": "ZZZ",
    "FMT_UNIT": "furlong",
    "FMT_KEYVALUE": '{"a":[1]}',
    "FMT_JSONOBJECT": "[1]",
    "FMT_STRING": " ",
    "IS_ISO4217": "Credits",
    "IS_DECIMAL": "NaN",
    "IS_DATETIME": "soon",
    "IS_OBJECT": "[]",
    "IS_JSON": "{",
    "UNIQUE_KEYS": '{"a":1,"a":2}',
    "FLAT": '{"a":{}}',
    "NOT_BLANK": " ",
    "NOT_A_STAND_IN": "N/A",
    "PLAIN_NUMBER": "1E3",
    "ONE_TYPE": '{"Elements":[1,"a"]}',
    "NO_REPEATS": '{"Elements":[1,1]}',
}
OPPOSITE = {">=": "-1", "<": "2099-01-01T00:00:00Z", "<=": "2099-01-01T00:00:00Z", "=": "987654.321"}

# Rules on JSON whose breaking text does not follow from the form of the check.
JSON_TEXTS: Mapping[str, Change] = {
    "CAU-SkuPriceDetails-C-002-O": {"SkuPriceDetails": '{"coreCount":1}'},
    "CAU-SkuPriceDetails-C-017-C": {"SkuPriceDetails": '{"Stranger":1}'},
    "CAU-SkuPriceDetails-C-020-M": {"SkuPriceDetails": '{"corecount":1}'},
    "CAU-SkuPriceDetails-C-021-M": {"SkuPriceDetails": '{"CoreCount":"1"}'},
    "CAU-AllocatedTags-C-006-M": {"AllocatedTags": '{"a":1}', "Tags": '{"a":2}'},
    "JsonObjectFormat-A-008-M": {"ContractApplied": '{"Elements":[null]}'},
    "JsonObjectFormat-A-011-O": {"ContractApplied": '{"Elements":[{"a":{}}]}'},
    "CAU-AllocatedMethodDetailsObject-O-005-M": {"AllocatedMethodDetails": '{"Elements":[{"allocatedratio":1}]}'},
    "CAU-AllocatedMethodDetailsObject-O-009-C": {"AllocatedMethodDetails": '{"Elements":[{"Stranger":1}]}'},
    "CAU-AllocatedMethodDetailsObject-O-016-C": {"AllocatedMethodDetails": '{"Elements":[{"UsageQuantity":1}]}'},
    "CAU-ContractAppliedObject-O-005-M": {"ContractApplied": '{"Elements":[{}]}'},
    "CAU-ContractAppliedObject-O-006-O": {"ContractApplied": '{"Elements":[{"not-pascal":1}]}'},
    "CAU-ContractAppliedObject-O-010-M": {"ContractApplied": '{"Elements":[{"Stranger":1}]}'},
    "CAU-ContractAppliedObject-O-012-M": {"ContractApplied": '{"Elements":[{"x_a":[1]}]}'},
    "CAU-ContractAppliedObject-O-014-M": {"ContractApplied": '{"Elements":[{"contractid":"a"}]}'},
    "CAU-ContractAppliedObject-O-017-C": {"ContractApplied": '{"Elements":[{"Stranger":1}]}'},
    "CAU-ContractAppliedObject-O-039-C": {
        "ChargeCategory": "Purchase",
        "ResourceId": "another",
        "ContractApplied": '{"Elements":[{"ContractCommitmentId":"a"}]}',
    },
}


def changes(rule: str, check: Node, row: Mapping[str, str | None]) -> Change:
    """What to put in the row. KeyError when the form of the check is unknown here."""
    return JSON_TEXTS.get(rule) or _broken(check, row)


def _broken(check: Node, row: Mapping[str, str | None]) -> Change:
    if isinstance(check, Both):
        return _broken_both(check, row)
    if isinstance(check, Not):
        raise KeyError(check)
    changed: Change = _FORMS[type(check)](check, row)
    return changed


def _broken_both(check: Both, row: Mapping[str, str | None]) -> Change:
    left = _broken(check.left, row) if not isinstance(check.left, Null) or check.word == "AND" else {}
    return left if check.word == "AND" else {**left, **_broken(check.right, row)}


def _null(check: Null, _row: Mapping[str, str | None]) -> Change:
    column = _column(check.value)
    return {column: None if check.negated else _legal(column)}


def _legal(column: str) -> str:
    if column.endswith(("Price", "Quantity", "Cost")):
        return "1"
    return '{"a":"1"}' if column in ("Tags", "AllocatedTags", "SkuPriceDetails", "AllocatedMethodDetails") else "Hours"


def _compare(check: Compare, row: Mapping[str, str | None]) -> Change:
    if isinstance(check.left, Call):
        return _of_call(check, row)
    column = _column(check.left)
    if check.operator == "IS DISTINCT FROM":
        return {column: check.right.value if isinstance(check.right, Text) else row[_column(check.right)]}
    if check.operator == "IS NOT DISTINCT FROM" or isinstance(check.right, Text):
        return {column: "another"}
    numbers = isinstance(check.right, (Number, Product)) or column.endswith("Cost")
    return {column: "987654321" if check.operator == "<=" and numbers else OPPOSITE[check.operator]}


def _of_call(check: Compare, row: Mapping[str, str | None]) -> Change:
    assert isinstance(check.left, Call)
    if check.left.name == "PARENT_CATEGORY":
        return {"ServiceSubcategory": "Bots" if row["ServiceSubcategory"] != "Bots" else "Search"}
    assert check.left.name == "JSON_TYPE"
    return {_column(check.left.arguments[0]): '{"Elements":{}}'}


def _call(check: Call, row: Mapping[str, str | None]) -> Change:
    if check.name == "EVERY":
        column = _column(check.arguments[0])
        return {column: _with_element(str(row[column]), check.arguments[2])}
    return {_column(check.arguments[0]): WRONG[check.name]}


def _with_element(text: str, check: Node) -> str:
    """The JSON object with its first element changed so that the check on elements fails."""
    found = json.loads(text)
    element = found["Elements"][0]
    found["Elements"][0] = _changed_element(element, check)
    return json.dumps(found)


def _changed_element(element: dict[str, Any], check: Node) -> object:
    if isinstance(check, Compare):  # JSON_TYPE(e) = 'Object'
        return 5
    if isinstance(check, Call) and check.name in WRONG and len(_path(check.arguments[0])) == 1:
        return {**element, "x_deep": {}}
    changed = dict(element)
    for part in _failing(check):
        _spoil(changed, part)
    return changed


def _failing(check: Node) -> Iterator[Node]:
    """All alternatives have to fail."""
    if isinstance(check, Both) and check.word == "OR":
        yield from (*_failing(check.left), *_failing(check.right))
    else:
        yield check


def _spoil(element: dict[str, Any], check: Node) -> None:
    if isinstance(check, Not):  # NOT HAS_KEY(e, 'K')
        assert isinstance(check.value, Call)
        element.setdefault(_text(check.value.arguments[1]), 1)
    elif isinstance(check, Null):
        element[_path(check.value)[1]] = None if check.negated else "a"
    elif isinstance(check, Call) and check.name.startswith("HAS_KEY"):
        wanted = check.arguments[1]
        element.pop(_text(wanted.items[0] if isinstance(wanted, Many) else wanted), None)
    else:
        assert isinstance(check, Call)
        element[_path(check.arguments[0])[1]] = 5 if check.name == "IS_STRING" else WRONG[check.name]


def _path(node: Node) -> tuple[str, ...]:
    assert isinstance(node, Name), node
    return node.path


def _column(node: Node) -> str:
    return _path(node)[0]


def _text(node: Node) -> str:
    assert isinstance(node, Text)
    return node.value


_FORMS: Mapping[type[Node], Any] = {
    Null: _null,
    Compare: _compare,
    Call: _call,
    Among: lambda check, _row: {_column(check.value): "Stranger"},
}
