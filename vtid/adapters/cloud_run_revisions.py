"""A Cloud Run revision in our words: who claims which commit, and what is bound."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from google.cloud import run_v2

from vtid.adapters.errors import shortened
from vtid.domain.deployment import RevisionSeen

COMMIT_VARIABLES = ("GIT_COMMIT_SHA", "COMMIT_SHA")
COMMIT_LABEL = "commit-sha"

_SHA = re.compile(r"[0-9a-f]{40}")
_SUCCEEDED = run_v2.Condition.State.CONDITION_SUCCEEDED


def revision_seen(revision: run_v2.Revision, percent: int, witnesses: Sequence[str]) -> RevisionSeen:
    """The revision with the claims of these witnesses (env, label, image_tag) about its commit."""
    ready = next((each for each in revision.conditions if each.type_ == "Ready"), None)
    variables = [variable for container in revision.containers for variable in container.env]
    return RevisionSeen(
        name=short_name(revision.name),
        ready=ready is not None and ready.state == _SUCCEEDED,
        percent=percent,
        claims=_claims(revision, variables, witnesses),
        image_digest=_digest(revision),
        env=tuple(dict.fromkeys(variable.name for variable in variables)),
        secrets=tuple(dict.fromkeys(_secrets(revision, variables))),
        condition="no Ready condition" if ready is None else telling(ready),
        created_at=created_at(revision),
    )


def created_at(revision: run_v2.Revision) -> datetime | None:
    created: Any = revision.create_time  # declared as protobuf's Timestamp, given as a datetime
    return datetime.fromtimestamp(created.timestamp(), UTC) if created else None


def short_name(path: str) -> str:
    """`shop-00001-abc` of `projects/…/revisions/shop-00001-abc`."""
    return path.rsplit("/", 1)[-1]


def telling(condition: run_v2.Condition) -> str:
    """The condition in one line: type, state, and the reason that Cloud Run gives."""
    reasons = (condition.reason, condition.revision_reason, condition.execution_reason)
    named = [reason.name for reason in reasons if reason]
    words = [condition.type_ or "Ready", condition.state.name, *named, condition.message]
    return shortened(
        " ".join(word for word in words if word)
    )  # the message may quote the container's own words


def _claims(
    revision: run_v2.Revision, variables: Sequence[run_v2.EnvVar], witnesses: Sequence[str]
) -> dict[str, str]:
    """Witness -> commit. A witness that names two commits stands twice: it contradicts itself."""
    said = {
        "env": [each.value for name in COMMIT_VARIABLES for each in variables if each.name == name],
        "label": [revision.labels.get(COMMIT_LABEL, "")],
        "image_tag": [_tag(container.image) for container in revision.containers],
    }
    claims: dict[str, str] = {}
    for witness in witnesses:
        commits = dict.fromkeys(
            word.lower() for word in said.get(witness, []) if _SHA.fullmatch(word.lower())
        )
        for number, commit in enumerate(commits, start=1):
            claims[witness if number == 1 else f"{witness}_{number}"] = commit
    return claims


def _tag(image: str) -> str:
    """The tag of `host:5000/name:tag@digest`, or nothing."""
    last = image.split("@")[0].rsplit("/", 1)[-1]
    return last.partition(":")[2]


def _digest(revision: run_v2.Revision) -> str | None:
    """The digest that the deploy named. It may have named a tag only: then Cloud Run alone knows."""
    images = [container.image for container in revision.containers]
    digest = images[0].partition("@")[2] if images else ""
    return digest or None


def resolved_digest(revision: dict[str, Any]) -> str | None:
    """The digest that Cloud Run resolved for the container that serves, which it lists first.

    It stands in `containerStatuses` of the JSON, a field that the client's Revision does not have.
    """
    statuses = revision.get("containerStatuses") or [{}]
    return str(statuses[0].get("imageDigest", "")).rpartition("@")[2] or None


def _secrets(revision: run_v2.Revision, variables: Sequence[run_v2.EnvVar]) -> Iterator[str]:
    """Names under which a secret is bound: the variable's and the secret's own, and mounted secrets."""
    for variable in variables:
        secret = variable.value_source.secret_key_ref.secret
        if secret:
            yield variable.name
            yield short_name(secret)
    for volume in revision.volumes:
        if volume.secret.secret:
            yield short_name(volume.secret.secret)
