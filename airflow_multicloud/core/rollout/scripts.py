"""The startup scripts of a plan's instances: one text, with a URL signed for each launch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.plans import Candidate, DeploymentPlan, PlannedArtifact
from airflow_multicloud.core.rollout.script import StartupScript
from airflow_multicloud.core.rollout.signing import sign_artifact
from airflow_multicloud.errors import DeploymentError, ErrorKind


def script_of(
    deployment_id: str, revision: str, artifact: PlannedArtifact, *, command: str, port: int
) -> StartupScript:
    """The script, but for its URL.

    :raises DeploymentError: ``invalid_argument``, naming what can't stand in one.
    """
    return StartupScript(
        deployment_id=deployment_id,
        revision=revision,
        artifact_name=artifact.file_name,
        artifact_sha256=artifact.sha256,
        artifact_size=artifact.size,
        command=command,
        port=port,
    )


def startup_scripts(
    plan: DeploymentPlan, places: Mapping[str, Endpoint]
) -> Callable[[Candidate], str]:
    """What gives the script of a candidate's instance, with a new URL each time.

    The text holds a secret, the URL; its lifetime begins when it is asked for.

    :param places: URI → prefix, as the plan's candidates name them.
    :raises DeploymentError: ``precondition_failed`` when this release makes another script than the
        one that was planned. What is returned raises what the store reports.
    """
    script = script_of(
        plan.deployment_id, plan.revision, plan.artifact, command=plan.command, port=plan.port
    )
    if script.digest != plan.script_digest:
        raise DeploymentError(
            f"plan: its startup script has the digest {plan.script_digest}, and this release of "
            f"airflow-multicloud makes one of {script.digest}; plan again",
            kind=ErrorKind.PRECONDITION_FAILED,
        )

    def text(candidate: Candidate) -> str:
        place = places[candidate.artifacts]
        url = sign_artifact(place, plan.deployment_id, plan.artifact, plan.url_lifetime)
        return script.text(url.reveal())

    return text
