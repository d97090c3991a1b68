# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.database.instances import describe_database as describe_database
from airflow_multicloud.api.database.instances import power_database as power_database
from airflow_multicloud.api.database.instances import promote_replica as promote_replica
from airflow_multicloud.api.database.orders import remove_database as remove_database
from airflow_multicloud.api.database.orders import (
    remove_scratch_databases as remove_scratch_databases,
)
from airflow_multicloud.api.database.orders import restore_database as restore_database
from airflow_multicloud.api.database.snapshots import remove_snapshot as remove_snapshot
from airflow_multicloud.api.database.snapshots import snapshot_database as snapshot_database
from airflow_multicloud.api.database.verification import verify_database as verify_database
from airflow_multicloud.core.database.checks import TableCheck as TableCheck
from airflow_multicloud.core.database.promotions import PromotedReplica as PromotedReplica
from airflow_multicloud.core.database.removals import DatabaseRemoval as DatabaseRemoval
from airflow_multicloud.core.database.removals import RemovedDatabase as RemovedDatabase
from airflow_multicloud.core.database.restores import RestoredDatabase as RestoredDatabase
from airflow_multicloud.core.database.retention import SnapshotRetention as SnapshotRetention
from airflow_multicloud.core.database.snapshot_removals import LeftSnapshot as LeftSnapshot
from airflow_multicloud.core.database.snapshot_removals import RemovedSnapshot as RemovedSnapshot
from airflow_multicloud.core.database.snapshot_removals import SnapshotRemoval as SnapshotRemoval
from airflow_multicloud.core.database.snapshots import TakenSnapshot as TakenSnapshot
from airflow_multicloud.core.database.verification import CheckOutcome as CheckOutcome
from airflow_multicloud.core.database.verification import CheckResult as CheckResult
from airflow_multicloud.core.database.verification import (
    DatabaseVerification as DatabaseVerification,
)
