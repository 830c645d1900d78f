"""Calling git: bounded in time, never asking anybody, its errors in its own words."""

import asyncio
import base64
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

_ONE_CALL_SECONDS = 600.0  # a first fetch of a large repository takes its time


class GitFailed(Exception):
    """What git said."""


class Git:
    """git with an environment. token: for https remotes; it stands in no command line and no configuration file."""

    def __init__(self, remote: str | None, token: str | None) -> None:
        self.env: dict[str, str] = {"GIT_TERMINAL_PROMPT": "0"}
        parts = urlsplit(remote or "")
        if parts.scheme == "https" and token:
            said = base64.b64encode(f"x-access-token:{token}".encode()).decode()
            self.env |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.https://{parts.netloc}/.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {said}",
            }

    async def __call__(self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
        """What git prints, without the line's end. Raises GitFailed."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=cwd,
            env={**os.environ, **self.env, **(env or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is for the agent, which decides the order
        )
        try:
            async with asyncio.timeout(_ONE_CALL_SECONDS):
                out, err = await process.communicate()
        except BaseException as error:
            if process.returncode is None:
                process.kill()
            if isinstance(error, TimeoutError):
                raise GitFailed(f"git {arguments[0]} took longer than {_ONE_CALL_SECONDS:g} s") from error
            raise
        if process.returncode != 0:
            raise GitFailed(f"git {arguments[0]}: {err.decode(errors='replace').strip()[-2_000:]}")
        return out.decode("utf-8", "surrogateescape").removesuffix("\n")
