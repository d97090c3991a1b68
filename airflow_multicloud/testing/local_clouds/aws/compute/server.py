"""What the local EC2 answers: botocore's model first, then faults, its own rules, and moto."""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.compute import REGIONS
from airflow_multicloud.testing.local_clouds.aws.compute.account import Account, state_of
from airflow_multicloud.testing.local_clouds.aws.compute.answers import (
    Refusal,
    XmlAnswer,
    answer_of,
    named_root,
    parsed,
    state_changes,
)
from airflow_multicloud.testing.local_clouds.aws.compute.boots import Boots
from airflow_multicloud.testing.local_clouds.aws.compute.concerned import concerned
from airflow_multicloud.testing.local_clouds.aws.compute.launches import Launches
from airflow_multicloud.testing.local_clouds.aws.compute.queries import Call, read
from airflow_multicloud.testing.local_clouds.aws.compute.words import refusal
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import SeededFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCall,
    MachineCase,
)

# "Elements of an AWS API request signature": Credential=key/date/region/service/aws4_request.
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
_CALLS = {
    "RunInstances": MachineCall.LAUNCH,
    "TerminateInstances": MachineCall.TERMINATE,
    "StartInstances": MachineCall.POWER,
    "StopInstances": MachineCall.POWER,
}


class Ec2State(State):
    """What the server was told, with the faults that are planted."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = SeededFaults(self)
        #: Instance → how many more answers it is missing from.
        self.unseen: dict[str, int] = {}

    def reset(self) -> None:
        """Forget all that was told; instances stay."""
        super().reset()
        self.unseen.clear()

    def launched(self, instance_id: str) -> None:
        """Note a new instance: the oldest ``unseen`` record is its."""
        if waiting := self.records.get("unseen"):
            self.unseen[instance_id] = int(waiting.pop(0)["looks"])

    def hides(self, instance_id: str) -> bool:
        """Whether an answer must do without an instance; it counts as one look."""
        left = self.unseen.get(instance_id, 0)
        if left:
            self.unseen[instance_id] = left - 1
        return left > 0


class Ec2Server:
    """Answers requests to EC2, and hands those to other services on to moto."""

    def __init__(self, account: Account, boots: Boots, state: Ec2State) -> None:
        self._account = account
        self._boots = boots
        self._state = state
        self._launches = Launches(account, boots, state.faults)
        self._handlers: Mapping[str, Callable[[Request, Call], Answer]] = {
            "RunInstances": self._run,
            "TerminateInstances": self._terminate,
            "StartInstances": self._start,
            "StopInstances": self._stop,
            "DescribeInstances": self._describe,
            "DescribeRegions": self._regions,
            "GetConsoleOutput": self._console,
        }

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        about: list[Mapping[str, object]] = []
        answer = self._answer(request, about)
        self._state.log(request, answer.status, action=_action_of(request), about=about)
        return answer

    def _answer(self, request: Request, about: list[Mapping[str, object]]) -> Answer:
        scope = _SCOPE.search(request.headers.get("Authorization", ""))
        if scope is None or scope[2] != "ec2":
            return self._forwarded(request)
        try:
            call = read(request.get_data(), scope[1])
            self._account.region(call.region)
            about += concerned(call, self._account)
            self._boots.follow()
            case = self._case_of(call)
            self._check_fault(case)
            handler = self._handlers.get(call.action)
            dry = bool(call.given.get("DryRun"))
            answer = self._forwarded(request) if handler is None or dry else handler(request, call)
        except Refusal as refused:
            return refused.answer
        if case is not None and self._state.faults.meet(FaultKind.LOSE_ANSWER, case) is not None:
            _hang_up(request)
        return answer

    def _check_fault(self, case: MachineCase | None) -> None:
        if case is None:
            return
        if (fault := self._state.faults.meet(FaultKind.REFUSE, case)) is not None:
            raise refusal(fault.error, case)

    def _forwarded(self, request: Request) -> XmlAnswer:
        response = self._account.forward(request)
        return XmlAnswer(
            status=response.status_code,
            body=response.get_data(),
            content_type=response.content_type or "text/xml",
            headers={
                name: value
                for name, value in response.headers.items()
                if name.casefold().startswith("x-amz")
            },
        )

    def _case_of(self, call: Call) -> MachineCase | None:
        """What a call is about; ``None`` for one that no fault can be planted for."""
        if call.action == "RunInstances":
            return self._launches.case_of(call)
        ids: Sequence[str] = call.given.get("InstanceIds", ())
        kind = _CALLS.get(call.action)
        if call.action == "DescribeInstances":
            kind = MachineCall.DESCRIBE if ids else MachineCall.LIST
        if kind is None:
            return None
        if not ids:
            return MachineCase(call=kind, region=call.region)
        instance = self._account.instance(call.region, ids[0])
        return MachineCase(
            call=kind,
            name=_name_of(instance),
            region=call.region,
            zone=instance.availability_zone,
            size=instance.instance_type,
        )

    def _run(self, request: Request, call: Call) -> Answer:
        known = {instance_id for _, instance_id in self._launches.tokens.values()}
        answer, instance_id = self._launches.run(request, call)
        if instance_id not in known:
            self._state.launched(instance_id)
        return answer

    def _terminate(self, _request: Request, call: Call) -> Answer:
        return self._changed(
            call,
            allowed=None,
            change=lambda instance_id: self._boots.terminate(call.region, instance_id),
        )

    def _start(self, _request: Request, call: Call) -> Answer:
        return self._changed(call, allowed=("stopped", "running"), change=self._boots.start)

    def _stop(self, _request: Request, call: Call) -> Answer:
        return self._changed(
            call, allowed=("running", "stopping", "stopped"), change=self._boots.stop
        )

    def _changed(
        self, call: Call, *, allowed: Sequence[str] | None, change: Callable[[str], None]
    ) -> Answer:
        """Change instances that are not as they shall be; all of them, or none."""
        instances = {i: self._account.instance(call.region, i) for i in call.given["InstanceIds"]}
        before = {i: state_of(instance) for i, instance in instances.items()}
        for instance_id, state in before.items():
            if allowed is not None and state not in allowed:
                raise Refusal(
                    "IncorrectInstanceState",
                    f"The instance '{instance_id}' is not in a state from which it can be "
                    f"{'started' if call.action == 'StartInstances' else 'stopped'}.",
                )
        for instance_id, state in before.items():
            if allowed is None or state == allowed[0]:
                change(instance_id)
        return state_changes(
            call.action,
            [(i, before[i], state_of(instance)) for i, instance in instances.items()],
        )

    def _describe(self, request: Request, call: Call) -> Answer:
        if not self._state.unseen:
            return self._forwarded(request)
        for instance_id in call.given.get("InstanceIds", ()):
            if self._state.hides(instance_id):
                raise Refusal(
                    "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
                )
        return self._pruned(
            request,
            "reservationSet",
            lambda item: (
                "InstanceIds" in call.given
                or not self._state.hides(str(item.findtext(".//instanceId")))
            ),
        )

    def _regions(self, request: Request, call: Call) -> Answer:
        """Three regions are in use; of others it is only told that they are there."""
        names = call.given.get("RegionNames", ())
        if unknown := sorted(set(names) - set(REGIONS)):
            raise Refusal(
                "InvalidParameterValue", f"Invalid region provided: '{', '.join(unknown)}'"
            )
        every, used = bool(call.given.get("AllRegions")), set(names or REGIONS)

        def keeps(item: ET.Element) -> bool:
            known = item.findtext("regionName") in used
            status = item.find("optInStatus")
            if not known and status is not None:
                status.text = "not-opted-in"
            return known or every

        return self._pruned(request, "regionInfo", keeps)

    def _pruned(self, request: Request, name: str, keeps: Callable[[ET.Element], bool]) -> Answer:
        """An answer of moto's without some entries of a set."""
        answer = self._forwarded(request)
        if answer.status != HTTPStatus.OK or not isinstance(answer.body, bytes):
            return answer
        root = parsed(answer.body)
        found = root.find(name)
        if found is not None:
            for item in [item for item in found if not keeps(item)]:
                found.remove(item)
        return answer_of(root)

    def _console(self, _request: Request, call: Call) -> Answer:
        instance_id = call.given["InstanceId"]
        self._account.instance(call.region, instance_id)
        root = named_root(call.action)
        told = {
            "instanceId": instance_id,
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "output": base64.b64encode(self._boots.console(instance_id).encode()).decode(),
        }
        for name, text in told.items():
            ET.SubElement(root, name).text = text
        return answer_of(root)


def _action_of(request: Request) -> str:
    """``service:Action`` of the query protocol's services and the JSON protocol's."""
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    named = dict(parse_qsl(request.get_data().decode(errors="replace"))).get("Action")
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return f"{scope[2] if scope else ''}:{named or target}"


def _hang_up(request: Request) -> None:
    """End the connection, so that no answer arrives."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _name_of(instance: Any) -> str:
    tags = {one["key"]: one["value"] for one in instance.get_tags()}
    return str(tags.get("Name", ""))
