"""``pytest tests/scale/suite.py``: a sharded replication whose workers and broker are lost.

``make scale`` runs it. Not collected otherwise: it needs an environment with Celery and a broker.
The servers that it reads from and writes to are the benchmarks' sinks, which note every write: so
what was sent twice is counted where it arrived.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.kit.sockets import url_at
from tests.benchmarks.cases import Case
from tests.benchmarks.endpoints import Endpoints
from tests.benchmarks.sinks import Sinks
from tests.benchmarks.tools import OURS, SOURCE
from tests.integration.running_airflow import begin_run
from tests.scale.engine import Engine, engine
from tests.scale.journal import Journal, journal_of
from tests.scale.slow import slow_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.integration.running_airflow import TaskRun

_MIB = 1 << 20
SMALL, SMALL_SIZE = 2400, 64 << 10
LARGE, LARGE_SIZE, PART_SIZE = 2, 64 * _MIB, 8 * _MIB
DESTINATIONS = ("azure", "gcs")
SHARDS = 6
#: So slow that there is a middle of a shard to hit, on a fast machine too.
BANDWIDTH = 8 * _MIB
#: By default. A request takes a moment only.
THREADS, _UNDER_WAY_S = 16, 15.0
FIRST, SECOND, SLOW = "worker-1", "worker-2", "worker-3"

DAG_FILE = """
from datetime import timedelta
from airflow.sdk import DAG
from airflow_multicloud.operators.object_store import sharded_replication

with DAG("scale", schedule=None):
    sharded_replication(
        "lake", shards={shards}, source={source!r}, destinations={destinations!r},
        part_size={part_size}, bandwidth_limit={bandwidth},
        retries=3, retry_delay=timedelta(seconds=1),
        max_active_tis_per_dagrun=4,
    )
"""


@dataclass(slots=True)
class Story:
    """A run under way.

    :param close: its closing task.
    :param lost: when workers were killed, by the system's monotonic clock.
    """

    engine: Engine
    sinks: Sinks
    close: TaskRun
    lost: list[float] = field(default_factory=list)

    def shards(self) -> dict[int, dict[str, Any]]:
        """The mapped tasks' states, by map index."""
        found = self.engine.tasks("scale", self.close.run_id)
        return {one["map_index"]: one for one in found if one["task_id"] == "lake.replicate_shard"}

    def state(self) -> str:
        """The run's."""
        found = self.engine.airflow.ask("GET", f"dags/scale/dagRuns/{self.close.run_id}")
        return str(found["state"])

    def until(self, what: str, holds: Any) -> None:
        self.engine.airflow.until(what, holds)

    def worker_of(self, shard: int) -> str | None:
        """The worker that copies a shard, while it runs."""
        task = self.shards().get(shard)
        if task is None or task["state"] != "running" or not task["pid"]:
            return None
        names = [name for name in self.engine.airflow.running if name.startswith("worker")]
        return next((name for name in names if self.engine.runs(name, task["pid"])), None)

    def journal(self, cloud: str) -> Journal:
        return journal_of(self.sinks.writes(cloud))

    def lose_worker_of(self, shard: int) -> None:
        """Kill the worker that copies a shard."""
        worker = self.worker_of(shard)
        assert worker is not None
        self.engine.lose_worker(worker)
        self.lost.append(time.monotonic())


@pytest.fixture(scope="module")
def sinks() -> Iterator[Sinks]:
    sizes = {"lake/large": (LARGE, LARGE_SIZE), "lake/small": (SMALL, SMALL_SIZE)}
    with Sinks(sizes, journal=True) as started:
        yield started


@pytest.fixture(scope="module")
def slow(sinks: Sinks) -> Iterator[Mapping[str, str]]:
    """Airflow's connections by lines that carry little."""
    ports = [sinks.port(cloud) for cloud in ("s3", "gcs", "azure")]
    with slow_lines(ports, bandwidth=256 << 10, latency=0.02) as begins:
        places = Endpoints(*map(url_at, begins), interoperable=True)
        yield named(places.airflow_environment())


