"""The story; not collected by ``make test``, whose environment has no Celery."""

from __future__ import annotations

import time
from typing import Any
from collections import Counter
from tests.benchmarks.sinks import Sinks
from tests.scale.engine import engine
from tests.scale.slow import slow_lines
from tests.benchmarks.tools import SOURCE
from tests.benchmarks.endpoints import Endpoints
from pathlib import Path

SMALL, LARGE = 4800, 3
DAG_FILE = """
from datetime import timedelta
from airflow.sdk import DAG
from airflow_multicloud.operators.object_store import sharded_replication

with DAG("scale", schedule=None):
    sharded_replication(
        "lake", shards={shards}, source={source!r}, destinations={destinations!r},
        retries=3, retry_delay=timedelta(seconds=1), max_active_tis_per_dagrun=4,
        bandwidth_limit=8 << 20,
    )
"""


def test_scale(tmp_path: Path) -> None:
    sizes = {"lake/large": (LARGE, 64 << 20), "lake/small": (SMALL, 64 << 10)}
    t = time.monotonic()
    def tell(what: str) -> None:
        print(f"{time.monotonic() - t:6.1f} {what}", flush=True)
    home, dags = tmp_path / "home", tmp_path / "dags"
    home.mkdir(); dags.mkdir()
    with Sinks(sizes, journal=True) as sinks:
        e = sinks.endpoints
        dest = [e.uri("azure", "replica", "lake"), e.uri("gcs", "replica", "lake")]
        (dags / "scale.py").write_text(DAG_FILE.format(shards=8, source=e.uri("s3", SOURCE, "lake"), destinations=dest))
        tell("sinks")
        ports = [sinks.port(c) for c in ("s3", "gcs", "azure")]
        with slow_lines(ports, bandwidth=256 << 10, latency=0.02) as slow, engine(home, dags, e.airflow_environment(), workers=("worker-a", "worker-b")) as eng:
          try:
            tell("airflow up")
            slowe = Endpoints(*(f"http://127.0.0.1:{p}" for p in slow), interoperable=True).airflow_environment()
            eng.airflow.until("dag", lambda: eng.airflow.knows("scale"))
            tell("knows")
            run = eng.airflow.ask("POST", "dags/scale/dagRuns", logical_date=None, conf={})["dag_run_id"]
            last = None
            todo = ["slow", "small", "large", "broker"]
            lost = {}
            while True:
                tis = eng.tasks("scale", run)
                now = {(x["task_id"], x["map_index"]): (x["state"], x["try_number"], x["pid"]) for x in tis}
                if now != last:
                    tell(str({f"{k[0].removeprefix('lake.')}[{k[1]}]": v for k, v in now.items() if (last or {}).get(k) != v and v[0]!="scheduled"}))
                    last = now
                state = eng.airflow.ask("GET", f"dags/scale/dagRuns/{run}")["state"]
                if state in ("success", "failed"):
                    tell(state); break
                eng.airflow.until("x", lambda: True)
                st = {k[1]: v for k, v in now.items() if k[0].endswith("replicate_shard")}
                if "slow" in todo and st.get(0, "x")[0] == "running" and st.get(1, "x")[0] == "running":
                    todo.remove("slow"); eng.start_worker("worker-c", slowe); tell("slow started")
                def who(n):
                    return next((w for w in ("worker-a", "worker-b") if w in eng.airflow.running and eng.runs(w, st[n][2])), None)
                if "slow" not in todo:
                    if "small" in todo or "large" in todo:
                        w = sinks.writes("azure")
                        small = sum("/lake/small/" in x.path for x in w)
                        parts = sum("/lake/large/" in x.path for x in w)
                        tell(f"small {small} parts {parts}")
                        if "small" in todo and small > 350 and (x := who(1)):
                            todo.remove("small"); eng.lose_worker(x); lost[1] = time.monotonic(); tell(f"lost {x}"); eng.start_worker("worker-d", {})
                        if "large" in todo and parts > 4 and (x := who(0)):
                            todo.remove("large"); eng.lose_worker(x); lost[0] = time.monotonic(); tell(f"lost {x}"); eng.start_worker("worker-e", {})
                    elif "broker" in todo and eng.broker.waiting() and sum(v[0]=="success" for v in st.values())>=2:
                        todo.remove("broker"); eng.broker.kill(); tell("broker killed"); time.sleep(2); eng.broker.start(); tell("broker restarted")
                time.sleep(0.2)
                if time.monotonic() - t > 280: break
            for cloud in ("azure", "gcs"):
                w = sinks.writes(cloud)
                w = [x for x in w if ("lake/" in x.path or (x.named or "").startswith("lake/") or "/parts/" in x.path or "/parts/" in (x.named or "")) and x.method != "DELETE"]
                small = Counter(x.path for x in w if "/small/" in x.path)
                print(cloud, "small", len(small), sum(small.values()), Counter(x.status for x in w if "/small/" in x.path))
                print([x for x in w if "/small/" in x.path and small[x.path] > 1][:6])
                large = [x for x in w if "/small/" not in x.path]
                print(Counter((x.method, x.status, tuple(x.query)) for x in large))
                for x in large: print(x.begun - t, (x.ended or 0) - t, x.status, x.path[-60:], x.named, x.query.get("blockid"))
            print(lost, {k: v - t for k, v in lost.items()})
            print(eng.airflow.ask("GET", f"dags/scale/dagRuns/{run}/taskInstances/lake.close/xcomEntries/return_value?deserialize=true")["value"])
          finally:
            import shutil; shutil.rmtree("/tmp/scale/lasthome"); shutil.copytree(home, "/tmp/scale/lasthome", dirs_exist_ok=True)
