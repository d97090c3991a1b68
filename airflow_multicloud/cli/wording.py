"""Messages with the names that the command line has for things.

Errors name what is wrong as the Python API does: ``max_delete: 3 objects …``, ``set
create_buckets=True``. A person at a terminal knows ``--max-delete`` and ``--create-buckets``. The
names come from the command's own definition, so a new option needs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_multicloud.cli.definition import get_cli_commands

#: Parameters of the Python API that the command line calls otherwise.
_ALIASES = {
    "destinations": "destination",
    "candidates": "candidate",
    "conn_ids": "conn",
    "regions": "region",
    "target": "to",
    "places": "evidence",
    "public_keys": "public_key",
    "siblings": "sibling",
    "witnesses": "witness",
    "export": "remove",
}

#: Quoted text and URIs are what somebody gave: no name of ours is looked for there.
_GIVEN = r"'[^']*'|\"[^\"]*\"|\S+://\S+"


def spelled(command: str, message: str) -> str:
    """The message with the command's options in place of the parameters it names.

    :param command: the command's module.

    A name with an underscore is one wherever it stands; a plain word (``source``, ``immutable``)
    only where messages put a parameter: at the beginning, or said to be set.
    """
    names = _names(command)
    words = sorted(names, key=len, reverse=True)
    compound = "|".join(word for word in words if "_" in word) or "(?!)"
    plain = "|".join(word for word in words if "_" not in word) or "(?!)"
    found = re.compile(
        rf"{_GIVEN}"
        rf"|\b(?P<compound>{compound})\b(?:\[\d+\])?(?:=True)?"
        rf"|(?:^|(?<=: )|(?<=; ))(?P<first>{plain})(?:\[\d+\])?(?=: )"
        rf"|\b(?P<set>{plain})(?:=True\b|(?= is set\b))"
    )

    def option(match: re.Match[str]) -> str:
        name = match["compound"] or match["first"] or match["set"]
        return names[name] if name else match[0]

    return found.sub(option, message)


def _names(command: str) -> Mapping[str, str]:
    """Parameter → what the command line calls it."""
    (group,) = get_cli_commands()
    assert isinstance(group, GroupCommand)  # noqa: S101 - as it is defined
    (found,) = (c for c in group.subcommands if c.name == command.replace("_", "-"))
    assert isinstance(found, ActionCommand)  # noqa: S101
    names: dict[str, str] = {}
    for arg in found.args:
        flag = arg.flags[-1]
        name = arg.kwargs.get("dest") or flag.lstrip("-").replace("-", "_")
        names[name] = flag if flag.startswith("-") else arg.kwargs.get("metavar") or name.upper()
    return names | {parameter: names[name] for parameter, name in _ALIASES.items() if name in names}
