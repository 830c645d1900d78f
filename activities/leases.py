"""The lease of a worker: an activity that the API keeps alive with the worker's heartbeats."""

from temporalio import activity

from vtid.domain.commands.work_orders import HoldLease


class Leases:
    @activity.defn
    async def hold_lease(self, command: HoldLease) -> None:
        """Open the lease and leave it open.

        The API turns a worker's heartbeats into Temporal's, by workflow, run and activity id. Silence,
        cap and stop are then Temporal's own; the result never comes from here.
        """
        activity.raise_complete_async()
