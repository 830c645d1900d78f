"""Errors of the outside, carried to the workflow: their name, their system, and when to try again."""

from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from vtid.domain.errors import OutsideError, Refused, Unavailable
from vtid.domain.failures import MAX_MESSAGE


class SortedErrors(Interceptor):
    """Turns every OutsideError of an activity into an ApplicationError of the same name.

    Final ones are not retried; an Unavailable is retried when the other side asked for it.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Sorting(next)


class _Sorting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except OutsideError as error:
            raise ApplicationError(
                str(error)[:MAX_MESSAGE],
                {"system": error.system, "status": error.status},
                type=type(error).__name__,
                non_retryable=isinstance(error, Refused),
                next_retry_delay=error.retry_after if isinstance(error, Unavailable) else None,
            ) from error
