"""DAGs defined in a test, run by Airflow's own ``dag.test()`` and looked at afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest
    from airflow.sdk import DAG


@dataclass(frozen=True)
class Run:
    """A finished DAG run."""

    state: str
    states: Mapping[tuple[str, int], str]
    tries: Mapping[tuple[str, int], int]
    _tis: Any
    _dag_run: Any

    @property
    def run_id(self) -> str:
        return str(self._dag_run.run_id)

    @property
    def unsuccessful(self) -> dict[str, str]:
        """Short enough for a failed assertion: what neither succeeded nor was held up by others."""
        fine = ("success", "skipped", "upstream_failed")
        return {f"{name}[{i}]": s for (name, i), s in self.states.items() if s not in fine}

    def state_of(self, task_id: str, map_index: int = -1) -> str:
        return self.states[task_id, map_index]

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """What the metadata database holds, not what the task thought it pushed."""
        (ti,) = [t for t in self._tis if (t.task_id, t.map_index) == (task_id, map_index)]
        return ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)

    def shown(self, section: str) -> Any:
        """What a page in Airflow's UI shows of this DAG; nothing of it may be unreadable."""
        from airflow.utils.session import create_session

        from airflow_multicloud.plugins.page.asking import SECTIONS, ask

        with create_session() as session:
            shown, _ = ask(
                session,
                {self._dag_run.dag_id},
                SECTIONS[section],
                may_read_asset=lambda _: True,
                days=1,
                now=datetime.now(UTC),
            )
        assert shown.unread == (), shown.unread
        return shown

    def asset_events(self) -> dict[str, list[dict[str, Any]]]:
        """The ``extra`` of every asset event of this run, by the asset's name."""
        from airflow.models.asset import AssetEvent, AssetModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        found: dict[str, list[dict[str, Any]]] = {}
        with create_session() as session:
            query = (
                select(AssetModel.name, AssetEvent.extra)
                .join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
                .where(AssetEvent.source_run_id == self._dag_run.run_id)
                .where(AssetEvent.source_dag_id == self._dag_run.dag_id)
                .order_by(AssetEvent.id)
            )
            for name, extra in session.execute(query):
                found.setdefault(name, []).append(extra)
        return found


def run_dag(dag: DAG, conf: Mapping[str, Any] | None = None, *, bundle: str = "testing") -> Run:
    """Make the DAG known to the database and run it in this process."""
    make_known(dag, bundle)
    return look_at(dag.test(run_conf=dict(conf or {})))


def allow(patch: pytest.MonkeyPatch, dag_id: str, **places: str | Sequence[str]) -> None:
    """List what the params of a shipped DAG may be, as an Airflow Variable."""
    listed = {n: [p] if isinstance(p, str) else list(p) for n, p in places.items()}
    patch.setenv(f"AIRFLOW_VAR_{dag_id.upper()}_PLACES", json.dumps(listed))


def make_known(dag: DAG, bundle: str = "testing") -> None:
    """Write the DAG to the database, as the DAG processor would."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
    from airflow.utils.session import create_session

    with create_session() as session:
        if session.get(DagBundleModel, bundle) is None:
            session.add(DagBundleModel(name=bundle))
        session.flush()
        SerializedDAG.bulk_write_to_db(bundle, None, [dag], session=session)
        SerializedDagModel.write_dag(
            LazyDeserializedDAG(data=DagSerialization.to_dict(dag)),
            bundle,
            None,
            session=session,
        )


def look_at(dag_run: Any) -> Run:
    tis = list(dag_run.get_task_instances())
    return Run(
        state=str(dag_run.state),
        states={(ti.task_id, ti.map_index): str(ti.state) for ti in tis},
        tries={(ti.task_id, ti.map_index): ti.try_number for ti in tis},
        _tis=tis,
        _dag_run=dag_run,
    )


@dataclass
class _Ti:
    dag_id: str
    run_id: str
    pushed: dict[str, Any] = field(default_factory=dict)

    def get_task_states(self, **_given: Any) -> dict[str, Any]:
        return {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return None


@dataclass
class _Event:
    extra: dict[str, Any] = field(default_factory=dict)


class Bare(dict[str, Any]):
    """The least context that an operator's ``execute`` needs, to see what it raises itself."""

    def __init__(self, dag_id: str = "bare", run_id: str = "manual__1") -> None:
        from airflow.sdk import DAG

        ti = _Ti(dag_id, run_id)
        super().__init__(ti=ti, dag=DAG(dag_id), run_id=run_id, outlet_events=_Events())

    @property
    def pushed(self) -> dict[str, Any]:
        pushed: dict[str, Any] = self["ti"].pushed
        return pushed


class _Events(dict[Any, _Event]):
    def __missing__(self, key: Any) -> _Event:
        return self.setdefault(key, _Event())
