"""The loop that tells the outside: makes deliveries from the log, signs each, sends it, keeps what came back.

Everything it knows stands in the ledger. So it may die at any moment, and several processes may run it at once.
"""

import asyncio
import base64
import hashlib
import hmac
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import structlog
from standardwebhooks import Webhook

from api.metrics import Metrics
from vtid.domain.notifications import OLD_SECRET_FOR, Answer
from vtid.domain.ports import Messenger
from vtid.ledger import Ledger, LedgerUnavailable, Unknown
from vtid.ledger.records import DueDelivery, SubscriptionRecord

_PREFIX = "whsec_"
_HOLD = timedelta(seconds=30)  # longer than a try; a sender that died is replaced after it
_UNDER_WAY, _OF_ONE = 20, 4  # tries at a time, and of one subscription, so that a slow one delays no other
_PRUNE_EVERY = timedelta(hours=1)
_USER_AGENT = "vtid-notifications/1"

log = structlog.get_logger()


class Secrets:
    """The secrets of subscriptions, derived from our signing key: none of them is kept anywhere."""

    def __init__(self, signing_key: str) -> None:
        self._key = signing_key.encode()

    def of(self, subscription_id: str, generation: int) -> str:
        """The secret in the form that receivers are given."""
        text = f"notification:{subscription_id}:{generation}"
        derived = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return _PREFIX + base64.b64encode(derived).decode()

    def fingerprint(self, subscription_id: str, generation: int) -> str:
        """Tells one secret from another, and nothing about either."""
        return hashlib.sha256(self.of(subscription_id, generation).encode()).hexdigest()[:16]

    def signatures(self, subscription: SubscriptionRecord, message_id: str, at: datetime, body: str) -> str:
        """By the present secret, and for a day also by the one before it."""
        generations = [subscription.generation]
        if subscription.generation > 1 and at - subscription.rotated_at < OLD_SECRET_FOR:
            generations.append(subscription.generation - 1)
        signers = (Webhook(self.of(subscription.id, each)) for each in generations)
        return " ".join(signer.sign(message_id, at, body) for signer in signers)


class Notifier:
    """Tells subscribers until it is cancelled."""

    def __init__(
        self,
        ledger: Ledger,
        messenger: Messenger | None,
        secrets: Secrets,
        metrics: Metrics,
        *,
        page_url: str = "",
        period_seconds: float = 5.0,
    ) -> None:
        self._ledger = ledger
        self._messenger = messenger
        self._secrets = secrets
        self._metrics = metrics
        self._page_url = page_url.rstrip("/")
        self._period_seconds = period_seconds
        self._hurry = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], str] = {}  # the subscription of each try
        self._pruned_at = datetime.min.replace(tzinfo=UTC)

    def hurry(self) -> None:
        """Look at once: something happened, or somebody wants it now."""
        self._hurry.set()

    async def run(self) -> None:
        """One look after the other. A ledger out of reach is waited for; a fault of ours is logged and counted."""
        try:
            while True:
                self._hurry.clear()
                try:
                    await self.turn()
                except LedgerUnavailable as error:
                    log.warning("notifier.waits", reason=str(error))
                except Exception:
                    # Nobody would be told of anything without this loop: no single turn may end it.
                    self._metrics.notifier_failed()
                    log.exception("notifier.turn_failed")
                await self._rest()
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def turn(self) -> None:
        """Make what new events ask for, and begin every try that is due. Raises LedgerUnavailable."""
        await self._ledger.outbox.collect(self._page_url)
        if datetime.now(UTC) - self._pruned_at > _PRUNE_EVERY:
            await self._ledger.outbox.prune()
            self._pruned_at = datetime.now(UTC)
        if self._messenger is None:
            return
        while (free := _UNDER_WAY - len(self._under_way)) > 0:
            busy = [each for each, tries in Counter(self._under_way.values()).items() if tries >= _OF_ONE]
            taken = await self._ledger.outbox.take(min(free, _OF_ONE), _HOLD, busy)
            if not taken:
                return
            for due in taken:
                task = asyncio.create_task(self._deliver(self._messenger, due), name=due.delivery.id)
                self._under_way[task] = due.subscription.id
                task.add_done_callback(self._done)

    async def idle(self) -> None:
        """Until no try is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._hurry.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The try comes again when its hold ends, so a fault here loses nothing; it must be seen.
            if not isinstance(error, LedgerUnavailable):
                self._metrics.notifier_failed()
            log.error("notifier.try_failed", delivery=task.get_name(), exc_info=error)

    async def _deliver(self, messenger: Messenger, due: DueDelivery) -> None:
        subscription, delivery = due.subscription, due.delivery
        if self._secrets.fingerprint(subscription.id, subscription.generation) != subscription.fingerprint:
            reason = "our signing key changed, so its secret did: rotate the secret, give it to the receiver"
            try:
                await self._ledger.subscriptions.disable(subscription.id, reason)
            except Unknown:
                return  # removed meanwhile, and with it what was pending
            return
        answer = await messenger.send(subscription.url, self._headers(due), delivery.body.encode())
        await self._tried(delivery.id, answer)

    async def _tried(self, delivery_id: str, answer: Answer) -> None:
        kept = await self._ledger.outbox.tried(delivery_id, answer, spread=random.random())  # noqa: S311
        if kept is not None:
            self._metrics.notified(kept.state)

    def _headers(self, due: DueDelivery) -> dict[str, str]:
        now, delivery = datetime.now(UTC), due.delivery
        return {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._secrets.signatures(due.subscription, delivery.id, now, delivery.body),
        }

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._period_seconds):
                await self._hurry.wait()
        except TimeoutError:
            return
