"""Steps on our own ledger. All are reads or writes that a repeat does not change."""

from dataclasses import replace

from temporalio import activity

from vtid.domain.commands.ledger import Armed, LoadedTask, LoadTask, ReadArmed, RecordEvents
from vtid.domain.commands.work_orders import (
    Offer,
    Progress,
    ReadLateClaims,
    ReadProgress,
    ReadWorkers,
    WithdrawOrder,
    Workers,
)
from vtid.domain.events import RunEvent
from vtid.domain.ports import Journal, OrderBook
from vtid.domain.serving import TellServing


class Bookkeeping:
    """The task, the journal and the emergency stop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @activity.defn
    async def load_task(self, command: LoadTask) -> LoadedTask | None:
        """The task as the ledger has it now, or None. A read."""
        task = await self._journal.load_task(command.vtid)
        return replace(task, armed=await self._journal.read_armed()) if task else None

    @activity.defn
    async def read_armed(self, command: ReadArmed) -> Armed:
        """The emergency stop. A read."""
        return await self._journal.read_armed()

    @activity.defn
    async def record_events(self, command: RecordEvents) -> tuple[RunEvent, ...]:
        """Append the events once per (run_id, seq): a repeat changes nothing. Gives what stands in their place."""
        return await self._journal.record_events(command)

    @activity.defn
    async def tell_serving(self, command: TellServing) -> None:
        """Tell what became of a deployment, once per number of its run."""
        await self._journal.tell_serving(command)


class WorkOrders:
    """The orders that workers claim."""

    def __init__(self, orders: OrderBook, journal: Journal) -> None:
        self._orders = orders
        self._journal = journal

    @activity.defn
    async def offer_work_order(self, command: Offer) -> tuple[RunEvent, ...]:
        """Put the order up, and append the events with it; the same order id is offered once."""
        await self._orders.offer(command.order)
        return await self._journal.record_events(command.told)

    @activity.defn
    async def withdraw_order(self, command: WithdrawOrder) -> None:
        """Take the order back; a withdrawn one stays withdrawn."""
        await self._orders.withdraw(command.order_id, command.reason)

    @activity.defn
    async def read_workers(self, command: ReadWorkers) -> Workers:
        """Who is there. A read."""
        return await self._orders.workers(command.seen_within_seconds)

    @activity.defn
    async def read_progress(self, command: ReadProgress) -> Progress:
        """The clocks of a lease. A read."""
        return await self._orders.progress(command.order_id)

    @activity.defn
    async def read_late_claims(self, command: ReadLateClaims) -> list[str]:
        """Pull requests named in answers that came too late. A read."""
        return list(await self._orders.late_claims(command.run_id))
