"""Steps on the code host: evidence, facts, checks, merge. They block, so they run in threads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.polling import another_look, is_last_look, not_ready
from vtid.domain.change import Check, Checks, CheckState, MergeAnswer, MergeKind, PullRequest, QueueExit
from vtid.domain.checks import checks_state
from vtid.domain.commands.pull_requests import (
    AwaitChecks,
    AwaitMerge,
    AwaitQueue,
    CheckedChange,
    CheckLog,
    FindEvidence,
    FindMergedChange,
    GatherFacts,
    LeaveQueue,
    MergePullRequest,
    ReadLogs,
)
from vtid.domain.environment import Environment
from vtid.domain.errors import OutsideError, Refused, Unavailable
from vtid.domain.evidence import (
    ClaimedEvidence,
    EvidenceSearch,
    InvalidEvidence,
    parse_pull_url,
    refuse_claim,
)
from vtid.domain.merged_before import MergedBefore, merged_before
from vtid.domain.merging import ended_by_reading
from vtid.domain.ports import CodeHost
from vtid.domain.verdict import Facts


class PullRequests:
    """All reads but two; merge_pull_request and leave_queue read before they write."""

    def __init__(self, code_host: CodeHost) -> None:
        self._code_host = code_host

    @activity.defn
    def find_merged_change(self, command: FindMergedChange) -> MergedBefore:
        """The merged pull request of this VTID that is the run's work already, if there is one."""
        pulls = self._code_host.find_pull_requests(
            command.repository, command.vtid, command.environment, command.since
        )
        # By branch alone: a title may only cite the VTID, as a revert of its change does.
        ours = (
            p for p in pulls if command.environment.is_branch_of(command.vtid, p.branch) and not p.from_fork
        )
        return merged_before(ours, pulls, command.spec_hash, command.approvals)

    @activity.defn
    def find_evidence(self, command: FindEvidence) -> EvidenceSearch:
        """What the code host shows for the claim, or by branch convention. Not there yet: looked at again."""
        if command.claimed is not None:
            search = self._look_at(command.claimed, command)
        else:
            search = self._look_around(command)
        if search.pull_request is None and another_look(command.looks):
            raise not_ready(search.refused or f"no pull request of {command.vtid} yet")
        return search

    def _look_at(self, claim: ClaimedEvidence, command: FindEvidence) -> EvidenceSearch:
        try:
            repository, number = parse_pull_url(claim.pr_url)
        except InvalidEvidence as wrong:
            return EvidenceSearch(refused=str(wrong))
        if repository.casefold() != command.repository.casefold():
            return EvidenceSearch(refused=f"the pull request is in {repository}, not in {command.repository}")
        pull = self._code_host.pull_request(command.repository, number)
        refused = refuse_claim(claim, pull, command.repository, adopted=command.adopted)
        return EvidenceSearch(refused=refused) if refused else EvidenceSearch(pull)

    def _look_around(self, command: FindEvidence) -> EvidenceSearch:
        for url in command.named:
            named = self._look_at(ClaimedEvidence(pr_url=url), command)
            if named.pull_request is not None and named.pull_request.head_sha != command.mends:
                return named
        if command.mends is not None:
            return EvidenceSearch()  # what is mended is that very pull request: no other one is looked for
        pulls = self._code_host.find_pull_requests(
            command.repository, command.vtid, command.environment, command.since
        )
        belongs = (pull for pull in pulls if command.environment.is_branch_of(command.vtid, pull.branch))
        return EvidenceSearch(next((p for p in belongs if p.is_open and not p.from_fork), None))

    @activity.defn
    def gather_facts(self, command: GatherFacts) -> Facts:
        """Everything that the rules look at on the code host, read once."""
        facts = facts_of(self._code_host, command)
        if facts.pull_request is None and another_look(command.looks):
            raise not_ready(f"{command.repository} has no pull request {command.number} yet")
        return facts

    @activity.defn
    def read_logs(self, command: ReadLogs) -> list[CheckLog]:
        """What red checks say. A log that cannot be read is told as such: it keeps nobody from mending."""
        return [self._log(command, check) for check in command.checks]

    def _log(self, command: ReadLogs, check: Check) -> CheckLog:
        try:
            return CheckLog(check.name, self._code_host.check_log(command.repository, check))
        except Unavailable as cause:
            if another_look(command.looks):
                raise
            return CheckLog(check.name, problem=str(cause))
        except Refused as cause:
            return CheckLog(check.name, problem=str(cause))

    @activity.defn
    def await_checks(self, command: AwaitChecks) -> CheckedChange:
        """Look once. Red is a result; still running is "not ready yet"; the last look returns what it sees."""
        pull = self._code_host.pull_request(command.repository, command.number)
        if pull is None:
            raise not_ready(f"pull request {command.number} cannot be seen")
        checks = _checks(self._code_host, command.repository, command.sha, command.environment, pull)
        state = checks_state(checks.runs, checks.required, command.environment.checks.allow_skipped)
        running = [run.name for run in checks.runs if run.state is CheckState.PENDING]
        waited = datetime.now(UTC) - command.since
        never_came = (
            state is CheckState.PENDING
            and not running
            and waited > timedelta(seconds=command.missing_after_seconds)
        )
        undecided = state is CheckState.PENDING or (pull.mergeable is None and not pull.merged)
        decided = state is CheckState.RED or never_came or not undecided or pull.head_sha != command.sha
        if decided or is_last_look():
            return CheckedChange(pull, checks)
        raise not_ready(f"checks still run: {', '.join(running) or 'none registered yet'}")

    @activity.defn
    def merge_pull_request(self, command: MergePullRequest) -> MergeAnswer:
        """Say what the verdict is, then merge exactly this head. Safe to repeat: a merged change stays merged."""
        untold = self._tell_verdict(command)
        return replace(self._code_host.merge(command), untold=untold)

    def _tell_verdict(self, command: MergePullRequest) -> str:
        """Why the verdict could not be written on the head, or nothing.

        Before the merge, since a branch may require it; but no merge fails because of it: GitHub decides.
        """
        if command.notice is None:
            return ""
        try:
            self._code_host.write_check(command.repository, command.head_sha, command.notice)
        except OutsideError as error:
            return str(error)
        return ""

    @activity.defn
    def await_merge(self, command: AwaitMerge) -> MergeAnswer:
        """Look once whether a person has merged this head. A head that moved goes back to validation."""
        pull = self._code_host.pull_request(command.repository, command.number)
        answer = ended_by_reading(pull, command.head_sha, command.base, merged_before=True)
        if answer is not None:
            return answer
        if is_last_look():
            return MergeAnswer(MergeKind.REFUSED, "nobody merged it in time, and automerge is off")
        raise not_ready(f"pull request {command.number} is not merged yet")

    @activity.defn
    def await_queue(self, command: AwaitQueue) -> MergeAnswer:
        """Look once whether the queue has merged this head. Dropped by it: with the checks of its group."""
        # The queue first: what has left it by now is merged, or is not, when the pull request is read.
        seen = self._code_host.queue_place(command.repository, command.number)
        pull = self._code_host.pull_request(command.repository, command.number)
        answer = ended_by_reading(pull, command.head_sha, command.base, merged_before=False)
        if answer is not None:
            return answer
        entry, left = seen.entry, seen.exit
        if entry is None and left is not None and left.at >= command.entered_at and not left.merged:
            return self._dropped(command, left)
        where = (
            f"at position {entry.position} of the merge queue ({entry.state})"
            if entry
            else "not in the merge queue"
        )
        if not is_last_look():
            raise not_ready(f"{command.head_sha[:12]} is {where}, and not merged yet")
        if entry is None:
            return MergeAnswer(MergeKind.DROPPED, "it is out of the merge queue, and GitHub does not say why")
        text = f"it is still {where}, which may merge it yet: a retry waits on, any other end takes it out"
        return MergeAnswer(MergeKind.REFUSED, text)

    def _dropped(self, command: AwaitQueue, left: QueueExit) -> MergeAnswer:
        text = (
            f"the merge queue dropped {command.head_sha[:12]}: {left.reason}{self._group_says(command, left)}"
        )
        kind = MergeKind.CONFLICT if "conflict" in left.reason.casefold() else MergeKind.DROPPED
        return MergeAnswer(kind, text, head_sha=command.head_sha)

    def _group_says(self, command: AwaitQueue, left: QueueExit) -> str:
        """What the checks of the group say that speaks against it. Nothing where no group was built."""
        if left.group is None:
            return ""
        where = f"of its group {left.group[:12]}"
        try:
            required = self._code_host.required_checks(command.repository, command.base)
            checks = Checks(left.group, self._code_host.checks(command.repository, left.group), required)
        except Refused as cause:
            return f"; the checks {where} could not be read: {cause}"
        said = [f"{run.name} {run.conclusion}" for run in checks.runs if run.state is CheckState.RED]
        if checks.missing:
            names = ", ".join(checks.missing)
            said.append(f"{names} never came: its workflow needs the trigger merge_group (vtid doctor looks)")
        return f"; {where}: {'; '.join(said)}" if said else ""

    @activity.defn
    def leave_queue(self, command: LeaveQueue) -> MergeAnswer:
        """Take it out of the merge queue. Safe to repeat; a merge that came first is told."""
        return self._code_host.leave_queue(command.repository, command.number)


def facts_of(code_host: CodeHost, command: GatherFacts) -> Facts:
    """What the code host shows of a pull request now. Outside a run, too: it only reads."""
    pull = code_host.pull_request(command.repository, command.number)
    files = code_host.changed_files(command.repository, command.number) if pull else None
    sha = command.sha or (pull.head_sha if pull else "")
    checks = _checks(code_host, command.repository, sha, command.environment, pull) if pull else None
    others = code_host.find_pull_requests(command.repository, command.vtid, command.environment)
    further = [other for other in others if other.is_open and other.number != command.number]
    late = [other for other in further if other.branch in command.lost_branches and not other.from_fork]
    return Facts(
        task=None,
        pull_request=pull,
        files=files,
        checks=checks,
        other_open=tuple(other.url for other in further if other not in late),
        superseded=tuple(other.url for other in late),
    )


def _checks(
    code_host: CodeHost, repository: str, sha: str, environment: Environment, pull: PullRequest
) -> Checks:
    required = environment.checks.required_beside(code_host.required_checks(repository, pull.base))
    return Checks(sha, code_host.checks(repository, sha), required)