@pytest.fixture(scope="module")
def story(
    sinks: Sinks, slow: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """The run, when all of it has happened to it."""
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    places = sinks.endpoints
    given = {
        "shards": SHARDS,
        "source": places.uri("s3", SOURCE, "lake"),
        "destinations": [places.uri(cloud, OURS, "lake") for cloud in DESTINATIONS],
        "part_size": PART_SIZE,
        "bandwidth": BANDWIDTH,
    }
    (dags / "scale.py").write_text(DAG_FILE.format(**given))
    connections = named(places.airflow_environment())
    with engine(home, dags, connections, workers=[FIRST, SECOND]) as running:
        running.airflow.until("the DAG", lambda: running.airflow.knows("scale"))
        told = Story(running, sinks, begin_run(running.airflow, "scale", "lake.close"))
        happen(told, slow)
        yield told


def named(connections: Mapping[str, str]) -> dict[str, str]:
    """Connections that name their stores: some workers reach them by another address."""
    made = dict(connections)
    for variable, text in connections.items():
        if variable.startswith("AIRFLOW_CONN_"):
            connection = json.loads(text)
            connection["extra"] = {**connection["extra"], "store_name": "scale"}
            made[variable] = json.dumps(connection)
    return made


def happen(story: Story, slow: Mapping[str, str]) -> None:
    """Everything that happens while the run goes on, and its end."""
    # Both workers have a shard: the first one begins with the large objects.
    story.until("two shards", lambda: story.worker_of(0) and story.worker_of(1))
    story.engine.start_worker(SLOW, slow)
    small = SMALL // SHARDS // 2
    story.until("small objects", lambda: len(story.journal("gcs").small) > small)
    story.lose_worker_of(1)
    # What an autoscaler does.
    story.engine.start_worker("worker-4", {})
    story.until("parts", lambda: len(story.journal("azure").parts) >= LARGE_SIZE // PART_SIZE // 2)
    story.lose_worker_of(0)
    story.engine.start_worker("worker-5", {})
    story.until("a shard's end", lambda: ended(story))
    story.until("a task that waits", story.engine.broker.waiting)
    story.engine.broker.kill()
    story.engine.broker.start()
    story.until("the run's end", lambda: story.state() in ("success", "failed"))


def ended(story: Story) -> bool:
    return any(one["state"] == "success" for one in story.shards().values())


class TestStory:
    def test_the_close_proves_every_object(self, story: Story) -> None:
        assert story.state() == "success"
        facts = story.close.xcom()
        assert facts["objects"] == SMALL + LARGE
        for one in facts["destinations"]:
            found = one["outcomes"]
            assert set(found) <= {"copied", "verified"}
            assert sum(found.values()) == SMALL + LARGE
            assert one["bytes_written"] <= SMALL * SMALL_SIZE + LARGE * LARGE_SIZE
            assert one["commit_uri"]

    def test_the_destinations_have_every_object(self, story: Story) -> None:
        case = Case(name="scale", source="s3", destinations=DESTINATIONS, prefix="lake")
        story.sinks.check(case, OURS)

    def test_only_the_lost_shards_were_tried_again(self, story: Story) -> None:
        tries = {shard: one["try_number"] for shard, one in story.shards().items()}
        assert tries == {shard: 2 if shard in (0, 1) else 1 for shard in range(SHARDS)}

    @pytest.mark.parametrize("cloud", DESTINATIONS)
    def test_nothing_was_taken_twice(self, story: Story, cloud: str) -> None:
        journal = story.journal(cloud)
        assert Counter(journal.small).most_common(1)[0][1] == 1
        assert len(journal.small) == SMALL
        assert Counter(journal.parts).most_common(1)[0][1] == 1
        assert len(journal.parts) == LARGE * LARGE_SIZE // PART_SIZE
        assert journal.refused == []

    @pytest.mark.parametrize("cloud", DESTINATIONS)
    def test_what_was_cut_off_was_under_way_when_a_worker_was_killed(
        self, story: Story, cloud: str
    ) -> None:
        """Only that was begun twice: everything else was begun once, and taken."""
        for write in story.journal(cloud).cut:
            assert any(0 <= at - write.begun < _UNDER_WAY_S for at in story.lost)
        assert len(story.journal(cloud).cut) <= 2 * THREADS
