"""Rows of the tables, as the records that the ledger hands out."""

from dataclasses import replace
from typing import Any

from vtid.domain.side_effects import SideEffect
from vtid.domain.task import TaskStatus
from vtid.domain.view import RunView
from vtid.ledger.codec import order_from_json, request_from_json, view_from_json
from vtid.ledger.models import ApiKey, DeadLetter, Order, Outgoing, OutgoingTry, Run, Spec, Subscription, Task
from vtid.ledger.records import (
    CardRecord,
    DeadLetterRecord,
    KeyRecord,
    OrderRecord,
    OutgoingRecord,
    OutgoingTryRecord,
    RunRecord,
    ServingRecord,
    SpecHead,
    SpecRecord,
    SubscriptionRecord,
    TaskRecord,
)


def task_record(row: Task, spec: Spec | None, run: Run | None, position: int) -> TaskRecord:
    return TaskRecord(spec=None if spec is None else spec_record(spec), **_of_task(row, run, position))


def card_record(row: Task, spec: Spec | None, run: Run | None, position: int) -> CardRecord:
    """The task without the text of its spec, which may not even be loaded."""
    head = None if spec is None else SpecHead(spec.version, spec.hash, spec.state, spec.author)
    return CardRecord(spec=head, **_of_task(row, run, position))


def _of_task(row: Task, run: Run | None, position: int) -> dict[str, Any]:
    return {
        "vtid": row.vtid,
        "title": row.title,
        "status": TaskStatus(row.status),
        "repository": row.repository,
        "environment": row.environment,
        "services": tuple(row.services),
        "priority": row.priority,
        "version": row.version,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "run": None if run is None else run_record(run),
        "position": position,
    }


def spec_record(row: Spec) -> SpecRecord:
    return SpecRecord(
        version=row.version,
        hash=row.hash,
        state=row.state,
        markdown=row.markdown,
        author=row.author,
        created_at=row.created_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        reason=row.reason,
        warnings=tuple(row.warnings),
    )


def run_record(row: Run) -> RunRecord:
    view = view_from_json(row.view)
    return RunRecord(
        vtid=row.vtid,
        start_id=row.start_id,
        run_id=row.run_id,
        state=row.state,
        # What the events cannot know: the run's id before its first event, and how Temporal sees it.
        view=replace(view, run_id=view.run_id or row.run_id, engine=row.engine),
        engine=row.engine,
        engine_checked_at=row.engine_checked_at,
        position=row.position,
        request=row.request,
        requested_by=row.requested_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        code=row.code,
        environment=row.environment,
        repository=row.repository,
        serving=_serving(row),
    )


def _serving(row: Run) -> ServingRecord | None:
    if row.serving is None or row.serving_since is None:
        return None
    return ServingRecord(row.serving, row.serving_says or "", row.serving_since)


def order_record(row: Order) -> OrderRecord:
    return OrderRecord(
        order_id=row.order_id,
        vtid=row.vtid,
        run_id=row.run_id,
        offer=row.offer,
        attempt=row.attempt,
        state=row.state,
        command=order_from_json(row.command),
        worker=row.worker,
        mode=row.mode,
        claimed_at=row.claimed_at,
        lease_opened_at=row.lease_opened_at,
        last_beat_at=row.last_beat_at,
        last_progress_at=row.last_progress_at,
        progress=row.progress,
        ended_reason=row.ended_reason,
        created_at=row.created_at,
    )


def dead_letter_record(
    row: DeadLetter, run: Run, view: RunView, effects: tuple[SideEffect, ...]
) -> DeadLetterRecord:
    return DeadLetterRecord(
        id=row.id,
        vtid=row.vtid,
        run_id=row.run_id,
        stage=row.stage,
        code=row.code,
        outcome=row.outcome,
        message=row.message,
        failure=row.failure,
        since=row.since,
        until=row.until,
        state=row.state,
        resolution=row.resolution,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        view=view,
        side_effects=effects,
        request=request_from_json(run.request) if run.request else None,
    )


def subscription_record(row: Subscription) -> SubscriptionRecord:
    return SubscriptionRecord(
        id=row.id,
        name=row.name,
        url=row.url,
        format=row.format,
        kinds=tuple(row.kinds),
        environments=tuple(row.environments),
        state=row.state,
        reason=row.reason,
        since=row.since,
        generation=row.generation,
        fingerprint=row.fingerprint,
        rotated_at=row.rotated_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def outgoing_record(row: Outgoing) -> OutgoingRecord:
    return OutgoingRecord(
        id=row.id,
        subscription_id=row.subscription_id,
        subscription=row.subscription,
        event_id=row.event_id,
        kind=row.kind,
        vtid=row.vtid,
        body=row.body,
        state=row.state,
        tries=row.tries,
        next_at=row.next_at,
        last_status=row.last_status,
        last_error=row.last_error,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def outgoing_try_record(row: OutgoingTry) -> OutgoingTryRecord:
    return OutgoingTryRecord(row.at, row.milliseconds, row.status, row.error, row.answer)


def key_record(row: ApiKey) -> KeyRecord:
    return KeyRecord(row.name, row.role, row.created_at, row.expires_at, row.last_used_at)
