"""Commits with parents and branches: enough of git to merge, to compare and to see a conflict."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Tree = dict[str, str]


@dataclass(frozen=True)
class Commit:
    sha: str
    parents: tuple[str, ...]
    message: str
    tree: Mapping[str, str]
    at: float
    author: str = "claude-worker"
    git_tree: str = ""
    """The real one, where the history is a git repository."""

    @property
    def tree_sha(self) -> str:
        return (
            self.git_tree
            or hashlib.sha1(repr(sorted(self.tree.items())).encode(), usedforsecurity=False).hexdigest()
        )


@dataclass(frozen=True)
class FileChange:
    path: str
    status: str
    additions: int
    deletions: int
    patch: str
    blob: str


@dataclass
class History:
    name: str
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, message: str, tree: Tree, parents: tuple[str, ...], at: float) -> Commit:
        # The count keeps two equal commits apart, as different times would.
        seed = f"{self.name}|{parents}|{message}|{sorted(tree.items())}|{len(self.commits)}|{at}"
        sha = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
        made = Commit(sha, parents, message, tree, at)
        self.commits[sha] = made
        return made

    def commit_on(self, branch: str, message: str, files: Mapping[str, str | None], at: float) -> Commit:
        """A commit on top of the branch; a file whose content is None is removed."""
        head = self.commits[self.branches[branch]]
        tree = applied(head.tree, files)
        made = self.commit(message, tree, (head.sha,), at)
        self.branches[branch] = made.sha
        return made

    def find(self, ref: str) -> Commit | None:
        """By branch, full ref, or SHA (7 characters or more)."""
        for prefix in ("refs/heads/", "heads/", ""):
            name = ref.removeprefix(prefix)
            if name in self.branches:
                return self.commits[self.branches[name]]
        if ref in self.commits:
            return self.commits[ref]
        hits = [sha for sha in self.commits if len(ref) >= 7 and sha.startswith(ref)]
        return self.commits[hits[0]] if len(hits) == 1 else None

    def ancestors(self, sha: str) -> Iterator[str]:
        """The commit itself, then what it stands on, each once, newest first."""
        seen: set[str] = set()
        waiting = [sha]
        while waiting:
            current = waiting.pop(0)
            if current not in seen and current in self.commits:
                seen.add(current)
                yield current
                waiting.extend(self.commits[current].parents)

    def merge_base(self, one: str, other: str) -> str:
        reachable = set(self.ancestors(other))
        return next((sha for sha in self.ancestors(one) if sha in reachable), one)

    def only_in(self, sha: str, without: str) -> list[Commit]:
        """Commits that `sha` has and `without` has not, oldest first."""
        known = set(self.ancestors(without))
        return [self.commits[it] for it in self.ancestors(sha) if it not in known][::-1]

    def diff(self, base: str, head: str) -> list[FileChange]:
        return list(changes(self.commits[base].tree, self.commits[head].tree))

    def conflicts(self, base: str, head: str) -> list[str]:
        """Files that both sides changed since they parted, differently."""
        common = self.commits[self.merge_base(base, head)].tree
        ours, theirs = self.commits[base].tree, self.commits[head].tree
        return [
            path
            for path in sorted({*ours, *theirs, *common})
            if common.get(path) != ours.get(path) != theirs.get(path) != common.get(path)
        ]

    def merged_tree(self, base: str, head: str) -> Tree:
        common = self.commits[self.merge_base(base, head)].tree
        theirs = self.commits[head].tree
        touched = {it: theirs.get(it) for it in {*theirs, *common} if theirs.get(it) != common.get(it)}
        return applied(self.commits[base].tree, touched)


def applied(tree: Mapping[str, str], files: Mapping[str, str | None]) -> Tree:
    wanted = {**tree, **files}
    return {path: content for path, content in wanted.items() if content is not None}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[FileChange]:
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        status = "added" if before is None else "removed" if after is None else "modified"
        blob = blob_sha(after if after is not None else before or "")
        if is_binary(before) or is_binary(after):
            yield FileChange(path, status, 0, 0, "", blob)  # GitHub shows no patch of one either
            continue
        hunks = list(
            difflib.unified_diff((before or "").splitlines(), (after or "").splitlines(), lineterm="")
        )[2:]
        added = sum(line.startswith("+") for line in hunks)
        removed = sum(line.startswith("-") for line in hunks)
        yield FileChange(path, status, added, removed, "\n".join(hunks), blob)


def blob_sha(text: str) -> str:
    """The name that git gives to a file of this content."""
    content = text.encode("utf-8", "surrogateescape")
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_binary(text: str | None) -> bool:
    """Whether no diff of lines can show it: it has a NUL, or bytes that are no UTF-8."""
    return text is not None and ("\0" in text or any("\ud800" <= each <= "\udfff" for each in text))
