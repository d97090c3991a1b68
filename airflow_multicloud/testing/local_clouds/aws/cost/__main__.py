"""``python -m airflow_multicloud.testing.local_clouds.aws.cost``: the Hub until ended.

``POST /seed`` takes a JSON array of recommendations as ``ListRecommendations`` answers them.
"""

from __future__ import annotations

import argparse

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.cost.advice import CostOptimizationHub
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer, Routes


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="aws.cost", description="Cost Optimization Hub")
    parser.add_argument("--port", type=int, required=True)
    hub = CostOptimizationHub()

    def seed(request: Request) -> Answer:
        hub.items.extend(request.get_json(force=True))
        return Answer(body={})

    routes = Routes(
        (
            ("GET", "/", lambda _: Answer(body={})),
            ("POST", "/seed", seed),
            ("POST", "/", hub.answer),
        )
    )
    HttpServer(routes, port=parser.parse_args().port).serve_forever()


if __name__ == "__main__":
    main()
