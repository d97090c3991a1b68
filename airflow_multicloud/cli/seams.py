"""Everything that the command line uses of Airflow's private parts, in one place.

Each use is tested in ``tests/unit/cli/test_seams.py``, which says what an upgrade changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Airflow's own name for "this process may read the metadata database"; without it only
#: environment variables and a configured secrets backend are asked for connections
#: (``airflow.sdk.execution_time.supervisor.ensure_secrets_backend_loaded``). The commands
#: ``airflow connections get`` and ``test`` set it in the same way.
PROCESS_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


@contextmanager
def stored_connections() -> Iterator[None]:
    """Let Airflow find the connections in its metadata database, too."""
    before = os.environ.get(PROCESS_CONTEXT)
    os.environ[PROCESS_CONTEXT] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[PROCESS_CONTEXT]
        else:
            os.environ[PROCESS_CONTEXT] = before
