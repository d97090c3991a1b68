"""``airflow multicloud fetch``: from the first copy that can be trusted."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from dataclasses import fields
from pathlib import Path

from airflow_multicloud.api import (
    FailoverPolicy,
    IncompleteFetchError,
    Provenance,
    TreeProvenance,
    failover_fetch,
)
from airflow_multicloud.cli.exit_codes import of_error
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.progress import BAR_INTERVAL, progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.cli.wording import spelled
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, StorageError

_EXPECTED = "URI=VALUE with the URI of a candidate"


@command(
    interrupted="what was fetched whole and verified is in place, of all else there is nothing; "
    "the same command fetches everything again"
)
def run(args: Namespace) -> Result:
    """Fetch, and say who served it and how that is known, also when not all could be fetched."""
    policy = policy_of(args)
    if args.to == "-":
        return _to_stdout(args, policy)
    try:
        served = _fetch(args, args.to, policy)
    except IncompleteFetchError as err:
        done = err.provenance
        if done is None:
            raise
        remarks = [*_remarks(done), error_line(err.kind, spelled("fetch", str(err)))]
        return Result([_row(done)], [to_document(done)], remarks, of_error(err))
    return Result([_row(served)], [to_document(served)], _remarks(served))


def policy_of(args: Namespace) -> FailoverPolicy:
    """What was asked for; what was not given is as the policy has it."""
    # The file of public keys is opened later; it is Airflow that remembers.
    names = {f.name for f in fields(FailoverPolicy)} - {"public_keys", "remembered"}
    given = {name: getattr(args, name) for name in names}
    given["live_primary"] = {"primary": True, "replica": False}.get(args.live_primary)
    given["expected_roots"] = dict(pairs("--expected-root", args.expected_roots or (), _EXPECTED))
    numbers = pairs("--at-least-commit", args.at_least_commits or (), _EXPECTED)
    given["at_least_commits"] = {uri: _number(text) for uri, text in numbers}
    return FailoverPolicy(**{name: v for name, v in given.items() if v is not None})


def _number(text: str) -> int:
    if not text.isdecimal():
        raise StorageError(
            f"--at-least-commit: {text!r} given, expected the number of a commit",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return int(text)


def _fetch(args: Namespace, to: str | Path, policy: FailoverPolicy) -> Provenance | TreeProvenance:
    with progress_bar("fetching", quiet=args.quiet) as listener:
        return failover_fetch(
            args.candidate,
            to,
            policy,
            public_keys=args.public_keys,
            listener=listener,
            interval=BAR_INTERVAL,
        )


def _to_stdout(args: Namespace, policy: FailoverPolicy) -> Result:
    """The content instead of who served it; not a byte of it before it is verified."""
    if any(uri.endswith("/") for uri in args.candidate):
        raise StorageError(
            "target: '-' takes one object; a prefix goes to a directory or to a URI",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    with tempfile.TemporaryDirectory(prefix="multicloud-fetch-") as scratch:
        file = Path(scratch, "content")
        served = _fetch(args, file, policy)
        content = file.open("rb")  # It can be read after its name is gone.
    return Result([], [], _remarks(served), content=content)


def _remarks(served: Provenance | TreeProvenance) -> list[str]:
    remarks = [f"failed over: {a}" for a in served.attempts if a.kind is not None]
    remarks += served.findings
    if isinstance(served, TreeProvenance):
        remarks += [f"left out: {name!r}" for name in served.left_out_names]
        remarks += [f"unknown to the ledger: {name!r}" for name in served.unknown_names]
        remarks += [f"note: {name!r} is at {path}" for name, path in served.encoded_names.items()]
        if served.encoded > len(served.encoded_names):
            remarks.append(f"note: {served.encoded} objects in all have an encoded path")
    return remarks


def _row(served: Provenance | TreeProvenance) -> dict[str, object]:
    if isinstance(served, Provenance):
        by, objects, verified = served.served_by, 1, served.verified_by or "nothing"
    else:
        by = ", ".join(f"{uri} ({count})" for uri, count in served.served.items())
        objects = served.objects
        verified = ", ".join(f"{how} ({count})" for how, count in served.verified_by.items())
    return {
        "target": served.target,
        "served_by": by,
        "failed_over": served.failed_over,
        "objects": objects,
        "bytes": served.size,
        "verified_by": verified,
        "as_of": served.as_of.isoformat(timespec="seconds") if served.as_of else "unknown",
    }
