"""What counts as production when it comes to stopping: every environment that does not say it is something else.

The words are those of [classification], but read the other way round. There an unknown value is Unclassified; here it
is production. Every word of a value must belong to a non-production environment, so "prod (not pre-prod)", "live-eu"
and "P" are all production; numbers in it ("dev2") do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from governance.places import account_named
from ledger.classify import DEFAULT_VALUES, Classification

# Looked at whatever the settings name for the reports: a deny must not be lost by shortening a list.
KEYS = ("environment", "env", "stage", "tier", "lifecycle", "deployment-environment")
OPPOSITES = ("non-prod", "nonprod", "non-production", "nonproduction", "pre-production", "preproduction")
DEFAULT_RULES = Classification()

Words = tuple[str, ...]


def objection(tags: Mapping[str, str], rules: Classification) -> str:
    """Why these tags forbid a stop; empty when no environment tag is there or all of them say non-production."""
    keys = {_key(key) for key in (*KEYS, *rules.tag_keys)}
    harmless = _harmless(rules)
    for name, value in sorted(tags.items()):
        if _key(name) in keys and not _made_of(_words(value), harmless):
            return f"tag {name} says production or nothing known ({value})"
    return ""


def environment(tags: Mapping[str, str], account: str, rules: Classification) -> str:
    """The environment the settings name for a machine: by its account, else by the first tag with one of their words.

    Empty where neither says any: no rule that asks for an environment may take such a machine.
    """
    if by_account := _mapped(account, rules):
        return by_account[0]
    words = {word.strip().casefold(): name for name, listed in rules.values.items() for word in listed}
    folded = {name.strip().casefold(): value.strip().casefold() for name, value in tags.items()}
    found = (words.get(folded.get(key.strip().casefold(), "")) for key in rules.tag_keys)
    return next((name for name in found if name), "")


def owner_objection(subscription: str, rules: Classification) -> str:
    """Why the account map forbids a stop in that subscription; an account that is not mapped forbids nothing."""
    harmless = _BUILT_IN | _harmless(rules)
    denying = (name for name in _mapped(subscription, rules) if not _made_of(_words(name), harmless))
    return next((f"its subscription is mapped to {name}" for name in denying), "")


def _mapped(account: str, rules: Classification) -> list[str]:
    """Every environment that the account map names for it: bills write one account in more than one way."""
    return [name for key, name in rules.accounts.items() if account and account_named(key) == account.casefold()]


def _harmless(rules: Classification) -> frozenset[Words]:
    """The words of environments whose own name says non-production, less what is also a word of any other."""
    named = [(_made_of(_words(name), _BUILT_IN), words) for name, words in rules.values.items()]
    wanted = _phrases(word for harmless, words in named if harmless for word in (*words, *OPPOSITES))
    return wanted - _phrases(word for harmless, words in named if not harmless for word in words)


def _made_of(words: Words, phrases: frozenset[Words]) -> bool:
    """Whether the words, at least one, are phrases of the set one after another; the longest phrase first."""
    rest, longest = words, max(map(len, phrases), default=0)
    while rest:
        size = next((n for n in range(longest, 0, -1) if rest[:n] in phrases), 0)
        if not size:
            return False
        rest = rest[size:]
    return bool(words)


def _phrases(texts: Iterable[str]) -> frozenset[Words]:
    return frozenset(_words(text) for text in texts) - {()}


def _words(text: str) -> Words:
    return tuple(re.findall(r"[^\W\d_]+", text.casefold()))


def _key(name: str) -> str:
    """Without case and separators: Deployment_Environment is deployment-environment."""
    return re.sub(r"[\W_]+", "", name.casefold())


_BUILT_IN = _phrases(
    [*OPPOSITES, *(word for name, words in DEFAULT_VALUES.items() if name != "Production" for word in words)]
)
