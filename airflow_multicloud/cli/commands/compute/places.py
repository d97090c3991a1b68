"""Which connections and regions a command is about."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from airflow_multicloud.cli.output import error_line
from airflow_multicloud.core.rollout.standing import UnreachablePlace
from airflow_multicloud.errors import CloudError, ErrorKind


def regions_of(args: Namespace) -> dict[str, list[str]]:
    """Connection → regions, by ``--region``.

    :raises CloudError: kind ``invalid_argument``, naming the option.
    """
    conns = list(dict.fromkeys(args.conn))
    found: dict[str, list[str]] = {}
    for given in args.region or ():
        conn, sign, region = given.rpartition("=")
        if not sign and len(conns) == 1:
            conn = conns[0]
        if not region or conn not in conns:
            expected = "REGION" if len(conns) == 1 else "ID=REGION"
            raise CloudError(
                f"--region: {given!r} given, expected {expected}, with ID one of "
                f"{', '.join(conns)}",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        found.setdefault(conn, []).append(region)
    return {conn: list(dict.fromkeys(regions)) for conn, regions in found.items()}


def told(unreachable: Sequence[UnreachablePlace]) -> list[str]:
    """Places that gave no answer, one line each."""
    return [
        error_line(one.error_kind, f"{one.conn_id}{_region(one)}: {one.error}")
        for one in unreachable
    ]


def _region(one: UnreachablePlace) -> str:
    return "" if one.region is None else f" ({one.region})"
