"""The inbox of webhooks: kept and answered first, worked afterwards; each delivery once."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from api.metrics import Metrics
from api.problems import Problem
from api.webhooks.attribution import Attribution
from api.webhooks.heard import EVENTS, Heard, Malformed, read_webhook
from api.webhooks.nudges import Nudges
from api.webhooks.reruns import Reruns
from api.webhooks.signature import check_signature
from vtid.domain.environment import Environment
from vtid.domain.errors import OutsideError
from vtid.ledger import Ledger, LedgerUnavailable
from vtid.ledger.records import DeliveryRecord

MAX_BYTES = 1_000_000
KEEP_SECONDS = 0.8  # of the ledger: GitHub is answered within a second
_LOOK_SECONDS = 5.0  # between looks at what an earlier process left, or the code host refused
_MOST_TRIES = (
    11  # of a code host that cannot be asked, over an hour and a half; then the entry stays as failed
)
_AT_ONCE = 4  # questions to the code host
_KNOWN = frozenset({*EVENTS, "ping"})

log = structlog.get_logger()


@dataclass(frozen=True)
class Kept:
    """The answer to a delivery. state: `accepted`, `duplicate` or `ignored`."""

    delivery: str
    event: str
    state: str
    says: str


class Inbox:
    """Takes webhooks in, and works them in the background."""

    def __init__(
        self,
        ledger: Ledger,
        environments: dict[str, Environment],
        nudges: Nudges,
        reruns: Reruns,
        attribution: Attribution | None,
        metrics: Metrics,
        *,
        secrets: Sequence[str],
    ) -> None:
        self._ledger = ledger
        self._environments = environments
        self._nudges = nudges
        self._reruns = reruns
        self._attribution = attribution
        self._metrics = metrics
        self._secrets = secrets
        self._news = asyncio.Event()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def receive(self, body: bytes, *, signature: str | None, event: str, delivery: str) -> Kept:
        """Keep a delivery. Raises Problem UNAUTHENTICATED, VALIDATION or LEDGER_UNAVAILABLE; then nothing is done."""
        check_signature(body, signature, self._secrets)
        for header, value in (("X-GitHub-Event", event), ("X-GitHub-Delivery", delivery)):
            if not value or len(value) > 100:
                raise _wrong(f"{header}: expected a text of 1 to 100 characters")
        heard = self._read(event, body)
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                is_new = await self._ledger.deliveries.receive(
                    delivery,
                    event=event,
                    action=heard.action,
                    repository=heard.repository,
                    state="ignored" if heard.ignored else "received",
                    says=heard.ignored or "",
                    heard=asdict(heard),
                )
        except TimeoutError:
            raise Problem("LEDGER_UNAVAILABLE", "the ledger is slow; deliver it again") from None
        state = "duplicate" if not is_new else "ignored" if heard.ignored else "accepted"
        self._metrics.webhook(event if event in _KNOWN else "other", state)
        self._news.set()
        return Kept(delivery, event, state, heard.ignored or "")

    def _read(self, event: str, body: bytes) -> Heard:
        try:
            heard = read_webhook(event, json.loads(body))
        except Malformed as wrong:
            raise _wrong(str(wrong)) from wrong
        except (ValueError, RecursionError):
            raise _wrong("body: expected JSON; choose content type application/json on GitHub") from None
        declared = any(each.is_home_of(heard.repository or "") for each in self._environments.values())
        if heard.ignored or declared:
            return heard
        return Heard(
            event,
            heard.action,
            heard.repository,
            ignored=f"no environment declares {heard.repository}",
        )

    # --- afterwards

    async def run(self) -> None:
        """Work what comes in, until cancelled."""
        while True:
            self._news.clear()
            try:
                await self.begin()
            except LedgerUnavailable as error:
                log.warning("webhooks.wait", reason=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._news.wait()

    async def begin(self) -> None:
        """Begin everything that is due; a slow code host holds up no hint. Raises LedgerUnavailable."""
        now = datetime.now(UTC)
        for record in await self._ledger.deliveries.unworked():
            if record.delivery_id not in self._working and now >= _due(record):
                task = asyncio.create_task(self._work(record), name=f"webhook {record.delivery_id}")
                self._working[record.delivery_id] = task

    async def settle(self) -> None:
        """Begin everything that is due, and wait for its end. Raises LedgerUnavailable."""
        await self.begin()
        await asyncio.gather(*self._working.values())

    async def _work(self, record: DeliveryRecord) -> None:
        try:
            state, says = await self._outcome(record)
            await self._ledger.deliveries.worked(record.delivery_id, state, says[:2_000])
        except LedgerUnavailable as error:
            log.warning("webhook.waits", delivery=record.delivery_id, reason=str(error))
        finally:
            self._working.pop(record.delivery_id, None)

    async def _outcome(self, record: DeliveryRecord) -> tuple[str, str]:
        """(state, sentence), also for an error of ours. Raises LedgerUnavailable."""
        try:
            return await self._hear(record)
        except LedgerUnavailable:
            raise
        except Exception:
            # One delivery that cannot be dealt with must not stop the others; it is seen in the list and the log.
            self._metrics.webhook(record.event, "crashed")
            log.exception("webhook.failed", delivery=record.delivery_id)
            return "failed", "an error of ours; see the log"

    async def _hear(self, record: DeliveryRecord) -> tuple[str, str]:
        """(state, sentence)"""
        heard = _heard_of(record.heard)
        says = await self._first_heard(heard) if record.tries == 0 else "looked again"
        if self._attribution is None or not self._attribution.concerns(heard):
            return "done", says
        try:
            async with self._gate:
                return "done", f"{says}; {await self._attribution.look(heard)}"
        except OutsideError as error:
            state = "received" if record.tries + 1 < _MOST_TRIES else "failed"
            return state, f"{says}; whose change it is could not be asked: {error}"

    async def _first_heard(self, heard: Heard) -> str:
        says = await self._hint(heard)
        return f"{says}; {await self._reruns.press(heard)}" if self._reruns.concerns(heard) else says

    async def _hint(self, heard: Heard) -> str:
        hint = heard.hint
        looking = await self._nudges.give(hint) if hint else []
        return f"{', '.join(looking)} looks" if looking else "no run waits for it"

    def close(self) -> None:
        """Do nothing more: the process ends. What is left is worked by the next one."""
        self._nudges.close()
        for task in self._working.values():
            task.cancel()


def _due(record: DeliveryRecord) -> datetime:
    """When it is to be tried next: at once, then after pauses that double."""
    return record.received_at + timedelta(seconds=_LOOK_SECONDS * (2**record.tries - 1))


def _heard_of(data: dict[str, Any]) -> Heard:
    return Heard(**data | {"pushed": tuple(data["pushed"])})


def _wrong(detail: str) -> Problem:
    field, _, message = detail.partition(": ")
    return Problem("VALIDATION", detail, errors=({"field": field, "message": message},))
