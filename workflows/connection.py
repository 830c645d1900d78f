"""How every process of ours meets Temporal: one converter, one pair of queues, one profile format."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter, DefaultPayloadConverter
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker import UnsandboxedWorkflowRunner

TASK_QUEUE = "vtid-runs"
GITHUB_QUEUE = "vtid-github"

_adapter_of = lru_cache(maxsize=1024)(TypeAdapter)


class _Json(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON. The SDK makes a converter, with adapters of its own, for each run; here they are built once."""

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return _adapter_of(Any if type_hint is None else type_hint).validate_json(payload.data)


class _Payloads(CompositePayloadConverter):
    def __init__(self) -> None:
        json = _Json()
        given = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(json if each.encoding == json.encoding else each for each in given))


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


async def connect(*, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """A client for the profile that TEMPORAL_* and the profile file name.

    lazy: connect at the first call, so that a process can start while Temporal is away.
    """
    config = ClientConfig.load_client_connect_config()
    return await Client.connect(**config, plugins=[VtidPlugin()], lazy=lazy, runtime=runtime)
