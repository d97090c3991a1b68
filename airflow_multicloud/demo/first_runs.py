"""``python -m airflow_multicloud.demo.first_runs URL RUNS``: run DAGs once Airflow knows them.

``RUNS`` is JSON: the DAGs' ids, each with its run's configuration, or null for a DAG that its
schedule runs as soon as it is not paused.

For ``make ui``, where nobody has to sign in: so the pages in Airflow's UI show something.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

#: Airflow takes its time to start, and to read the DAGs.
_PATIENCE = 600.0
_LOOK = 2.0
_TIMEOUT = 30.0


def main(url: str, runs: Mapping[str, Any]) -> None:
    """Wait for Airflow and for each DAG, and have each run."""
    end = time.monotonic() + _PATIENCE
    token = _until(partial(_asked, "GET", f"{url}/auth/token", None, ""), end)["access_token"]
    for dag_id, conf in runs.items():
        dag = f"{url}/api/v2/dags/{dag_id}"
        _until(partial(_asked, "PATCH", dag, {"is_paused": False}, token), end)
        if conf is not None:
            run = {"logical_date": None, "conf": conf}
            _until(partial(_asked, "POST", f"{dag}/dagRuns", run, token), end)


def _asked(method: str, url: str, body: Mapping[str, Any] | None, token: str) -> Any:
    """The answer; ``None`` while there is none, or not yet such a DAG."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    # The Makefile's own address, on this machine.
    request = Request(url, data, headers, method=method)  # noqa: S310
    try:
        with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as err:
        err.close()
        return None
    except (URLError, OSError, ValueError):
        return None


def _until(ask: Callable[[], Any], end: float) -> Any:
    while (found := ask()) is None:
        if time.monotonic() > end:
            raise SystemExit("Airflow did not get ready; begin the runs in its UI")
        time.sleep(_LOOK)
    return found


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
