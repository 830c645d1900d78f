"""The sentinel of one proven deployment: it looks at its interval for its lifetime, and tells what becomes of it.

One poll by retry is the whole wait, so days of looking cost a dozen events.
"""

from dataclasses import replace

from temporalio import workflow
from temporalio.common import VersioningBehavior
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.bookkeeping import Bookkeeping
    from activities.polling import NOT_READY
    from activities.sentinels import Sentinels
    from vtid.domain.failures import RunStopped
    from vtid.domain.serving import NEEDS_A_PERSON, Serving, TellServing, WatchDeployment, WatchRequest
    from workflows.perform import perform

MOST_FINDINGS = 20  # of one deployment; one that changes more often has been told often enough


@workflow.defn(name="VtidSentinel")
class Sentinel:
    @workflow.init
    def __init__(self, request: WatchRequest) -> None:
        self._request = request
        self._told = 0

    @workflow.run
    async def run(self, request: WatchRequest) -> str:
        """Watch until it is superseded or the lifetime is over; gives the last that was known."""
        until = workflow.now() + request.limits["watch_deployment"].whole_budget()
        known = Serving.WATCHED
        await self._tell(known, f"{request.commit[:12]} serves, proven")
        while workflow.now() < until and self._told < MOST_FINDINGS and known is not Serving.SUPERSEDED:
            limit = replace(request.limits["watch_deployment"], budget=until - workflow.now())
            command = WatchDeployment(
                request.repository, request.environment, request.services, request.commit, known
            )
            what = f"{request.commit[:12]} of {request.vtid} to be replaced"
            try:
                found = await perform(
                    Sentinels.watch_deployment,
                    command,
                    request.limits | {"watch_deployment": limit},
                    summary=what,
                )
            except RunStopped as stop:
                if workflow.now() >= until or any(cause.type == NOT_READY for cause in stop.causes):
                    break  # it was as known when it was seen last, and there is no time for another look
                await self._tell(Serving.UNWATCHED, stop.message)
                return Serving.UNWATCHED
            if found is None:
                break
            known = found.kind
            await self._tell(known, found.says)
        if self._told >= MOST_FINDINGS and known is not Serving.SUPERSEDED:
            text = f"it changed too often to be told each time; the last that was seen is: {known}"
            await self._tell(Serving.UNWATCHED, text)
            return Serving.UNWATCHED
        if known in NEEDS_A_PERSON:
            await self._tell(Serving.UNWATCHED, f"its time is over, and the last that was seen is: {known}")
        return known

    async def _tell(self, kind: Serving, says: str) -> None:
        request = self._request
        self._told += 1
        me = workflow.info().run_id
        command = TellServing(request.vtid, request.run_id, self._told, kind, says, me)
        workflow.set_current_details(f"**{request.vtid}** {kind}: {says}")
        try:
            await perform(Bookkeeping.tell_serving, command, request.limits)
        except RunStopped as stop:  # as it is, it would stall the workflow; failed, it is begun again
            raise ApplicationError(stop.message, type=stop.kind.code, non_retryable=True) from None


@workflow.defn(name="VtidSentinel", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class SentinelOfEveryBuild(Sentinel):
    """The same for workers that tell their build; Temporal refuses the behaviour from those that tell none.

    It is the same poll in every build: pinned, it would keep an old worker from being drained for days, or look no more.
    """

    @workflow.init
    def __init__(self, request: WatchRequest) -> None:
        super().__init__(request)

    @workflow.run
    async def run(self, request: WatchRequest) -> str:
        """Watch as `Sentinel`."""
        return await super().run(request)
