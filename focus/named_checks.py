"""The named checks of the rules' language as SQL: FMT_..., IS_... and what they look at. Pure.

A check is false for a value that breaks it and null where another rule is the one to speak, such as text that is no
JSON at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from focus.data import load
from focus.fields import Facts, literal
from focus.versions import column_file

NUMERIC = r"-?(0|[0-9]+)(\.[0-9]+)?(E-?[0-9]+)?"
DATETIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
STAND_INS = ("", "not applicable", "n/a", "null", "none")
JSON_NUMBERS = ("UBIGINT", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL")
SHORT = 15  # no stand-in for null is longer

TRUE, UNKNOWN = "true", "NULL::BOOLEAN"


def listed(values: tuple[str, ...]) -> str:
    """A SQL list of text literals, in parentheses."""
    return f"({', '.join(map(literal, values))})"


@cache
def currencies() -> tuple[str, ...]:
    """ISO 4217 codes."""
    return tuple(load("currencies.json")["codes"].split())


@cache
def unit_pattern() -> str:
    """The forms of UnitFormat as one regular expression."""
    words = column_file()["unit_format"]
    counted, timed = "|".join([*words["count"], *words["time"]]), "|".join(words["time"])
    sizes = "|".join(words["data_size"])
    many, one, times = f"({sizes}|({counted})s)", f"({sizes}|{counted})", f"({timed})s"
    number = r"[0-9]+(\.[0-9]+)?"
    forms = (many, f"{one}-{times}", f"{many}/({timed})", f"{number} {many}", f"{many}/{number} {times}")
    return "|".join(f"({form})" for form in forms)


@cache
def sku_keys(kind: str = "") -> tuple[str, ...]:
    """The property names of SkuPriceDetails; `kind` narrows them to Numeric or String."""
    entries = column_file()["sku_price_detail_keys"]
    return tuple(entry["key"] for entry in entries if kind in ("", entry["type"]))


NAMED_LISTS: Mapping[str, Callable[[], tuple[str, ...]]] = {"FOCUS_SKU_KEYS": sku_keys}


def parent_category(text: str) -> str:
    """The ServiceCategory of a ServiceSubcategory; null for one that is none."""
    pairs = column_file()["service_subcategories"]
    cases = " ".join(f"WHEN {literal(pair['value'])} THEN {literal(pair['parent'])}" for pair in pairs)
    return f"CASE {text} {cases} END"


def is_iso4217(text: str) -> str:
    return f"{text} IN {listed(currencies())}"


def fmt_currency(text: str) -> str:
    """A code of ISO 4217, or the name of a virtual currency, which is not three letters."""
    return f"({is_iso4217(text)} OR NOT regexp_full_match({text}, '[A-Za-z]{{3}}|\\s*'))"


def fmt_unit(text: str) -> str:
    """A currency is a unit too: that of what is spent."""
    return f"(regexp_full_match({text}, {literal(unit_pattern())}) OR {is_iso4217(text)})"


def is_pascal(text: str) -> str:
    return f"regexp_full_match({text}, '[A-Z][A-Za-z0-9]*')"


def fmt_numeric(text: str) -> str:
    return f"regexp_full_match({text}, {literal(NUMERIC)})"


def not_a_stand_in(text: str) -> str:
    """Short values are compared only: lower-casing long ones would cost and find nothing."""
    return f"CASE WHEN strlen({text}) < {SHORT} THEN lower({text}) NOT IN {listed(STAND_INS)} ELSE true END"


def is_json(text: str) -> str:
    return f"json_valid({text})"


def is_object(text: str) -> str:
    return f"CASE WHEN json_valid({text}) THEN json_type({text}) = 'OBJECT' ELSE false END"


def if_object(text: str, check: str) -> str:
    """The check where the text is a JSON object, else null."""
    return f"CASE WHEN {is_object(text)} THEN {check} END"


def unique_keys(text: str) -> str:
    return if_object(text, f"len(list_distinct(json_keys({text}))) = len(json_keys({text}))")


def flat(text: str) -> str:
    """No value is an object or an array."""
    kinds = f"list_filter(json_extract({text}, '$.*'), lambda v: json_type(v) IN ('OBJECT', 'ARRAY'))"
    return if_object(text, f"len({kinds}) = 0")


def fmt_keyvalue(text: str) -> str:
    return f"({is_object(text)} AND {unique_keys(text)} AND {flat(text)})"


def fmt_jsonobject(text: str) -> str:
    return f"({is_object(text)} AND {unique_keys(text)})"


def elements(text: str) -> str:
    """The list under Elements; null where there is none."""
    return f"CASE WHEN {is_object(text)} THEN {_listed_elements(text)} END"


def _listed_elements(text: str) -> str:
    return f"CASE WHEN json_type({text}, '$.Elements') = 'ARRAY' THEN json_extract({text}, '$.Elements[*]') END"


def one_type(found: str) -> str:
    return f"len(list_distinct(list_transform({found}, lambda v: json_type(v)))) <= 1"


def no_repeats(found: str) -> str:
    return f"len(list_distinct({found})) = len({found})"


TEXT_CHECKS: Mapping[str, Callable[[str], str]] = {
    "FMT_CURRENCY": fmt_currency,
    "IS_ISO4217": is_iso4217,
    "FMT_UNIT": fmt_unit,
    "IS_PASCAL": is_pascal,
    "FMT_KEYVALUE": fmt_keyvalue,
    "FMT_JSONOBJECT": fmt_jsonobject,
    "IS_OBJECT": is_object,
    "IS_JSON": is_json,
    "UNIQUE_KEYS": unique_keys,
    "FLAT": flat,
    "PARENT_CATEGORY": parent_category,
    "NOT_BLANK": lambda text: f"trim({text}) <> ''",
    "NOT_A_STAND_IN": not_a_stand_in,
}


def _is_string(facts: Facts, name: str) -> str:
    return TRUE if facts.kind(name) in ("text", "absent") else "false"


def _fmt_string(facts: Facts, name: str) -> str:
    """Text is valid Unicode once it is read, bytes are in no encoding; what may not be null may not be blank."""
    if facts.kind(name) == "bytes":
        return "false"
    never_null = str(facts.spec[name]["allows_nulls"]).lower() == "false"
    return f"trim({facts.text(name)}) <> ''" if never_null and facts.kind(name) == "text" else TRUE


def _is_decimal(facts: Facts, name: str) -> str:
    """Of no null: whether one is allowed is another rule's to say, in every kind of file."""
    kinds = {"decimal": TRUE, "absent": TRUE, "double": f"isfinite({facts.raw(name)})"}
    number = f"coalesce(isfinite(TRY_CAST({facts.text(name)} AS DOUBLE)), false)"
    return kinds.get(facts.kind(name), f"({facts.text(name)} IS NULL OR {number})")


