"""The spec of a task: put, validated, approved. Every approval is bound to the hash of one exact text."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vtid.domain.task import SpecFindings, SpecState, TaskStatus, check_transition, examine_spec, spec_hash
from vtid.ledger.errors import Refusal
from vtid.ledger.event_log import tell
from vtid.ledger.models import Spec, Task


async def put(
    session: AsyncSession, task: Task, markdown: str, by: str, *, run_is_open: bool = False
) -> None:
    """Make this text the current version, unless it is already."""
    if task.status == TaskStatus.COMPLETED:
        raise Refusal("TASK_COMPLETED", f"{task.vtid} is completed, which is final")
    current = await current_spec(session, task)
    digest = _hash(markdown)
    if current is not None and current.hash == digest:
        return
    versions = select(func.max(Spec.version)).where(Spec.vtid == task.vtid)
    version = (await session.scalar(versions) or 0) + 1
    now = datetime.now(UTC)
    session.add(
        Spec(
            vtid=task.vtid, version=version, hash=digest, state=SpecState.DRAFT, markdown=markdown,
            author=by, warnings=[], created_at=now,
        )
    )  # fmt: skip
    task.spec_version, task.updated_at = version, now
    if version > 1:  # the first text belongs to the creation
        task.version += 1
    void = current is not None and current.state == SpecState.APPROVED
    if task.status == TaskStatus.SCHEDULED and not run_is_open:
        _move(task, TaskStatus.ALLOCATED)
    await session.flush()
    await tell(session, "spec.put", task.vtid, by=by, version=version, hash=digest)
    if void and current is not None:
        await tell(
            session, "approval.voided", task.vtid, by=by, hash=current.hash, approved_by=current.approved_by
        )


async def validate(session: AsyncSession, task: Task, by: str) -> SpecFindings:
    """Check the current text; a draft without errors becomes `validated`."""
    spec = await _needed(session, task)
    findings = examine_spec(spec.markdown)
    if findings.errors:
        raise Refusal("VALIDATION", "; ".join(findings.errors), actual=list(findings.errors))
    if spec.state == SpecState.DRAFT:
        spec.state, spec.warnings = SpecState.VALIDATED, list(findings.warnings)
        _edited(task)
        await tell(
            session, "spec.validated", task.vtid, by=by, hash=spec.hash, warnings=list(findings.warnings)
        )
    return findings


async def approve(session: AsyncSession, task: Task, digest: str, by: str, reason: str | None) -> None:
    """Bind an approval to this hash, which must be the current one."""
    spec = await _needed(session, task)
    if spec.hash != digest.lower():
        raise Refusal(
            "SPEC_HASH_MISMATCH",
            f"the current spec of {task.vtid} has another hash: it changed since you read it",
            expected=spec.hash,
            actual=digest,
        )
    if spec.state == SpecState.APPROVED:
        return
    await validate(session, task, by)
    spec.state, spec.approved_by, spec.reason = SpecState.APPROVED, by, reason
    spec.approved_at = datetime.now(UTC)
    if task.status == TaskStatus.ALLOCATED:
        _move(task, TaskStatus.SCHEDULED)
    _edited(task)
    await tell(session, "spec.approved", task.vtid, by=by, hash=spec.hash, reason=reason)


async def current_spec(session: AsyncSession, task: Task) -> Spec | None:
    """The task's current spec, if it has one."""
    return None if task.spec_version is None else await session.get(Spec, (task.vtid, task.spec_version))


async def _needed(session: AsyncSession, task: Task) -> Spec:
    spec = await current_spec(session, task)
    if spec is None:
        raise Refusal("SPEC_MISSING", f"{task.vtid} has no spec")
    return spec


def _hash(markdown: str) -> str:
    try:
        return spec_hash(markdown)
    except UnicodeEncodeError as error:
        raise Refusal("VALIDATION", "the spec is not valid UTF-8 text") from error


def _move(task: Task, status: TaskStatus) -> None:
    check_transition(TaskStatus(task.status), status)
    task.status = status


def _edited(task: Task) -> None:
    task.version += 1
    task.updated_at = datetime.now(UTC)
