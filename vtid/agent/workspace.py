"""One order's files: a git worktree on the order's branch, beside it what the command is told and tells."""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vtid.agent.git import Git, GitFailed
from vtid.agent.order import Order
from vtid.agent.places import Places

_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "vtid-agent"), ("EMAIL", "vtid-agent@localhost"))
}


@dataclass(frozen=True)
class Source:
    """Where repositories come from: a local clone whose `origin` is pushed to, or an address with {repository} in it."""

    repository_dir: Path | None
    remote: str | None


class Workspace:
    """The worktree of one order."""

    def __init__(self, order: Order, source: Source, places: Places, git: Git) -> None:
        self._order, self._source, self._places, self._git = order, source, places, git
        self.home = places.mine / quote(f"{order.order_id}-{order.attempt}", safe="")
        self.tree = self.home / "tree"
        self.progress, self.summary = self.home / "progress", self.home / "summary.md"
        self.findings, self.output = self.home / "findings.json", self.home / "output.log"
        self._who: dict[str, str] = {}

    async def prepare(self) -> None:
        """Fetch, and check the branch out: from its base, or as it stands when it is to be mended. Raises GitFailed."""
        self.home.mkdir(parents=True, exist_ok=True)
        for file in (self.progress, self.summary):
            file.touch()
        findings = json.dumps(self._order.findings, ensure_ascii=False, indent=2)
        self.findings.write_text(findings, encoding="utf-8")
        branch, base = self._order.branch, self._order.base
        start = branch if self._order.mends else base
        async with self._places.alone(self._repository):
            await self._fetch()
            await self._in_repository("worktree", "prune")
            await self._in_repository(
                "worktree", "add", "--quiet", "--force", "-B", branch, str(self.tree), f"refs/remotes/origin/{start}"
            )  # fmt: skip
        with suppress(GitFailed):
            await self._here("config", "user.email")
            return
        self._who = _NOBODY  # nobody has told git who works here

    @property
    def identity(self) -> dict[str, str]:
        """Who commits, where git is not told by its own configuration."""
        return self._who

    async def commit_rest(self, message: str) -> None:
        """Commit what the command left uncommitted; nothing when it left nothing. Raises GitFailed."""
        await self._here("add", "--all")
        if await self._here("status", "--porcelain"):
            await self._here("commit", "--quiet", "--no-verify", "-m", message, env=self._who)

    async def head(self) -> str:
        return await self._here("rev-parse", "HEAD")

    async def changed(self) -> list[str]:
        """The files that the branch changes against its base. Raises GitFailed."""
        listed = await self._here(
            "diff", "--name-only", "-z", f"refs/remotes/origin/{self._order.base}...HEAD"
        )
        return [each for each in listed.split("\0") if each]

    async def is_new(self) -> bool:
        """Whether there is anything that the branch on the remote does not have."""
        start = self._order.branch if self._order.mends else self._order.base
        return bool(await self._here("rev-list", "--max-count=1", f"refs/remotes/origin/{start}..HEAD"))

    async def push(self) -> None:
        """Put HEAD on the order's branch, whatever branch the command has left checked out. Raises GitFailed."""
        await self._here("push", "--quiet", "origin", f"HEAD:refs/heads/{self._order.branch}")

    async def remove(self) -> None:
        """Leave nothing: no worktree, no local branch, no file. Raises GitFailed."""
        if self._repository.exists():
            async with self._places.alone(self._repository):
                shutil.rmtree(self.tree, ignore_errors=True)
                await self._in_repository("worktree", "prune")
                with suppress(GitFailed):  # never made, or made under another name
                    await self._in_repository("branch", "--quiet", "-D", self._order.branch)
        shutil.rmtree(self.home, ignore_errors=True)

    # ---------------------------------------------------------------- below

    @property
    def _repository(self) -> Path:
        if self._source.repository_dir is not None:
            return self._source.repository_dir
        return self._places.work_dir / "repositories" / f"{self._order.repository.replace('/', '__')}.git"

    async def _fetch(self) -> None:
        if self._source.repository_dir is None and not (self._repository / "HEAD").exists():
            remote = (self._source.remote or "").format(repository=self._order.repository)
            self._repository.mkdir(parents=True, exist_ok=True)
            await self._in_repository("init", "--quiet", "--bare")
            await self._in_repository("config", "remote.origin.url", remote)
        spec = "+refs/heads/*:refs/remotes/origin/*"
        await self._in_repository("fetch", "--quiet", "--prune", "--no-tags", "origin", spec)

    async def _in_repository(self, *arguments: str) -> str:
        return await self._git(*arguments, cwd=self._repository)

    async def _here(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        return await self._git(*arguments, cwd=self.tree, env=env)


async def sweep(git: Git, home: Path) -> None:
    """Remove what a dead agent left of an order: worktree, local branch, files. Raises GitFailed."""
    tree, repository, branch = home / "tree", None, ""
    # Only a worktree has a file of this name; without one git would answer for a repository further up.
    if (tree / ".git").is_file():
        with suppress(GitFailed):
            repository = Path(await git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=tree))
            branch = await git("rev-parse", "--abbrev-ref", "HEAD", cwd=tree)
    shutil.rmtree(home, ignore_errors=True)
    if repository is not None and repository.exists():
        await git("worktree", "prune", cwd=repository)
        with suppress(GitFailed):
            await git("branch", "--quiet", "-D", branch, cwd=repository)
