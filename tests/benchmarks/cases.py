"""What is measured."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One transfer, done by every tool in turn.

    :param prefix: of the source objects; also what they are called at the destination.
    :param latency: milliseconds by which every answer of every server is late.
    :param digest: what this package tells large objects by.
    :param rerun: measure the second of two runs, which finds nothing to do.
    :param airflow: how often Airflow's operators run; they are slow, or can't do it (0).
    """

    name: str
    source: str
    destinations: tuple[str, ...]
    prefix: str
    latency: float = 0.0
    digest: str = "sha256"
    rerun: bool = False
    airflow: int = 3

    @property
    def large(self) -> bool:
        """Whether it moves one large object."""
        return self.prefix == "large"


#: Source objects by prefix: how many, and their bytes.
SIZES = {"large": (1, 512 * MIB), "small": (2_000, 64 << 10), "many": (10_000, 1 << 10)}
STAND_IN_SIZES = {"large": (1, 256 * MIB), "small": (500, 64 << 10)}

CASES = (
    Case(name="1 × 512 MiB S3→Azure", source="s3", destinations=("azure",), prefix="large"),
    Case(name="1 × 512 MiB S3→GCS", source="s3", destinations=("gcs",), prefix="large"),
    Case(name="1 × 512 MiB GCS→Azure", source="gcs", destinations=("azure",), prefix="large"),
    Case(name="1 × 512 MiB S3→both", source="s3", destinations=("azure", "gcs"), prefix="large"),
    Case(
        name="1 × 512 MiB S3→Azure, 25 ms",
        source="s3",
        destinations=("azure",),
        prefix="large",
        latency=25,
        airflow=0,
    ),
    Case(
        name="1 × 512 MiB S3→Azure, 25 ms, BLAKE3",
        source="s3",
        destinations=("azure",),
        prefix="large",
        latency=25,
        digest="blake3",
        airflow=0,
    ),
    Case(
        name="2,000 × 64 KiB S3→Azure",
        source="s3",
        destinations=("azure",),
        prefix="small",
        airflow=1,
    ),
    Case(
        name="2,000 × 64 KiB S3→GCS", source="s3", destinations=("gcs",), prefix="small", airflow=1
    ),
    Case(
        name="2,000 × 64 KiB S3→both",
        source="s3",
        destinations=("azure", "gcs"),
        prefix="small",
        airflow=0,
    ),
    Case(
        name="2,000 × 64 KiB S3→Azure, 25 ms",
        source="s3",
        destinations=("azure",),
        prefix="small",
        latency=25,
        airflow=0,
    ),
    Case(
        name="10,000 × 1 KiB S3→Azure",
        source="s3",
        destinations=("azure",),
        prefix="many",
        airflow=0,
    ),
    Case(
        name="10,000 unchanged S3→Azure",
        source="s3",
        destinations=("azure",),
        prefix="many",
        rerun=True,
        airflow=0,
    ),
)

STAND_INS = (
    Case(name="1 × 256 MiB moto→Azurite", source="s3", destinations=("azure",), prefix="large"),
    Case(
        name="1 × 256 MiB fake-gcs→Azurite", source="gcs", destinations=("azure",), prefix="large"
    ),
    Case(
        name="500 × 64 KiB moto→Azurite",
        source="s3",
        destinations=("azure",),
        prefix="small",
        airflow=1,
    ),
    Case(
        name="500 × 64 KiB moto→fake-gcs",
        source="s3",
        destinations=("gcs",),
        prefix="small",
        airflow=1,
    ),
)
