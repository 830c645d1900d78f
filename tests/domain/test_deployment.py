"""What "deployed" means: every link with its witness, and no link proven by a claim alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import NOON
from vtid.domain.change import Ancestry
from vtid.domain.deployment import (
    DeploymentProof,
    Link,
    LinkState,
    LiveAnswer,
    RevisionSeen,
    ServiceSeen,
)
from vtid.domain.environment import Service
from vtid.domain.failures import FAILURES
from vtid.domain.proving import links_of_service

OURS, OLD, NEWER = "b" * 40, "0" * 40, "e" * 40
URL = "https://shop.test/version"
SHOP = Service("shop", "shop", required_env=("DATABASE",), required_secrets=("API_KEY",))
P, CL, CO, U = LinkState.PROVEN, LinkState.CLAIMED, LinkState.CONTRADICTED, LinkState.UNKNOWN
NAMES = ("image_digest", "revision", "traffic", "environment", "live_answer")


def revision(name: str = "shop-2", commit: str = OURS, percent: int = 100, **changes: Any) -> RevisionSeen:
    right = RevisionSeen(
        name=name,
        ready=True,
        percent=percent,
        claims={"env": commit, "label": commit},
        image_digest="sha256:1",
        env=("DATABASE",),
        secrets=("API_KEY",),
    )
    return replace(right, **changes)


def answers(*commits: str) -> tuple[LiveAnswer, ...]:
    return tuple(LiveAnswer(URL, commit, 200) for commit in commits)


def seen(**changes: Any) -> ServiceSeen:
    right = ServiceSeen(
        name="shop",
        uri="https://shop.test",
        settled=True,
        healthy=True,
        condition="Ready",
        serving=(revision(),),
        answers=answers(OURS, OURS, OURS),
        ancestry={OLD: Ancestry.ANCESTOR, NEWER: Ancestry.DESCENDANT},
    )
    return replace(right, **changes)


def links(service: ServiceSeen) -> dict[str, Link]:
    return {link.name: link for link in links_of_service(OURS, SHOP, service, NOON)}


def proof(service: ServiceSeen) -> DeploymentProof:
    return DeploymentProof(OURS, links_of_service(OURS, SHOP, service, NOON))


def test_a_service_that_serves_our_commit_is_proven_by_every_link() -> None:
    made = links(seen())

    assert tuple(made) == NAMES
    assert {link.state for link in made.values()} == {P}
    assert (made["traffic"].match, made["live_answer"].match) == ("exact", "exact")
    assert proof(seen()).complete
    assert proof(seen()).code is None


NOT_READY = revision("shop-3", ready=False, condition="crashed")
OLD_SERVES = {"serving": (revision("shop-1", OLD),), "answers": answers(OLD, OLD)}
LIES = revision(claims={"env": OLD, "label": OURS})
HTML = (LiveAnswer(URL, None, 200, "HTML, not a commit"),)

# What is seen -> (link, its state, the code that the proof means)
OPEN: dict[str, tuple[dict[str, Any], str, LinkState, str]] = {
    "an old revision serves": (OLD_SERVES, "traffic", CO, "WRONG_COMMIT_SERVING"),
    "ten percent only": (
        {"serving": (revision("shop-1", OLD, 90), revision(percent=10)), "answers": answers(OLD, OURS)},
        "traffic", CO, "TRAFFIC_NOT_SHIFTED",
    ),
    "traffic is pinned, ours is idle": (
        OLD_SERVES | {"ours_idle": revision(percent=0)}, "traffic", CO, "TRAFFIC_NOT_SHIFTED",
    ),
    "an older deploy ended after ours": (
        {
            "serving": (revision("shop-3", OLD, created_at=NOON + timedelta(minutes=1)),),
            "answers": answers(OLD, OLD),
            "ours_idle": revision(percent=0, created_at=NOON),
        },
        "traffic", CO, "WRONG_COMMIT_SERVING",
    ),
    "somebody went back to a revision of before": (
        {
            "serving": (revision("shop-1", OLD, created_at=NOON - timedelta(minutes=1)),),
            "answers": answers(OLD, OLD),
            "ours_idle": revision(percent=0, created_at=NOON),
        },
        "traffic", CO, "TRAFFIC_NOT_SHIFTED",
    ),
    "a part of the traffic is unseen": (
        {"serving": (revision(percent=60),)}, "traffic", U, "TRAFFIC_NOT_SHIFTED",
    ),
    "a label that lies": ({"serving": (LIES,)}, "traffic", CO, "WRONG_COMMIT_SERVING"),
    "two claims that differ, both containing ours": (
        {"serving": (revision(claims={"env": OURS, "label": NEWER}),)}, "traffic", CO, "WRONG_COMMIT_SERVING",
    ),
    "a revision that does not tell": (
        {"serving": (revision(claims={}),)}, "traffic", U, "PROOF_INCOMPLETE",
    ),
    "a commit of which nobody knows how it relates": (
        {"serving": (revision(commit=NEWER),), "ancestry": {}}, "traffic", CO, "WRONG_COMMIT_SERVING",
    ),
    "nothing serves": ({"serving": ()}, "revision", CO, "TRAFFIC_NOT_SHIFTED"),
    "still reconciling": ({"settled": False}, "revision", U, "REVISION_NOT_READY"),
    "an unhealthy service": ({"healthy": False}, "revision", CO, "REVISION_NOT_READY"),
    "a serving revision that is not ready": (
        {"serving": (revision(ready=False),)}, "revision", CO, "REVISION_NOT_READY",
    ),
    "the template is new, the old revision serves": (
        OLD_SERVES | {"latest": NOT_READY}, "revision", CO, "REVISION_NOT_READY",
    ),
    "no image digest": (
        {"serving": (revision(image_digest=None),)}, "image_digest", U, "PROOF_INCOMPLETE",
    ),
    "a missing secret": ({"serving": (revision(secrets=()),)}, "environment", CO, "SECRETS_MISSING"),
    "a missing variable": ({"serving": (revision(env=()),)}, "environment", CO, "ENVIRONMENT_MISMATCH"),
    "nobody asked the service": ({"answers": ()}, "live_answer", U, "PROBE_FAILED"),
    "HTML at the version endpoint": ({"answers": HTML}, "live_answer", U, "PROBE_FAILED"),
    "one unusable answer among good ones": (
        {"answers": answers(OURS) + HTML}, "live_answer", U, "PROBE_FAILED",
    ),
    "the service names another commit": (
        {"answers": answers(OLD, OLD)}, "live_answer", CO, "WRONG_COMMIT_SERVING",
    ),
    "the service names ours only now and then": (
        {"answers": answers(OURS, OLD)}, "live_answer", CO, "TRAFFIC_NOT_SHIFTED",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_an_open_link_is_told_with_its_state_and_code(name: str) -> None:
    changes, link_name, state, code = OPEN[name]
    made = proof(seen(**changes))
    link = links(seen(**changes))[link_name]

    assert (link.state, link.code) == (state, code)
    assert link.says
    assert not made.complete
    assert made.code == code


def test_a_descendant_that_serves_contains_our_commit() -> None:
    """Queued deploys collapse: the one that ran carries our commit with it."""
    service = seen(serving=(revision(commit=NEWER),), answers=answers(NEWER, NEWER))

    assert proof(service).complete
    assert links(service)["traffic"].match == "contains"
    assert links(service)["live_answer"].match == "contains"


@pytest.mark.parametrize("relation", [Ancestry.ANCESTOR, Ancestry.DIVERGED])
def test_any_other_relation_is_the_wrong_commit(relation: Ancestry) -> None:
    service = seen(serving=(revision(commit=NEWER),), answers=answers(NEWER), ancestry={NEWER: relation})

    assert proof(service).code == "WRONG_COMMIT_SERVING"


def test_an_unready_revision_of_somebody_else_does_not_spoil_the_proof() -> None:
    assert proof(seen(latest=replace(NOT_READY, claims={"env": NEWER}))).complete


def test_claims_that_the_service_does_not_confirm_are_claims() -> None:
    for said in ((), HTML, answers(OLD)):
        assert links(seen(answers=said))["traffic"].state is CL


commits = st.sampled_from([OURS, OLD, NEWER, "9" * 40])
claims = st.dictionaries(st.sampled_from(["env", "label", "image_tag"]), commits)
revisions = st.builds(
    revision,
    st.sampled_from(["shop-1", "shop-2", "shop-3"]),
    percent=st.integers(0, 100),
    claims=claims,
    ready=st.booleans(),
    image_digest=st.sampled_from([None, "sha256:1"]),
    env=st.sampled_from([(), ("DATABASE",)]),
    secrets=st.sampled_from([(), ("API_KEY",)]),
)
live = st.builds(LiveAnswer, st.just(URL), st.none() | commits)
services = st.builds(
    ServiceSeen,
    name=st.just("shop"),
    uri=st.just("https://shop.test"),
    settled=st.booleans(),
    healthy=st.booleans(),
    condition=st.just(""),
    serving=st.lists(revisions, max_size=3).map(tuple),
    ours_idle=st.none() | revisions,
    latest=st.none() | revisions,
    answers=st.lists(live, max_size=3).map(tuple),
    ancestry=st.dictionaries(commits, st.sampled_from(Ancestry)),
)


@given(services)
def test_claims_alone_never_prove(service: ServiceSeen) -> None:
    unasked = replace(service, answers=())

    assert not proof(unasked).complete
    assert links(unasked)["traffic"].state is not P


@given(services)
def test_a_proof_is_complete_only_if_all_links_are_proven(service: ServiceSeen) -> None:
    made = proof(service)

    assert made.complete == all(link.state is P for link in made.links)
    assert made.complete == (made.code is None) == (made.open_link is None)
    assert made.code is None or FAILURES[made.code].repairable


@given(services)
def test_a_complete_proof_means_that_all_traffic_and_every_answer_is_ours(service: ServiceSeen) -> None:
    if not proof(service).complete:
        return
    said = {c for r in service.serving for c in r.claims.values()} | {a.commit for a in service.answers}

    assert service.settled
    assert sum(each.percent for each in service.serving) >= 100
    assert all(c == OURS or service.ancestry.get(str(c)) is Ancestry.DESCENDANT for c in said)


@given(services)
def test_every_open_link_says_something_and_means_a_code(service: ServiceSeen) -> None:
    made = links(service)

    assert tuple(made) == NAMES
    for link in made.values():
        assert link.says
        assert (link.code is None) == (link.state is P)
        assert link.at == NOON


def test_a_proof_without_links_proves_nothing() -> None:
    assert not DeploymentProof(OURS, ()).complete


def test_what_is_contradicted_is_looked_at_before_what_is_unknown_or_claimed() -> None:
    link = {state: Link(state, state, "says", code=f"CODE_{state}") for state in LinkState}
    order = (link[CL], link[U], link[P], link[CO])

    assert DeploymentProof(OURS, order).open_link is link[CO]
    assert DeploymentProof(OURS, order[:3]).open_link is link[U]
    assert DeploymentProof(OURS, (link[P], link[CL])).open_link is link[CL]


def test_an_open_link_without_a_code_is_an_incomplete_proof() -> None:
    assert DeploymentProof(OURS, (Link("commit", U, "says"),)).code == "PROOF_INCOMPLETE"
