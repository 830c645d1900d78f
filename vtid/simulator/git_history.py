"""A history that is a real bare git repository: what is pushed there is there, and a merge makes a real commit."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vtid.simulator.history import Commit, History, Tree

_ONE_CALL_S = 30.0
_FORMAT = "%H%n%P%n%ct%n%an%n%B"
_NOBODY = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


class NoGit(Exception):
    """The directory cannot be used; the text says why."""


class GitHistory(History):
    """The same as History, read from and written to a bare repository; it is made when it is not there.

    Texts that are not UTF-8 travel as surrogate escapes, so that they are written back byte for byte.
    """

    def __init__(self, name: str, directory: Path, default_branch: str) -> None:
        super().__init__(name)
        self.directory = directory
        self._entries: dict[tuple[str, str], tuple[str, str]] = {}  # (path, text) -> (mode, blob)
        self._texts: dict[str, str] = {}  # blob -> text
        self._refs = _Branches(self)
        self.branches = self._refs
        if not directory.exists():
            _run("init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(directory))
        if not (directory / "HEAD").is_file() or not (directory / "objects").is_dir():
            raise NoGit(f"{directory} is no bare git repository")
        self.look()

    def look(self) -> dict[str, str]:
        """Read what was pushed since the last look. Returns the branches that moved, with where they stood."""
        lines = self.git(
            "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"
        ).splitlines()
        there = {name: sha for sha, _, name in (line.partition(" ") for line in lines)}
        moved = {
            name: self.branches.get(name, "") for name, sha in there.items() if self.branches.get(name) != sha
        }
        for name in moved:
            self._read(there[name])
        self._refs.hold(there)
        return moved

    def commit(self, message: str, tree: Tree, parents: tuple[str, ...], at: float) -> Commit:
        written = self._write_tree(tree, parents[0] if parents else None)
        arguments = [each for parent in parents for each in ("-p", parent)]
        moment = f"{int(at)} +0000"
        people = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (
                ("NAME", "claude-worker"),
                ("EMAIL", "claude-worker@example.invalid"),
                ("DATE", moment),
            )
        }
        sha = self.git("commit-tree", written, *arguments, typed=message.encode(), env=people).strip()
        made = Commit(sha, parents, message, dict(tree), at, git_tree=written)
        self.commits[sha] = made
        return made

    def git(self, *arguments: str, typed: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """What git prints. Raises NoGit with git's own words."""
        return _run("--git-dir", str(self.directory), *arguments, typed=typed, env=env)

    # ---------------------------------------------------------------- reading

    def _read(self, tip: str) -> None:
        """Every commit up to this one that is not known yet, oldest first."""
        known = [f"^{sha}" for sha in self.branches.values() if sha in self.commits]
        for sha in self.git("rev-list", "--reverse", "--topo-order", tip, *known).split():
            if sha not in self.commits:
                self.commits[sha] = self._read_commit(sha)

    def _read_commit(self, sha: str) -> Commit:
        head, parents, at, author, message = self.git("log", "-1", f"--format={_FORMAT}", sha).split("\n", 4)
        tree = self.git("rev-parse", f"{sha}^{{tree}}").strip()
        return Commit(
            head,
            tuple(parents.split()),
            message.strip("\n"),
            self._read_tree(sha),
            float(at),
            author,
            git_tree=tree,
        )

    def _read_tree(self, sha: str) -> Tree:
        tree: Tree = {}
        for line in filter(None, self.git("ls-tree", "-r", "-z", sha).split("\0")):
            about, _, path = line.partition("\t")
            mode, kind, blob = about.split()
            if kind != "blob":  # a submodule names a commit of another repository
                continue
            if blob not in self._texts:
                self._texts[blob] = self.git("cat-file", "blob", blob)
            tree[path] = self._texts[blob]
            self._entries[path, tree[path]] = (mode, blob)
        return tree

    # ---------------------------------------------------------------- writing

    def _write_tree(self, tree: Tree, onto: str | None) -> str:
        before = self.commits[onto].tree if onto else {}
        lines = [f"0 {'0' * 40}\t{path}" for path in before if path not in tree]
        lines += [self._entry(path, text) for path, text in tree.items() if before.get(path) != text]
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if onto:
                self.git("read-tree", onto, env=index)
            listed = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
            self.git("update-index", "-z", "--index-info", typed=listed, env=index)
            return self.git("write-tree", env=index).strip()

    def _entry(self, path: str, text: str) -> str:
        if (path, text) not in self._entries:
            typed = text.encode("utf-8", "surrogateescape")
            self._entries[path, text] = (
                "100644",
                self.git("hash-object", "-w", "--stdin", typed=typed).strip(),
            )
        mode, blob = self._entries[path, text]
        return f"{mode} {blob}\t{path}"


class _Branches(dict[str, str]):
    """Branch -> commit; setting one moves it in the repository."""

    def __init__(self, history: GitHistory) -> None:
        super().__init__()
        self._history = history

    def __setitem__(self, name: str, sha: str) -> None:
        self._history.git("update-ref", f"refs/heads/{name}", sha)
        super().__setitem__(name, sha)

    def setdefault(self, name: str, sha: str = "") -> str:
        if name not in self:
            self[name] = sha
        return self[name]

    def hold(self, there: dict[str, str]) -> None:
        """Know exactly these, which the repository has already."""
        self.clear()
        super().update(there)


def _run(*arguments: str, typed: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git, with arguments of ours
            ["git", *arguments],  # noqa: S607
            input=typed,
            capture_output=True,
            timeout=_ONE_CALL_S,
            env={**os.environ, **_NOBODY, **(env or {})},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoGit(f"git cannot be run: {error}") from error
    if done.returncode != 0:
        raise NoGit(done.stderr.decode(errors="replace").strip()[:500])
    return done.stdout.decode("utf-8", "surrogateescape")
