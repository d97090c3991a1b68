"""``python -m tests.benchmarks.sink s3|gcs|azure PORT [--seed PREFIX=COUNTxBYTES]…``."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Generator

from tests.benchmarks.sink.answers import Control
from tests.benchmarks.sink.azure import Azure
from tests.benchmarks.sink.gcs import GCS
from tests.benchmarks.sink.http import Handler, Request, Response, Server, Wait
from tests.benchmarks.sink.s3 import S3
from tests.benchmarks.sink.store import Store

DIALECTS = {"s3": S3, "gcs": GCS, "azure": Azure}
#: The bucket of the synthetic objects.
SOURCE = "source"
#: From this size on an object counts as uploaded in parts.
_PARTS_FROM = 16 << 20


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dialect", choices=DIALECTS)
    parser.add_argument("port", type=int)
    parser.add_argument("--seed", action="append", default=[], metavar="PREFIX=COUNTxBYTES")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--journal", action="store_true", help="note every write")
    parser.add_argument("--keep", action="store_true", help="keep small objects' bytes")
    given = parser.parse_args()
    store = Store(keep=given.keep)
    for seed in given.seed:
        prefix, _, rest = seed.partition("=")
        count, _, size = rest.partition("x")
        for number in range(int(count)):
            key = f"{prefix}/{number:05d}.bin"
            store.seed(SOURCE, key, int(size), etag_is_md5=int(size) < _PARTS_FROM)
    control = Control(store)
    handler = _routed(control, DIALECTS[given.dialect](store).handle)
    latency = given.latency_ms / 1000
    server = Server(handler, port=given.port, latency=latency, journal=given.journal)
    control.server = server
    gc.freeze()
    server.serve_forever()


def _routed(control: Control, dialect: Handler) -> Handler:
    def handle(request: Request) -> Generator[Wait, None, Response]:
        chosen = control.handle if request.path.startswith("/_sink/") else dialect
        return (yield from chosen(request))

    return handle


if __name__ == "__main__":
    main()
