"""After the proof: what the services show together, and what that means for the deployment that was proven."""

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.examples import NOON
from tests.domain.test_deployment import NEWER, OLD, OURS, SHOP, answers, revision, seen
from vtid.domain.change import Ancestry
from vtid.domain.proving import links_of_service
from vtid.domain.serving import Finding, Serving, finding_of

STRANGE = "f" * 40


def found(**changes: Any) -> Finding | None:
    service = seen(**changes)
    return finding_of(OURS, [(service, links_of_service(OURS, SHOP, service, NOON))])


def serving(commit: str) -> dict[str, Any]:
    return {"serving": (revision("shop-9", commit),), "answers": answers(commit)}


FINDINGS: dict[str, tuple[dict[str, Any], Serving | None]] = {
    "as it was proven": ({}, Serving.RESTORED),
    "a newer commit with ours in it": (serving(NEWER), Serving.SUPERSEDED),
    "a newer one gets its first ten percent": (
        {"serving": (revision(percent=90), revision("shop-9", NEWER, 10))}, Serving.SUPERSEDED,
    ),
    "an older commit": (serving(OLD), Serving.REVERTED),
    "a commit that GitHub does not know": (serving(STRANGE), Serving.REVERTED),
    "a commit beside ours": (serving(STRANGE) | {"ancestry": {STRANGE: Ancestry.DIVERGED}}, Serving.REVERTED),
    "only the service itself answers with an older one": ({"answers": answers(OURS, OLD)}, Serving.REVERTED),
    "a secret is gone": ({"serving": (revision(secrets=()),)}, Serving.DRIFTED),
    "a variable is gone": ({"serving": (revision(env=()),)}, Serving.DRIFTED),
    "the service answers nothing": ({"answers": ()}, Serving.DRIFTED),
    "the revision is not ready any more": ({"serving": (revision(ready=False),)}, Serving.DRIFTED),
    "a part of the traffic is elsewhere": ({"serving": (revision(percent=60),)}, Serving.DRIFTED),
    "it still moves": (serving(OLD) | {"settled": False}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", FINDINGS)
def test_what_serves_now_is_named(name: str) -> None:
    changes, kind = FINDINGS[name]
    finding = found(**changes)

    assert (finding.kind if finding else None) is kind


def test_one_service_that_went_back_is_enough() -> None:
    whole, back = seen(), replace(seen(**serving(OLD)), name="worker")
    looks = [(each, links_of_service(OURS, SHOP, each, NOON)) for each in (whole, back)]
    finding = finding_of(OURS, looks)

    assert finding is not None
    assert (finding.kind, finding.says.split()[0]) == (Serving.REVERTED, "worker")
