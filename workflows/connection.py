"""How every process of ours meets Temporal: one converter, one pair of queues, one profile format."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
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


def _runner(given: WorkflowRunner | None) -> WorkflowRunner:
    if given is not None and not isinstance(given, SandboxedWorkflowRunner):
        return given
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*OURS))


class VtidPlugin(SimplePlugin):
    """What client, worker and replayer must have in common."""

    def __init__(self) -> None:
        super().__init__("vtid", data_converter=pydantic_data_converter, workflow_runner=_runner)


async def connect(*, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """A client for the profile that TEMPORAL_* and the profile file name.

    lazy: connect at the first call, so that a process can start while Temporal is away.
    """
    config = ClientConfig.load_client_connect_config()
    return await Client.connect(**config, plugins=[VtidPlugin()], lazy=lazy, runtime=runtime)