def _fmt_numeric(facts: Facts, name: str) -> str:
    kinds = {"decimal": TRUE, "absent": TRUE, "double": f"isfinite({facts.raw(name)})"}
    return kinds.get(facts.kind(name), fmt_numeric(facts.text(name)))


def _is_datetime(facts: Facts, name: str) -> str:
    known = facts.kind(name) in ("instant", "naive", "date", "absent")
    text = facts.text(name)
    return TRUE if known else f"({text} IS NULL OR TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)"


def _fmt_datetime(facts: Facts, name: str) -> str:
    kinds = {"instant": TRUE, "naive": TRUE, "absent": TRUE, "date": "false"}
    return kinds.get(facts.kind(name), f"regexp_full_match({facts.text(name)}, {literal(DATETIME)})")


def _plain_number(facts: Facts, name: str) -> str:
    return f"NOT contains(upper({facts.text(name)}), 'E')" if facts.kind(name) == "text" else TRUE


def _zoned(facts: Facts, name: str) -> str:
    return "false" if facts.kind(name) == "naive" else TRUE


COLUMN_CHECKS: Mapping[str, Callable[[Facts, str], str]] = {
    "IS_STRING": _is_string,
    "FMT_STRING": _fmt_string,
    "IS_DECIMAL": _is_decimal,
    "FMT_NUMERIC": _fmt_numeric,
    "IS_DATETIME": _is_datetime,
    "FMT_DATETIME": _fmt_datetime,
    "PLAIN_NUMBER": _plain_number,
    "ZONED": _zoned,
}


def _at(element: str, key: str) -> str:
    return f"json_type({element}, {literal('$.' + key)})"


def _value(element: str, key: str) -> str:
    return f"json_extract_string({element}, {literal('$.' + key)})"


def _key_is_decimal(element: str, key: str) -> str:
    number = f"coalesce(isfinite(TRY_CAST({_value(element, key)} AS DOUBLE)), false)"
    return f"({_at(element, key)} IN {listed(JSON_NUMBERS)} OR {number})"


def _key_fmt_numeric(element: str, key: str) -> str:
    return f"({_at(element, key)} IN {listed(JSON_NUMBERS)} OR {fmt_numeric(_value(element, key))})"


KEY_CHECKS: Mapping[str, Callable[[str, str], str]] = {
    "IS_STRING": lambda element, key: f"{_at(element, key)} = 'VARCHAR'",
    "FMT_STRING": lambda element, key: f"trim({_value(element, key)}) <> ''",
    "IS_DECIMAL": _key_is_decimal,
    "FMT_NUMERIC": _key_fmt_numeric,
    "FMT_UNIT": lambda element, key: fmt_unit(_value(element, key)),
}
