"""What old workers hand in: evidence, failures, releases. Evidence is read on GitHub at receipt, or later."""

import asyncio
from dataclasses import dataclass

import structlog

from api.engine import EngineUnavailable
from api.gateway.named import Named
from api.gateway.said import Said
from api.gateway.witness import Witness
from api.problems import Problem
from api.work_orders import WorkDesk
from vtid.domain.environment import Environment
from vtid.domain.errors import OutsideError
from vtid.domain.evidence import ClaimedEvidence
from vtid.ledger import Ledger, LedgerUnavailable, Refusal
from vtid.ledger.orders import UNREAD
from vtid.ledger.records import OrderRecord, TaskRecord

log = structlog.get_logger()


@dataclass(frozen=True)
class Handed:
    """What became of named evidence. state: `handed_in`, `kept` (GitHub could not be asked) or `noted`."""

    state: str
    pr_url: str | None = None
    head_sha: str | None = None
    reason: str | None = None


class Results:
    """Hands the words of old workers to the desk. `look_seconds`: the pause between looks at what was kept."""

    def __init__(
        self,
        ledger: Ledger,
        desk: WorkDesk,
        environments: dict[str, Environment],
        witness: Witness | None,
        *,
        look_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._environments = environments
        self._witness = witness
        self._look_seconds = look_seconds

    async def succeed(self, order: OrderRecord, named: Named | None, summary: str) -> Handed:
        """The worker says that it is done. Without a pull request the run looks on GitHub for one."""
        if named is None:
            unread = await self._ledger.orders.unread_evidence(order.order_id)
            named = Named(**unread[-1].payload["named"]) if unread else None
            return await self._hand_in(order, named.url if named else "", None, summary)
        return await self.evidence(order, named, summary)

    async def fail(self, order: OrderRecord, message: str) -> None:
        text = message or "the worker gave no reason"
        await self._desk.fail(order.order_id, self._desk.token_of(order), text, retryable=True)

    async def release(self, order: OrderRecord, reason: str) -> None:
        await self._desk.release(order.order_id, self._desk.token_of(order), reason)

    async def evidence(self, order: OrderRecord, named: Named, summary: str) -> Handed:
        """Hand in what the worker names, with the head that GitHub shows now.

        Raises Problem EVIDENCE_REFUSED for another repository than the order's, and LEASE_LOST.
        """
        wanted = order.command.repository
        if (named.repository or wanted).casefold() != wanted.casefold():
            text = f"the order is for {wanted}, and this is in {named.repository}"
            raise Problem("EVIDENCE_REFUSED", text, expected=wanted, actual=named.repository)
        try:
            return await self._read_and_hand_in(order, named, summary)
        except OutsideError as error:
            await self._keep_unread(order, named, summary)
            return Handed("kept", named.url or None, named.sha, f"GitHub could not be asked: {error}")

    async def _read_and_hand_in(self, order: OrderRecord, named: Named, summary: str) -> Handed:
        repository = order.command.repository
        if self._witness is None:
            if named.number is None:
                return Handed(
                    "noted", head_sha=named.sha, reason="a commit is looked up when the work is done"
                )
            return await self._hand_in(order, named.url, None, summary)
        if named.number is not None:
            pull = await self._witness.pull_request(repository, named.number)
            # A pull request that GitHub does not show may be new: the run looks again, and judges.
            url = pull.url if pull else Named(repository, named.number, origin=named.origin).url
            return await self._hand_in(order, url, pull.head_sha if pull else None, summary)
        task = await self._ledger.tasks.get(order.vtid)
        environment = self._environments.get(task.environment)
        if environment is None:
            return Handed("noted", head_sha=named.sha, reason=f"{task.environment} is not declared any more")
        found = await self._witness.with_head(repository, order.vtid, environment, named, task.created_at)
        if found is None:
            reason = f"no open pull request of {order.vtid} has the head {named.sha}"
            return Handed("noted", head_sha=named.sha, reason=reason)
        return await self._hand_in(order, found.url, found.head_sha, summary)

    async def _hand_in(self, order: OrderRecord, url: str, sha: str | None, summary: str) -> Handed:
        claim = ClaimedEvidence(url, sha, summary=summary[:8_000])
        await self._desk.evidence(order.order_id, self._desk.token_of(order), claim)
        return Handed("handed_in", url or None, sha)

    async def _keep_unread(self, order: OrderRecord, named: Named, summary: str) -> None:
        payload = {"pr_url": named.url or None, "named": named.to_data(), "summary": summary[:8_000]}
        await self._ledger.orders.keep_claim(
            order_id=order.order_id, vtid=order.vtid, run_id=order.run_id, attempt=order.attempt,
            worker=order.worker or "", kind="evidence", payload=payload, accepted=False, reason=UNREAD,
        )  # fmt: skip

    async def keep_late(self, task: TaskRecord, said: Said, named: Named) -> None:
        """Evidence of a caller without a live lease: refused, and kept for the run to look at."""
        last = await self._ledger.orders.list(vtid=task.vtid, limit=1)
        if not last:
            return  # nobody was ever asked to do anything
        order = last[0]
        await self._ledger.orders.keep_claim(
            order_id=order.order_id, vtid=order.vtid, run_id=order.run_id,
            attempt=said.number("attempt") or order.attempt, worker=said.worker or "", kind="evidence",
            payload={"pr_url": named.url or None, "head_sha": named.sha}, accepted=False, reason="LEASE_LOST",
        )  # fmt: skip

    # --- later

    async def run(self) -> None:
        """Look up evidence that was kept while GitHub was out of reach, until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await self.look_again()
            except (LedgerUnavailable, EngineUnavailable) as error:
                log.warning("unread_evidence.waits", reason=str(error))

    async def look_again(self) -> None:
        """One look at everything that is kept; only of leases that still live."""
        for claim in await self._ledger.orders.unread_evidence():
            order = await self._ledger.orders.get(claim.order_id)
            named = Named(**claim.payload["named"])
            try:
                handed = await self._read_and_hand_in(order, named, claim.payload.get("summary", ""))
            except OutsideError as error:
                log.info("unread_evidence.out_of_reach", vtid=order.vtid, reason=str(error))
                continue
            except (Problem, Refusal) as refused:
                await self._ledger.orders.refuse_unread(claim.id, refused.code)
                continue
            await self._ledger.orders.refuse_unread(claim.id, handed.reason or "read")

    def close(self) -> None:
        """Ask GitHub nothing more: the process ends."""
        if self._witness is not None:
            self._witness.close()
