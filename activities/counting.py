"""Errors of steps, counted for Prometheus: of which system, and of which kind.

Temporal's own numbers say that a step failed and not why, and a step that is tried again tells nobody else: neither
the ledger nor the API hears of it before the budget ends.
"""

from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

METRIC = "vtid_step_errors"  # shown as vtid_step_errors_total
OURS = "VTID"  # the system of an error that no system outside gave


class CountedErrors(Interceptor):
    """Counts each try that ended in an error, as it leaves `SortedErrors`. "Not ready yet" is none.

    Labels: `activity_type` and `task_queue`, which are the SDK's; `system`: `GITHUB`, `CLOUD_RUN`, `SERVICE`, `LEDGER`,
    or `VTID` for a fault of ours; `error`: the name that stands in the history, such as `Unavailable` or `Denied`.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Counting(next)


class _Counting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await self.next.execute_activity(input)
        except ApplicationError as error:
            if error.category is not ApplicationErrorCategory.BENIGN:
                _count(error)
            raise


def _count(error: ApplicationError) -> None:
    said = error.details[0] if error.details else None
    system = said.get("system", OURS) if isinstance(said, dict) else OURS
    meter = activity.metric_meter().with_additional_attributes({"system": system, "error": error.type or ""})
    meter.create_counter(METRIC, "Tries of a step that ended in an error").add(1)
