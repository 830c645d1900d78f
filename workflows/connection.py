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
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

TASK_QUEUE = "vtid-runs"
GITHUB_QUEUE = "vtid-github"

# Our own modules are pure where a workflow reaches them; running them inside the sandbox costs a
# quarter of a worker's time and proves nothing that the import contracts and replay tests do not.
OURS = ("vtid", "activities", "workflows", "pydantic", "pydantic_core", "annotated_types")


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


def _runner(given: WorkflowRunner | None) -> WorkflowRunner:
    if given is not None and not isinstance(given, SandboxedWorkflowRunner):
        return given
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*OURS))


class VtidPlugin(SimplePlugin):
    """What client, worker and replayer must have in common."""

    def __init__(self) -> None:
        super().__init__(
            "vtid", data_converter=DataConverter(payload_converter_class=_Payloads), workflow_runner=_runner
        )


async def connect(*, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """A client for the profile that TEMPORAL_* and the profile file name.

    lazy: connect at the first call, so that a process can start while Temporal is away.
    """
    config = ClientConfig.load_client_connect_config()
    return await Client.connect(**config, plugins=[VtidPlugin()], lazy=lazy, runtime=runtime)
