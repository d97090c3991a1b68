"""Filter patterns: of JSON events, regular expressions, and terms.

"Filter pattern syntax" in the Amazon CloudWatch Logs User Guide
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). Patterns for
space-delimited events are refused. Where the guide leaves open whether a term may be a part of a
word, it is matched as a word, which is the stricter reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.logs.words import invalid
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

Match = Callable[[str], bool]
_Test = Callable[[Any], bool]

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>\w+))\s*')
_REGEX = re.compile(r"%(?P<regex>[^%]+)%")
#: "Filter patterns with regex can only include" these, and no brackets that group.
_REGEX_ALLOWED = re.compile(r"[A-Za-z0-9_:#=@/;,\-^$?\[\]{}|\\*+.]+", re.ASCII)
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<bracket>[()])
      | (?P<logic>&&|\|\|)
      | (?P<exists>NOT\s+EXISTS|EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE)
      | (?P<selector>\$(?:\.[A-Za-z_][\w-]*|\["[^"]*"\]|\[\d+\])+)
      | (?P<compare><=|>=|!=|=|<|>)
      | %(?P<regex>[^%]+)%
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<word>[\w.*:/-]+)
    )\s*""",
    re.VERBOSE,
)
_STEP = re.compile(r'\.([A-Za-z_][\w-]*)|\["([^"]*)"\]|\[(\d+)\]')
_ABSENT = object()


def matcher(pattern: str) -> Match:
    """Whether an event's message fits.

    :raises Refused: for what is no pattern.
    """
    text = pattern.strip()
    if not text:
        return lambda _message: True
    if text.startswith("{") and text.endswith("}"):
        return _json_matcher(text[1:-1])
    if text.startswith("["):
        raise _wrong("space-delimited patterns are not offered by this local CloudWatch Logs")
    if (regex := _REGEX.fullmatch(text)) is not None:
        found = _regex(regex["regex"])
        return lambda message: found.search(message) is not None
    return _terms(text)


def _terms(text: str) -> Match:
    wanted: list[re.Pattern[str]] = []
    optional: list[re.Pattern[str]] = []
    excluded: list[re.Pattern[str]] = []
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None or not found[0]:
            raise _wrong(f"it can't be read from {text[place : place + 20]!r} on")
        place = found.end()
        term = found["plain"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
        word = re.compile(rf"(?<!\w){re.escape(term)}(?!\w)")
        {"": wanted, "?": optional, "-": excluded}[found["sign"]].append(word)
    return lambda message: (
        all(word.search(message) for word in wanted)
        and not any(word.search(message) for word in excluded)
        and (not optional or bool(wanted) or any(word.search(message) for word in optional))
    )


def _json_matcher(text: str) -> Match:
    test = _Reader(_tokens(text)).whole()

    def matches(message: str) -> bool:
        try:
            found = json.loads(message)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict | list) and test(found)

    return matches


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise _wrong(f"it can't be read from {text[place : place + 20]!r} on")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    return tokens


class _Reader:
    """Reads conditions; "&&" binds stronger than "||"."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._place = 0

    def whole(self) -> _Test:
        test = self._either()
        if self._take()[0] != "end":
            raise _wrong("something stands after its end")
        return test

    def _take(self) -> tuple[str, str]:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _next_is(self, token: tuple[str, str]) -> bool:
        found = self._tokens[self._place] == token
        self._place += found
        return found

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._next_is(("logic", "||")):
            tests.append(self._both())
        return lambda event: any(test(event) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._next_is(("logic", "&&")):
            tests.append(self._one())
        return lambda event: all(test(event) for test in tests)

    def _one(self) -> _Test:
        if self._next_is(("bracket", "(")):
            test = self._either()
            if not self._next_is(("bracket", ")")):
                raise _wrong("a bracket is not closed")
            return test
        kind, selector = self._take()
        if kind != "selector":
            raise _wrong("expected a selector such as $.name")
        kind, operator = self._take()
        if kind == "exists":
            words = re.sub(r"\s+", " ", operator)
            return lambda event: _states(_selected(event, selector), words)
        if kind != "compare":
            raise _wrong("expected a comparison after a selector")
        fits = _comparison(operator, *self._take())
        return lambda event: fits(_selected(event, selector))


def _states(found: Any, words: str) -> bool:
    if words in ("EXISTS", "NOT EXISTS"):
        return (found is not _ABSENT) == (words == "EXISTS")
    return found is {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}[words]


def _comparison(operator: str, kind: str, given: str) -> _Test:
    if operator not in ("=", "!="):
        try:
            number = float(given)
        except ValueError:
            raise _wrong(f"{operator} compares numbers") from None
        return lambda found: _is_number(found) and _ORDERS[operator](found, number)
    if kind not in ("text", "word", "regex"):
        raise _wrong(f"expected a value after {operator}")
    if kind == "regex":
        regex = _regex(given)
    else:
        # "You can use the asterisk (*) as a wildcard".
        plain = re.sub(r"\\(.)", r"\1", given)
        regex = re.compile(".*".join(map(re.escape, plain.split("*"))) + r"\Z", re.DOTALL)
    look = regex.search if kind == "regex" else regex.match

    def equal(found: Any) -> bool:
        if isinstance(found, bool) or found is None or isinstance(found, dict | list):
            return False
        return look(found if isinstance(found, str) else json.dumps(found)) is not None

    if operator == "=":
        return lambda found: found is not _ABSENT and equal(found)
    return lambda found: found is not _ABSENT and not equal(found)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _selected(event: Any, selector: str) -> Any:
    for name, quoted, place in _STEP.findall(selector):
        if place:
            fits = isinstance(event, list) and int(place) < len(event)
            event = event[int(place)] if fits else _ABSENT
        else:
            event = event.get(name or quoted, _ABSENT) if isinstance(event, dict) else _ABSENT
    return event


def _regex(text: str) -> re.Pattern[str]:
    if not _REGEX_ALLOWED.fullmatch(text):
        raise _wrong("a regular expression has characters that are not supported")
    try:
        return re.compile(text, re.ASCII)
    except re.error as err:
        raise _wrong(str(err)) from None


def _wrong(why: str) -> Refused:
    return invalid(f"Invalid filter pattern: {why}")
