"""Errors of a step, carried to the workflow: their name, their system, when to try again, and nothing secret.

What a step raises stands in the history with everything that caused it, and goes from there into events and dead
letters. So each message on the way is masked here, also those of libraries that no adapter has read.
"""

from collections.abc import Iterable
from typing import Any

from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from vtid.domain.errors import OutsideError, Refused, Unavailable
from vtid.domain.failures import MAX_MESSAGE
from vtid.domain.secret_shapes import masked

MOST_CAUSES = 10  # of one error


class SortedErrors(Interceptor):
    """Turns every OutsideError of an activity into an ApplicationError of the same name.

    Final ones are not retried; an Unavailable is retried when the other side asked for it. secrets: values of ours
    that must stand in no message, whatever their shape.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Sorting(next, self._secrets)


class _Sorting(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, secrets: tuple[str, ...]) -> None:
        super().__init__(next)
        self._secrets = secrets

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except OutsideError as error:
            raise ApplicationError(
                self._said(error),
                {"system": error.system, "status": error.status},
                type=type(error).__name__,
                non_retryable=isinstance(error, Refused),
                next_retry_delay=error.retry_after if isinstance(error, Unavailable) else None,
            ) from self._cause(error)
        except FailureError as error:  # our own words, but not those of its causes
            raise error from self._cause(error.__cause__)
        except Exception as error:  # noqa: BLE001 - whatever it is, it would go into the history as it is
            raise ApplicationError(self._said(error), type=type(error).__name__) from self._cause(
                error.__cause__
            )

    def _said(self, error: BaseException) -> str:
        return masked(str(error), self._secrets)[:MAX_MESSAGE]

    def _cause(self, error: BaseException | None, most: int = MOST_CAUSES) -> BaseException | None:
        """The same error in words that may be kept, with what caused it."""
        if error is None or most == 0:
            return None
        told = ApplicationError(self._said(error), type=type(error).__name__)
        told.__cause__ = self._cause(error.__cause__, most - 1)
        return told.with_traceback(error.__traceback__)
