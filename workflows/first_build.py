"""The first build of an installation: nothing runs yet that another build could have begun, so it takes new runs at once."""

import asyncio

from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows.connection import DEPLOYMENT

KNOWN_WITHIN_SECONDS = (
    30.0  # Temporal hears of a build by its worker's first polls, and announces it to nobody
)
_LOOK_EVERY_SECONDS = 0.2
# Not heard of yet, or somebody else was quicker: both are seen at the next look.
_LATER = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.INVALID_ARGUMENT)


class NotMadeCurrent(Exception):
    """No build was ever current, and this one could not be made so."""


async def make_first_current(
    client: Client, build: str, *, within_seconds: float = KNOWN_WITHIN_SECONDS
) -> bool:
    """Make the build of a polling worker current where none ever was; False where one was: that is an operator's choice.

    Raises NotMadeCurrent with the reason.
    """
    service, says = client.workflow_service, "Temporal has not heard of the build"
    describe = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                try:
                    deployment = await service.describe_worker_deployment(describe)
                    if deployment.worker_deployment_info.routing_config.HasField(
                        "current_version_changed_time"
                    ):
                        return False
                    await service.set_worker_deployment_current_version(
                        SetWorkerDeploymentCurrentVersionRequest(
                            namespace=client.namespace,
                            deployment_name=DEPLOYMENT,
                            build_id=build,
                            conflict_token=deployment.conflict_token,
                        )
                    )
                except RPCError as error:
                    says = error.message
                    if error.status not in _LATER:
                        raise NotMadeCurrent(says) from error
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
                else:
                    return True
    except TimeoutError as error:
        raise NotMadeCurrent(f"within {within_seconds:.0f} s: {says}") from error
