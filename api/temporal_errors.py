"""Temporal's errors in our words: the one place that knows them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.engine import EngineUnavailable, RunOver
from vtid.domain.failures import API_CODES, FAILURES
from vtid.ledger import Refusal


@asynccontextmanager
async def bounded(seconds: float) -> AsyncIterator[None]:
    """Bound a call in time. Raises EngineUnavailable, RunOver, and Refusal with the run's own code."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise EngineUnavailable(
            f"no answer from the run within {seconds:g} s; what was asked may still happen"
        ) from error
    except WorkflowQueryFailedError as error:
        raise EngineUnavailable(f"the run cannot answer now: {error}") from error
    except RuntimeError as error:
        # How the SDK tells that its first connection failed; nothing narrower is raised.
        if not str(error).startswith("Failed client connect"):
            raise
        raise EngineUnavailable("Temporal is out of reach (no connection)") from error
    except RPCError as error:
        if _lacks_namespace(error):
            raise EngineUnavailable(f"Temporal cannot be used: {error.message}") from error
        if error.status is RPCStatusCode.NOT_FOUND:
            raise RunOver(error.message) from error
        raise EngineUnavailable(f"Temporal is out of reach ({error.status.name})") from error


def _refusal(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        code = cause.type or ""
        if code in API_CODES or code in FAILURES:
            return Refusal(code, cause.message)
        if code == "AcceptedUpdateCompletedWorkflow":
            return RunOver("the run ended while it took the message")
    # An unknown message name or a bug in a handler: worker and API do not fit together.
    return EngineUnavailable("the run could not take the message; API and worker may be of different builds")


def _lacks_namespace(error: RPCError) -> bool:
    """NOT_FOUND of the namespace says nothing about any run in it."""
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
