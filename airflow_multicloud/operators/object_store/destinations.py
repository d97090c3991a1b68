"""Templates inside of a :class:`~airflow_multicloud.api.Destination`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.operators.base import CloudOperator

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context


class DestinationsOperator(CloudOperator):
    """An operator whose arguments may hold destinations."""

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: jinja2.Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Render a copy of a destination.

        Airflow renders what an argument holds in place, and the DAG's own object is used again by
        the next try, run or mapped task in this process: they would get the first one's texts.
        """
        if isinstance(content, Destination):
            content = replace(content)
        return super().render_template(content, context, jinja_env, seen_oids)
