"""Offer and pickup: an order lies ready until a worker takes it, or it is clear that nobody will."""

from datetime import timedelta

from temporalio import workflow

from activities.bookkeeping import WorkOrders
from vtid.domain.commands.work_orders import Offer, OfferWorkOrder, ReadWorkers, WithdrawOrder
from vtid.domain.failures import RunStopped
from vtid.domain.vtid import short_run
from workflows.course import Course, one_try
from workflows.desk import Desk, Lease
from workflows.planner_stage import Switch
from workflows.story import waiting


class Offers:
    def __init__(self, course: Course, switch: Switch, desk: Desk) -> None:
        self._course = course
        self._switch = switch
        self._desk = desk
        self._offers = 0
        self._order: OfferWorkOrder | None = None  # the last one

    @property
    def branch(self) -> str:
        """The branch that the last order named."""
        return self._order.branch if self._order else ""

    async def get_claimed(self, note: str) -> Lease:
        """Offer until somebody claims. Raises RunStopped PICKUP_TIMEOUT when nobody does."""
        pickup = self._course.limits["pickup"]
        for nth in range(pickup.tries):
            if nth:
                await self._course.until(
                    lambda: False, pickup.pause_after(nth), "back-off before the next offer"
                )
            lease = await self._offer_or_take_back(note)
            if lease is not None:
                return lease
        requires = self._order.requires if self._order else ()
        able = f" that is capable of {', '.join(requires)}" if requires else ""
        raise RunStopped("PICKUP_TIMEOUT", f"{pickup.tries} offers, and no worker{able} took one")

    async def _offer_or_take_back(self, note: str) -> Lease | None:
        """No order stays open behind a run that blocks; one that was claimed meanwhile is served."""
        try:
            return await self._offer_once(note)
        except RunStopped as stop:
            order = self._order
            if order is not None and self._desk.claimed(order):
                return self._desk.lease
            offered = self._desk.offered
            if offered is not None:
                self._desk.offered = None
                self._course.story.tell(
                    "work_order.withdrawn", order_id=offered.order_id, reason=stop.message
                )
            raise

    async def _offer_once(self, note: str) -> Lease | None:
        """One order, until it is claimed, or nobody came for it, or the emergency stop took it back."""
        while True:
            # Hints count from before the switch is read, so that none given meanwhile is missed.
            hints = self._switch.hints
            await self._switch.await_armed()
            self._order = order = self._next_order(note)
            await self._offer(order)
            claimed = await self._await_claim(order, hints)
            if claimed is not None:
                return claimed
            if self._desk.offered is None:  # taken back by the emergency stop: offered again once armed
                continue
            await self.withdraw("nobody took it in time")
            return None

    def _next_order(self, note: str) -> OfferWorkOrder:
        request, limits = self._course.request, self._course.limits
        self._offers += 1
        run_id, attempt, lease = workflow.info().run_id, self._desk.attempts + 1, limits["hold_lease"]
        silence = lease.heartbeat or timedelta(seconds=90)
        repair = self._course.repair
        return OfferWorkOrder(
            order_id=f"{request.vtid}-{short_run(run_id)}-{self._offers}",
            vtid=request.vtid,
            run_id=run_id,
            offer=self._offers,
            attempt=attempt,
            spec_hash=request.spec_hash,
            repository=request.repository,
            base=request.base,
            branch=repair.branch if repair else request.environment.branch_for(request.vtid, run_id, attempt),
            priority=request.priority,
            heartbeat_seconds=silence.total_seconds() / 3,
            lost_seconds=silence.total_seconds(),
            progress_seconds=one_try(limits["progress"]).total_seconds(),
            unattended_progress_seconds=one_try(limits["progress_unattended"]).total_seconds(),
            cap_seconds=lease.whole_budget().total_seconds(),
            note=note,
            repair=repair,
            requires=request.environment.required_of_workers(request.services),
        )

    async def _offer(self, order: OfferWorkOrder) -> None:
        self._desk.offered = order
        window = one_try(self._course.limits["pickup"])
        self._course.story.tell(
            "work_order.offered",
            order_id=order.order_id,
            offer=order.offer,
            attempt=order.attempt,
            kind=order.kind,
            round=order.repair.round if order.repair else None,
        )
        wait = waiting("a worker to pick up the order", workflow.now() + window, "worker")
        self._course.story.tell("step.started", step="pickup", waiting=wait)
        await self._course.story.write_with(WorkOrders.offer_work_order, lambda told: Offer(order, told))

    async def _await_claim(self, order: OfferWorkOrder, hints: int) -> Lease | None:
        pickup, busy = self._course.limits["pickup"], self._course.limits["busy_workers"]
        now = workflow.now()
        look_at, give_up = now + one_try(pickup), now + busy.whole_budget()
        looks, said = 0, ""
        while True:
            rest = max(look_at - workflow.now(), timedelta(seconds=1))
            hinted = await self._claimed_or_hinted(order, hints, rest)
            hints = self._switch.hints
            # Nobody is blamed for not taking what nobody may take.
            armed = self._desk.claimed(order) or (await self._switch.read()).armed
            if self._desk.claimed(order):
                return self._desk.lease
            if not armed:
                await self.withdraw("the emergency stop is on")
                return None
            if hinted:
                continue
            workers = await self._course.quietly(
                WorkOrders.read_workers, ReadWorkers(one_try(pickup).total_seconds())
            )
            if self._desk.claimed(order):
                return self._desk.lease
            looks += 1
            if looks == 1:
                self._course.story.tell(
                    "work_order.unclaimed",
                    order_id=order.order_id,
                    seconds=one_try(pickup).total_seconds(),
                    present=workers.present,
                    free=workers.free,
                    busy=workers.busy,
                )
            if workers.free or not workers.busy or workflow.now() >= give_up:
                return None
            look_at = min(workflow.now() + busy.pause_before_look(looks), give_up)
            what = f"a free worker ({workers.busy} busy)"
            if what != said:
                self._course.story.tell("wait.started", **waiting(what, give_up, "worker"))
                await self._course.story.write()
                said = what

    async def _claimed_or_hinted(self, order: OfferWorkOrder, hints: int, window: timedelta) -> bool:
        return await self._course.until(
            lambda: self._desk.claimed(order) or self._switch.hints != hints,
            window,
            f"pickup of {order.order_id}",
        )

    async def withdraw(self, reason: str) -> None:
        order, self._desk.offered = self._desk.offered, None
        if order is not None:
            self._course.story.tell("work_order.withdrawn", order_id=order.order_id, reason=reason)
            await self._course.quietly(WorkOrders.withdraw_order, WithdrawOrder(order.order_id, reason))
            await self._course.story.write()
