"""Identity in memory."""

from __future__ import annotations

from airflow_multicloud.ports.identity import Principal


class Hook:
    """Says that the caller is the connection itself.

    :param memory_conn_id: the space asked for; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id

    def who_am_i(self) -> Principal:
        """An account per connection id."""
        return Principal(account_id=f"memory-{self.memory_conn_id}", principal="tester")
