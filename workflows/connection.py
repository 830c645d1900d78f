"""How every process of ours meets Temporal: one converter, one pair of queues, one profile format."""

from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, Self

from pydantic import TypeAdapter
from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    SerializationContext,
)
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker import UnsandboxedWorkflowRunner

from vtid.domain.commands.run import RunRequest
from vtid.domain.limits import Limit

TASK_QUEUE = "vtid-runs"
GITHUB_QUEUE = "vtid-github"
DEPLOYMENT = "vtid"  # of worker versions, as Temporal names them: DEPLOYMENT and the commit

_adapter_of = lru_cache(maxsize=1024)(TypeAdapter)


class _Json(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON, without what is at its default: most of a command is, and every history stores it."""

    def to_payload(self, value: Any) -> Payload:
        return Payload(metadata={"encoding": self.encoding.encode()}, data=_json_of(value))

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return _adapter_of(Any if type_hint is None else type_hint).validate_json(payload.data)


def _json_of(value: Any) -> bytes:
    if isinstance(value, RunRequest):
        # A policy that travels with a run is written out: no default of a later build may change it.
        whole = _adapter_of(RunRequest).dump_python(value, mode="json", exclude={"limits"})
        bounds = _adapter_of(dict[str, Limit]).dump_python(value.limits, mode="json", exclude_defaults=True)
        return to_json(whole | {"limits": bounds})
    if is_dataclass(value):
        kind: Any = type(value)
        return _adapter_of(kind).dump_json(value, exclude_defaults=True)
    return to_json(value)


def _converters() -> dict[bytes, EncodingPayloadConverter]:
    json = _Json()
    given = DefaultPayloadConverter.default_encoding_payload_converters
    chosen = (json if each.encoding == json.encoding else each for each in given)
    return {each.encoding.encode(): each for each in chosen}


class _Payloads(CompositePayloadConverter):
    """The SDK makes a converter several times for each task of a run; what these share is built once."""

    _shared = _converters()

    def __init__(self) -> None:
        self.converters = self._shared

    def with_context(self, context: SerializationContext) -> Self:
        return self  # none of ours looks at it


class VtidPlugin(SimplePlugin):
    """What client, worker and replayer must have in common."""

    def __init__(self) -> None:
        super().__init__(
            "vtid",
            data_converter=DataConverter(payload_converter_class=_Payloads),
            # The sandbox would reach no module of ours (all would have to pass through it) and costs a tenth
            # of a worker's time. Determinism is held by import contracts, replay and a test of the names used.
            workflow_runner=UnsandboxedWorkflowRunner(),
        )


class TemporalAway(Exception):
    """Temporal does not answer at its address."""


async def connect(*, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """A client for the profile that TEMPORAL_* and the profile file name.

    lazy: connect at the first call, so that a process can start while Temporal is away. Raises TemporalAway.
    """
    config = ClientConfig.load_client_connect_config()
    try:
        return await Client.connect(**config, plugins=[VtidPlugin()], lazy=lazy, runtime=runtime)
    except (
        RuntimeError
    ) as error:  # how the SDK tells that its first connection failed; nothing narrower is raised
        where = config.get("target_host", "its address")
        raise TemporalAway(f"Temporal does not answer at {where}: {str(error)[:300]}") from error
