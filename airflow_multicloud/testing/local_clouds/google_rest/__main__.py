"""``python -m airflow_multicloud.testing.local_clouds.google_rest``: Recommender until ended.

``POST /seed`` takes a JSON array of what :meth:`.Recommender.add` takes.
"""

from __future__ import annotations

import argparse
import json
import threading
from typing import Any

from airflow_multicloud.testing.local_clouds.google_rest import GoogleRestServer, Recommender


class _Seeding:
    """The owner's side, at a path that no service of Google has."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender

    def answer(self, verb: str, target: str, body: bytes) -> Any | None:
        if (verb, target) != ("POST", "/seed"):
            return None
        for record in json.loads(body):
            self._recommender.add(**record)
        return {}


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="google_rest", description="Recommender on loopback")
    parser.add_argument("--port", type=int, required=True)
    recommender = Recommender()
    with GoogleRestServer(
        *recommender.services, _Seeding(recommender), port=parser.parse_args().port
    ):
        threading.Event().wait()


if __name__ == "__main__":
    main()
