"""After the proof: does what was proven still serve? Pure: what was seen in, one finding out.

A completed run stays completed; what becomes of its deployment is told beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from vtid.domain.change import Ancestry
from vtid.domain.deployment import DeploymentProof, Link, ServiceSeen
from vtid.domain.environment import Environment, Service
from vtid.domain.limits import Limit


class Serving(StrEnum):
    """What is known of a proven deployment."""

    WATCHED = "watched"  # proven, and looked at again and again
    DRIFTED = "drifted"  # our commit, and no longer as it was proven
    REVERTED = "reverted"  # a commit without ours serves
    RESTORED = "restored"  # as proven, again
    SUPERSEDED = "superseded"  # a newer commit that contains ours serves: the normal end
    UNWATCHED = "unwatched"  # it could not be watched any more


NEEDS_A_PERSON = (Serving.DRIFTED, Serving.REVERTED)
LOOKED_AT = (Serving.WATCHED, Serving.DRIFTED, Serving.REVERTED, Serving.RESTORED)  # by a sentinel, still


@dataclass(frozen=True)
class WatchRequest:
    """The input of a sentinel: one proven deployment, for the lifetime that the limit gives."""

    vtid: str
    run_id: str
    repository: str
    environment: Environment
    services: tuple[Service, ...]
    commit: str
    limits: dict[str, Limit]


@dataclass(frozen=True)
class WatchDeployment:
    """Look until it is otherwise than `known`."""

    repository: str
    environment: Environment
    services: tuple[Service, ...]
    commit: str
    known: Serving


@dataclass(frozen=True)
class Finding:
    kind: Serving
    says: str


@dataclass(frozen=True)
class TellServing:
    """What became of the deployment of a run that is over. Number and sentinel make a repeat harmless."""

    vtid: str
    run_id: str
    number: int
    kind: Serving
    says: str
    sentinel: str = ""  # Temporal's run id of the one that tells: another one counts from the beginning


def finding_of(commit: str, looks: Iterable[tuple[ServiceSeen, tuple[Link, ...]]]) -> Finding | None:
    """What the services show together; None while one of them still moves.

    RESTORED means: all is as it was proven.
    """
    looked = list(looks)
    if not all(seen.settled for seen, _ in looked):
        return None
    newer: list[str] = []
    for seen, _ in looked:
        for other in sorted(_others(commit, seen)):
            relation = seen.ancestry.get(other)
            if relation is Ancestry.DESCENDANT:
                newer.append(f"{seen.name} serves {other[:12]}, which contains it")
            elif relation is not Ancestry.SAME:
                return Finding(
                    Serving.REVERTED, f"{seen.name} serves {other[:12]}, which does not contain {commit[:12]}"
                )
    if newer:
        return Finding(Serving.SUPERSEDED, newer[0])
    link = DeploymentProof(commit, tuple(link for _, links in looked for link in links)).open_link
    if link is not None:
        return Finding(Serving.DRIFTED, f"{link.service}: {link.says}")
    return Finding(Serving.RESTORED, f"{commit[:12]} serves as it was proven")


def _others(commit: str, seen: ServiceSeen) -> set[str]:
    """The commits other than ours that serve, by claim or by their own word."""
    claimed = {claim for revision in seen.serving for claim in revision.claims.values()}
    return (claimed | {answer.commit for answer in seen.answers if answer.commit}) - {commit}
