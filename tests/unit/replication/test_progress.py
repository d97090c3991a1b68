"""One line that says how far a run is."""

from airflow_multicloud.core.replication.progress import Snapshot


def test_a_line_says_bytes_rate_and_time_in_readable_units() -> None:
    now = Snapshot(1, 3, 88_000_000, 900_000_000, 4e6, 100.0, 412_000_000, 412_000_000, 900_000_000)
    assert str(now) == (
        "1 of 3 objects, 500 of 900 MB, 4.0 MB/s, ETA 1 min 40 s "
        "(resuming: 412 of 900 MB are there)"
    )
    assert len(now.brief) < 50


def test_nothing_written_yet() -> None:
    assert str(Snapshot(0, 1, 0, 10, 0.0, None)) == (
        "0 of 1 objects, 0 of 10 bytes, 0 bytes/s, ETA unknown"
    )
