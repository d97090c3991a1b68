"""Run one task as a worker does: Airflow's supervisor, its task process, and no database.

Started as a script. When the file of the last argument appears, the API server's answer to the
next heartbeat is that the task is not running any more, as after "mark as failed".
"""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import uuid4

import httpx


def main(dag_file: str, task_id: str, marked: str) -> int:
    from airflow.sdk.api.client import Client
    from airflow.sdk.api.datamodels._generated import BundleInfo, TaskInstance
    from airflow.sdk.execution_time.supervisor import supervise_task

    path = Path(dag_file)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/run"):
            moment = "2026-11-01T00:00:00Z"
            run = {
                "dag_id": path.stem,
                "run_id": "run",
                "logical_date": moment,
                "start_date": moment,
                "run_type": "manual",
                "run_after": moment,
                "consumed_asset_events": [],
                "data_interval_start": None,
                "data_interval_end": None,
                "end_date": None,
                "state": "running",
                "partition_key": None,
            }
            return httpx.Response(200, json={"dag_run": run, "max_tries": 0, "should_retry": False})
        if request.url.path.endswith("/heartbeat") and Path(marked).exists():
            detail = {"reason": "not_running", "current_state": "failed"}
            return httpx.Response(409, json={"detail": detail})
        return httpx.Response(200, json={"text": "taken"})

    client = Client(base_url=None, dry_run=True, token="", transport=httpx.MockTransport(answer))
    ti = TaskInstance(
        id=uuid4(),
        task_id=task_id,
        dag_id=path.stem,
        run_id="run",
        try_number=1,
        dag_version_id=uuid4(),
    )
    return supervise_task(
        ti=ti,
        bundle_info=BundleInfo(name="testing"),
        dag_rel_path=path.name,
        token="",
        client=client,
        subprocess_logs_to_stdout=True,
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
