"""A lookup in a process of its own, for the moments in which Airflow is only half imported.

Airflow asks its secrets backend for options of its configuration (``sql_alchemy_conn_secret``)
while it is being imported. The clouds' hooks import parts of Airflow, and on another thread they
would wait for the import to end, which waits for them. So another interpreter, whose Airflow has no
secrets backend, looks the secret up. The value comes back through a pipe.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from airflow_multicloud.core.secret_lookup.lookup import Found
from airflow_multicloud.core.secret_lookup.options import LookupOptions, OnDisagreement
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue, SecretVersion

#: Seconds that an interpreter may take to import Airflow and the clouds' clients.
_STARTING = 120.0
#: What the other Airflow must not have: a backend, and options that it would be asked for.
_WITHOUT = {
    "AIRFLOW__SECRETS__BACKEND": "",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": "",
    "AIRFLOW__WORKERS__SECRETS_BACKEND": "",
    "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS": "",
    # It is never connected to.
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://",
}


def is_airflow_loading() -> bool:
    """Whether a module of Airflow's own is being imported now.

    ``_initializing`` is what the import system marks such a module's specification with; if it
    were to go, lookups at that time would run into their timeout.
    """
    return any(
        name.partition(".")[0] == "airflow"
        and getattr(getattr(module, "__spec__", None), "_initializing", False)
        for name, module in [*sys.modules.items()]
    )


def find_apart(conn_ids: Sequence[str], options: LookupOptions, name: str) -> Found:
    """What :meth:`Lookup.find` gives for a secret, by another process.

    :param conn_ids: of the stores, in order.
    :raises SecretsError: as that; ``unavailable`` when the process fails or takes too long.
    """
    question = {"stores": [*conn_ids], "options": asdict(options), "name": name}
    try:
        ended = subprocess.run(  # noqa: S603 - this interpreter, and a module of this package
            [sys.executable, "-m", __name__],
            input=json.dumps(question),
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_STARTING + (options.timeout + options.hedge_after) * len(conn_ids),
            check=True,
        )
        answer = json.loads(ended.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as err:
        kind = type(err).__name__  # Its text may hold what came back.
    else:
        return _read(name, answer)
    raise SecretsError(
        f"{name}: the process that looks secrets up while Airflow is being imported has failed "
        f"({kind})",
        kind=ErrorKind.UNAVAILABLE,
    )


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (name.startswith("AIRFLOW__") and name.endswith(("_SECRET", "_CMD")))
    }
    return {**kept, **_WITHOUT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _read(name: str, answer: Mapping[str, Any]) -> Found:
    if "error" in answer:
        raise SecretsError(answer["error"], kind=ErrorKind(answer["kind"]))
    value = None
    if answer["value"] is not None:
        created_at = datetime.fromisoformat(answer["created_at"])
        value = SecretValue(
            name=name,
            version=SecretVersion(id=answer["version"], created_at=created_at),
            value=base64.b64decode(answer["value"]),
        )
    silent, withheld = tuple(answer["silent"]), tuple(answer["withheld"])
    return Found(value=value, silent=silent, withheld=withheld)


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    # Imported here: this is the other process, and its Airflow is imported as a whole first.
    import airflow  # noqa: F401

    from airflow_multicloud.opening.secret_lookup import open_lookup

    given = question["options"]
    policy = OnDisagreement(given.pop("on_disagreement"))
    options = LookupOptions(on_disagreement=policy, **given)
    try:
        lookup = open_lookup(question["stores"], options, compares=False)
        found = lookup.find(question["name"])
    except SecretsError as err:
        return {"error": str(err), "kind": err.kind.value}
    told: dict[str, Any] = {"silent": found.silent, "withheld": found.withheld, "value": None}
    if found.value is not None:
        version = found.value.version
        told["value"] = base64.b64encode(found.value.value).decode()
        told |= {"version": version.id, "created_at": version.created_at.isoformat()}
    return told


def main() -> None:
    """Read the question, and write the answer as the last line."""
    told = json.dumps(_answer(json.load(sys.stdin)))
    sys.stdout.write(f"\n{told}\n")
    sys.stdout.flush()
    # Threads that hang in a store are not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
