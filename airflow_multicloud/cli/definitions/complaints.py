"""What is said of a command line that can't be parsed: how to call the command, and the error.

Airflow's parsers print their whole help to stdout first, where a script reads results.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any, NoReturn


def complain_briefly(parser: ArgumentParser) -> None:
    """Make a command's parser say what is wrong on stderr, in two lines."""
    parse_known = parser.parse_known_args

    def error(message: str) -> NoReturn:
        print(f"usage: {_usage(parser)}\n{parser.prog}: error: {message}", file=sys.stderr)  # noqa: T201 - argparse's own way out
        raise SystemExit(2)

    def parse(
        args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Namespace, list[str]]:
        # What a command does not know would be told by Airflow's own parser, with its help.
        known, unknown = parse_known(args, namespace)
        if unknown:
            error(f"unrecognized arguments: {' '.join(unknown)}{_meant(parser, unknown)}")
        return known, unknown

    vars(parser).update(error=error, parse_known_args=parse)


def _usage(parser: ArgumentParser) -> str:
    names = " ".join(
        f"{action.metavar or action.dest}{' …' if action.nargs in ('+', '*') else ''}"
        for action in _actions(parser)
        if not action.option_strings
    )
    return f"{parser.prog} [options] {names}".rstrip() + "   (all options: --help)"


def _actions(parser: ArgumentParser) -> Sequence[Any]:
    return parser._actions  # noqa: SLF001 - argparse has no public list of them


def _meant(parser: ArgumentParser, unknown: Sequence[str]) -> str:
    from difflib import get_close_matches  # Every airflow command loads this module.

    known = [option for action in _actions(parser) for option in action.option_strings]
    for given in unknown:
        if given.startswith("--"):
            found = get_close_matches(given.partition("=")[0], known, n=1, cutoff=0.7)
            return f"; did you mean {found[0]}?" if found else ""
    return ""
