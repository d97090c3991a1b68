"""The page of a release's summary, kept at every place that takes it."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.core.rollout.summary import ReleaseSummary
from airflow_multicloud.core.rollout.summary_pages import WrittenPage, write_page
from airflow_multicloud.errors import CloudError
from airflow_multicloud.opening.endpoints import open_endpoint


def keep_summary(
    summary: ReleaseSummary, places: Sequence[str], name: str
) -> tuple[list[WrittenPage], dict[str, CloudError]]:
    """Write the page to each place: one that is out of reach costs no other.

    :param places: URIs of prefixes.
    :param name: of the run and its try.
    :return: what was written, and what was not and why, by place.
    """
    page = summary.html()
    written: list[WrittenPage] = []
    failed: dict[str, CloudError] = {}
    for number, uri in enumerate(places):
        try:
            written.append(
                write_page(page, open_endpoint(uri, parameter=f"places[{number}]"), name)
            )
        except CloudError as err:
            failed[uri] = err
    return written, failed
