"""Every combination of what may be seen of a service that matters, against a verdict that is reckoned apart.

The expected column knows nothing of links: it says in one sentence when a deployment is proven.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import pytest

from tests.domain.examples import NOON
from tests.domain.test_deployment import NEWER, OLD, OURS, SHOP, URL, revision
from vtid.domain.change import Ancestry, DeployRun
from vtid.domain.deployment import DeploymentProof, LinkState, LiveAnswer, RevisionSeen, ServiceSeen
from vtid.domain.environment import Service
from vtid.domain.failures import FAILURES
from vtid.domain.proving import claimed_commit, links_of_service

# Who has traffic: commit -> percent, one revision each; `ours twice` has two revisions of our commit.
SERVING: dict[str, list[tuple[str, int]]] = {
    "nothing": [],
    "ours": [(OURS, 100)],
    "ours twice": [(OURS, 70), (OURS, 30)],
    "newer": [(NEWER, 100)],
    "ours and newer": [(OURS, 50), (NEWER, 50)],
    "old": [(OLD, 100)],
    "ours at ten percent": [(OURS, 10), (OLD, 90)],
    "ours, a part unseen": [(OURS, 60)],
}
WITNESSES = ("agree", "one lies", "missing", "one alone")
LIVE: dict[str, list[str | None]] = {
    "ours": [OURS, OURS, OURS],
    "newer": [NEWER, NEWER, NEWER],
    "ours and newer": [OURS, NEWER, OURS],
    "old": [OLD, OLD, OLD],
    "old once": [OURS, OLD, OURS],
    "no commit": [None, None, None],
    "no commit once": [OURS, None, OURS],
    "not asked": [],
}
# Live answers that only name what the serving revisions claim.
AGREEING = {
    "ours": {"ours"},
    "ours twice": {"ours"},
    "newer": {"newer"},
    "ours and newer": {"ours", "newer", "ours and newer"},
}


ONLY_ANSWERS = Service("shop", host="http_version", url="https://shop.test")


@dataclass(frozen=True)
class Case:
    settled: bool
    healthy: bool
    ready: bool
    serving: str
    witnesses: str
    env: bool
    secrets: bool
    digest: bool
    live: str

    @property
    def is_proven(self) -> bool:
        """Whole, still, ours or with ours in it, said by its revisions with one voice and by the service itself."""
        whole = self.settled and self.healthy and self.ready and self.env and self.secrets and self.digest
        told = self.witnesses in ("agree", "one alone")
        return whole and told and self.live in AGREEING.get(self.serving, set())

    def revision(self, number: int, commit: str, percent: int) -> RevisionSeen:
        other = OLD if commit != OLD else OURS
        claims = {
            "agree": {"env": commit, "label": commit, "image_tag": commit},
            "one lies": {"env": commit, "label": other, "image_tag": commit},
            "missing": {},
            "one alone": {"label": commit},
        }[self.witnesses]
        return revision(
            f"shop-{number}",
            percent=percent,
            ready=self.ready,
            claims=claims,
            image_digest="sha256:1" if self.digest else None,
            env=("DATABASE",) if self.env else (),
            secrets=("API_KEY",) if self.secrets else (),
        )

    @property
    def seen(self) -> ServiceSeen:
        shares = SERVING[self.serving]
        return ServiceSeen(
            name="shop",
            uri="https://shop.test",
            settled=self.settled,
            healthy=self.healthy,
            condition="Ready",
            serving=tuple(self.revision(n, *share) for n, share in enumerate(shares)),
            answers=tuple(
                LiveAnswer(URL, commit, 200, None if commit else "HTML") for commit in LIVE[self.live]
            ),
            ancestry={OLD: Ancestry.ANCESTOR, NEWER: Ancestry.DESCENDANT},
        )

    @cached_property
    def proof(self) -> DeploymentProof:
        return DeploymentProof(OURS, links_of_service(OURS, SHOP, self.seen, NOON))


YES_NO = (True, False)
CASES = [
    Case(*each) for each in product(YES_NO, YES_NO, YES_NO, SERVING, WITNESSES, YES_NO, YES_NO, YES_NO, LIVE)
]


def test_the_table_has_every_combination() -> None:
    assert len(CASES) == 2**6 * len(SERVING) * len(WITNESSES) * len(LIVE) == 16_384
    assert sum(case.is_proven for case in CASES) == 12


@pytest.mark.parametrize("serving", SERVING)
def test_a_combination_is_proven_exactly_when_everything_says_so(serving: str) -> None:
    for case in (case for case in CASES if case.serving == serving):
        assert case.proof.complete is case.is_proven, case


def test_what_is_not_proven_has_a_code_and_a_link_that_says_why() -> None:
    for proof in (case.proof for case in CASES):
        if not proof.complete:
            assert proof.code in FAILURES
            assert proof.open_link is not None
            assert proof.open_link.says


def test_a_contradicting_witness_outweighs_every_other_one() -> None:
    for case in CASES:
        states = {link.state for link in case.proof.links}
        if LinkState.CONTRADICTED in states:
            assert case.proof.open_link is not None
            assert case.proof.open_link.state is LinkState.CONTRADICTED, case


# Who claims, where a host shows nothing but answers: what the deploy run deployed, and how each answer relates to that.
ANCESTRY_OF_CLAIM = {
    OURS: {OLD: Ancestry.ANCESTOR, NEWER: Ancestry.DESCENDANT},
    NEWER: {OLD: Ancestry.ANCESTOR, OURS: Ancestry.ANCESTOR},
}


@pytest.mark.parametrize("live", LIVE)
@pytest.mark.parametrize("claim", ANCESTRY_OF_CLAIM)
def test_where_only_answers_are_seen_they_prove_with_one_voice_and_only_what_was_claimed(
    live: str, claim: str
) -> None:
    run = DeployRun(1, "https://github.test/run/1", claim, "push", "completed", "success", 1)
    seen = replace(
        Case(*(True,) * 3, "nothing", "agree", *(True,) * 3, live).seen, ancestry=ANCESTRY_OF_CLAIM[claim]
    )
    wanted = claimed_commit(ONLY_ANSWERS, OURS, run)

    made = DeploymentProof(OURS, links_of_service(wanted, ONLY_ANSWERS, seen, NOON))

    assert made.complete is ((live, claim) in {("ours", OURS), ("newer", OURS), ("newer", NEWER)})
    assert [link.name for link in made.links] == ["live_answer"]
    assert made.complete or made.code in FAILURES
