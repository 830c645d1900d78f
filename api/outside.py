"""A question to GitHub or Cloud Run that somebody waits for: a deadline, and its errors as problems."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeVar

from api.problems import Problem
from vtid.domain.errors import Denied, OutsideError, Unavailable

LOOK_SECONDS = 20.0  # of all calls of one question; the client waits meanwhile

T = TypeVar("T")


async def asked(system: Literal["CLOUD_RUN", "GITHUB"], question: Callable[[], T], seconds: float) -> T:
    """The answer. Raises Problem `…_UNAVAILABLE` or `…_DENIED` of this system when it could not be asked."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(question)
    except TimeoutError:
        text = f"no answer within {seconds:g} s"
        raise Problem(f"{system}_UNAVAILABLE", text, status=503, retryable=True) from None
    except Denied as error:
        raise Problem(f"{system}_DENIED", str(error), status=502) from error
    except OutsideError as error:
        again = isinstance(error, Unavailable)
        raise Problem(f"{system}_UNAVAILABLE", str(error), status=503, retryable=again) from error
