"""A stream that also says when it has been silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")


async def with_pauses(items: AsyncIterator[Item], seconds: float | None) -> AsyncIterator[Item | None]:
    """Every item as it comes, and None after each silence of this many seconds. None: silence is not told."""
    coming: asyncio.Future[Item] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(items))
            # Not wait_for: that would break off the reading of the stream itself.
            done, _ = await asyncio.wait((coming,), timeout=seconds)
            if not done:
                yield None
                continue
            ready, coming = coming, None
            try:
                item = ready.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
