"""Sending a message to an address that a subscriber gave: resolved, checked, and then exactly that connection."""

import asyncio
import socket
import time
from datetime import UTC, datetime
from ipaddress import ip_address

import httpx

from vtid.adapters.errors import pause_asked_for, shortened
from vtid.domain.destinations import Destinations
from vtid.domain.notifications import TRY_SECONDS, Answer

MAX_EXCERPT = 1_000  # characters of an answer that are kept
_MAX_READ = 8 * 1024  # bytes of an answer that are read
_MOST_ADDRESSES = 3  # of one name


class HttpMessenger:
    """vtid.domain.ports.Messenger over HTTP. Close it at the end.

    The name is looked up once, and the connection goes to the very address that was checked: a name that
    means another address a moment later reaches nothing. No redirects, and no proxies of the environment.
    """

    def __init__(self, destinations: Destinations, *, timeout: float = TRY_SECONDS) -> None:
        self._destinations = destinations
        self._timeout = timeout
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout)

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """One try. Whatever happens is an answer."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                status, excerpt, answered = await self._post(url, headers, body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(None, _problem(error, self._timeout), seconds=time.monotonic() - began)
        problem = None if 200 <= status < 300 else f"answered {status}"
        wish = pause_asked_for(answered, datetime.now(UTC))
        return Answer(status, problem, excerpt, time.monotonic() - began, wish)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, str, httpx.Headers]:
        self._destinations.check_url(url)
        named = httpx.URL(url)
        *others, last = await self._addresses(named)
        for address in others:
            try:
                return await self._post_to(address, named, headers, body)
            except httpx.ConnectError:
                continue
        return await self._post_to(last, named, headers, body)

    async def _post_to(
        self, address: str, named: httpx.URL, headers: dict[str, str], body: bytes
    ) -> tuple[int, str, httpx.Headers]:
        request = self._client.build_request(
            "POST",
            named.copy_with(host=address),
            headers=headers | {"Host": named.netloc.decode("ascii"), "Accept-Encoding": "identity"},
            content=body,
            extensions={"sni_hostname": named.host},  # the certificate must be that of the name
        )
        answer = await self._client.send(request, stream=True)
        try:
            text = b""
            async for chunk in answer.aiter_raw():
                text += chunk
                if len(text) >= _MAX_READ:
                    break
            return answer.status_code, text.decode("utf-8", errors="replace")[:MAX_EXCERPT], answer.headers
        finally:
            await answer.aclose()

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Where to connect, in order. Every address of the name must be allowed, not just the first."""
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found)
        for each in addresses:
            self._destinations.check_address(ip_address(each))
        return list(addresses)[:_MOST_ADDRESSES]


def _problem(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {timeout:g} s"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    return shortened(f"{type(error).__name__}: {error}")
