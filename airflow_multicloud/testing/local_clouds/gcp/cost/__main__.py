"""``python -m airflow_multicloud.testing.local_clouds.gcp.cost``: Recommender until ended.

``POST /seed`` takes a JSON array of what :meth:`.Recommender.add` takes.
"""

from __future__ import annotations

import argparse
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.gcp.cost.advice import Recommender
from airflow_multicloud.testing.local_clouds.gcp.rest.server import GoogleRestServer
from airflow_multicloud.testing.local_clouds.kit.http import Answer, Routes


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="gcp.cost", description="Recommender on loopback")
    parser.add_argument("--port", type=int, required=True)
    recommender = Recommender()

    def seed(request: Request) -> Answer:
        records: Any = request.get_json(force=True)
        for record in records:
            recommender.add(**record)
        return Answer(body={})

    owner = Routes([("POST", "/seed", seed)])
    port = parser.parse_args().port
    GoogleRestServer(*recommender.services, port=port, owner=owner).serve_forever()


if __name__ == "__main__":
    main()
