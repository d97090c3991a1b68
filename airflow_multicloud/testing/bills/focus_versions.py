"""What FOCUS 1.3 and 1.4 made of the columns of 1.2.

Data providers export 1.2 today; a bill's later columns follow from those of 1.2, so that all
versions of one bill add up to the same. Their meaning is that of https://focus.finops.org, the
objects' that of the specification's JSON schemas.
"""

from __future__ import annotations

from enum import StrEnum

from airflow_multicloud.testing.bills.catalogue import CATALOGUES
from airflow_multicloud.testing.bills.columns import text


class FocusVersion(StrEnum):
    """The version of FOCUS whose columns files have."""

    V1_2 = "1.2"
    V1_3 = "1.3"
    V1_4 = "1.4"


#: Who sells what the marketplace offers: another than who hosts and bills it.
VENDOR = "Example Software Ltd"

#: Columns of 1.2 that 1.4 has no more.
WITHDRAWN = frozenset({"ProviderName", "PublisherName"})

# A database that teams share: each of its charges is one team's part.
_TEAM = "Tags ->> '$.team'"
_SHARED = f"ServiceCategory = 'Databases' AND ChargeCategory = 'Usage' AND {_TEAM} IS NOT NULL"
_ALLOCATED = {
    "AllocatedMethodDetails": (
        """'{"Elements":[{"AllocatedRatio":1,"UsageUnit":"Hours","UsageQuantity":'"""
        " || CAST(ConsumedQuantity AS VARCHAR) || '}]}'"
    ),
    "AllocatedMethodId": "'team-hours'",
    "AllocatedResourceId": f"ResourceId || '/team/' || ({_TEAM})",
    "AllocatedResourceName": _TEAM,
    "AllocatedTags": f"""'{{"team":"' || ({_TEAM}) || '"}}'""",
}

# One agreement to spend, which everything that is billed for use or purchase draws on.
_DRAWS_ON_CONTRACT = "ChargeCategory IN ('Usage', 'Purchase') AND BilledCost <> 0"
_CONTRACT = (
    """'{"Elements":[{"ContractId":"agreement-2026","ContractCommitmentId":"agreement-2026-spend","""
    """"ContractCommitmentAppliedCost":' || CAST(BilledCost AS VARCHAR) || '}]}'"""
)

# Only machines have a zone.
_MACHINE = "ChargeCategory = 'Usage' AND AvailabilityZone IS NOT NULL"
_PROGRAMS = (
    """'{"CommitmentPrograms":[{"ProgramType":"FlexibleSpendPlan"},"""
    """{"ProgramType":"ZonalResourceCommitment"}]}'"""
)


def later_columns(cloud: str, version: FocusVersion) -> dict[str, str]:
    """The columns that a version has and 1.2 has not \u2192 what they hold, as SQL over 1.2's."""
    if version is FocusVersion.V1_2:
        return {}
    from_vendor = f"ServiceName = {text(CATALOGUES[cloud].marketplace)}"
    found = {
        **{name: _where(_SHARED, value) for name, value in _ALLOCATED.items()},
        "ContractApplied": _where(_DRAWS_ON_CONTRACT, _CONTRACT),
        "HostProviderName": "ProviderName",
        "ServiceProviderName": (
            f"CASE WHEN {from_vendor} THEN {text(VENDOR)} ELSE ProviderName END"
        ),
    }
    if version is FocusVersion.V1_4:
        found["CommitmentProgramEligibilityDetails"] = _where(_MACHINE, _PROGRAMS)
        found["InvoiceDetailId"] = "InvoiceId || '-' || lower(ChargeCategory)"
    return found


def _where(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"
