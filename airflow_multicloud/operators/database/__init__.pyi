# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.database.power import (
    StartDatabaseOperator as StartDatabaseOperator,
)
from airflow_multicloud.operators.database.power import StopDatabaseOperator as StopDatabaseOperator
from airflow_multicloud.operators.database.promote import (
    PromoteReplicaOperator as PromoteReplicaOperator,
)
from airflow_multicloud.operators.database.remove import (
    RemoveDatabaseOperator as RemoveDatabaseOperator,
)
from airflow_multicloud.operators.database.remove_snapshot import (
    RemoveSnapshotOperator as RemoveSnapshotOperator,
)
from airflow_multicloud.operators.database.restore import (
    RestoreDatabaseOperator as RestoreDatabaseOperator,
)
from airflow_multicloud.operators.database.snapshot import (
    SnapshotDatabaseOperator as SnapshotDatabaseOperator,
)
from airflow_multicloud.operators.database.status import (
    DatabaseStatusOperator as DatabaseStatusOperator,
)
from airflow_multicloud.operators.database.verify import (
    VerifyDatabaseOperator as VerifyDatabaseOperator,
)
