"""Kinds of hosts: the table is whole, and a chain has exactly the links that its host can give."""

from dataclasses import fields, replace
from typing import Any

import pytest

from tests.domain.examples import NOON
from tests.domain.test_deployment import NEWER, OLD, OURS, answers
from vtid.adapters.hosts import service_hosts
from vtid.adapters.http_probe import HttpProbe
from vtid.configuration.environment_file import ServiceSection
from vtid.domain.change import Ancestry, DeployRun
from vtid.domain.deployment import DeploymentProof, LinkState, ServiceSeen
from vtid.domain.environment import Environment, Service
from vtid.domain.errors import Refused
from vtid.domain.hosts import HOSTS, KEYS_OF_LINKS
from vtid.domain.proving import LINKS, claimed_commit, links_of_service
from vtid.domain.serving import Serving, finding_of

MAIL = Service("mail", host="http_version", url="https://mail.test/{repository_name}")


def seen(*commits: str, **changes: Any) -> ServiceSeen:
    ancestry = {OLD: Ancestry.ANCESTOR, NEWER: Ancestry.DESCENDANT}
    service = ServiceSeen("mail", "https://mail.test", True, True, "", (), answers=answers(*commits))
    return replace(service, ancestry=ancestry, **changes)


def proof(*commits: str) -> DeploymentProof:
    return DeploymentProof(OURS, links_of_service(OURS, MAIL, seen(*commits), NOON))


def test_every_host_has_an_adapter_and_every_adapter_a_row() -> None:
    assert service_hosts(None, HttpProbe()).names == set(HOSTS)


@pytest.mark.parametrize("host", HOSTS.values(), ids=list(HOSTS))
def test_a_row_names_links_and_keys_that_there_are(host: Any) -> None:
    assert set(host.links) <= set(LINKS)
    assert "live_answer" in host.links  # claims alone never prove
    keys = {host.address_key, *(key for keys in KEYS_OF_LINKS.values() for key in keys)}
    assert keys <= set(ServiceSection.model_fields) & {field.name for field in fields(Service)}


def test_a_host_without_traffic_refuses_to_shift_any() -> None:
    hosts = service_hosts(None, HttpProbe())
    environment = Environment("fly", "", "", "acme/*", services=(MAIL,))

    with pytest.raises(Refused, match="mail runs on http_version, which cannot shift traffic"):
        hosts.shift_traffic(environment, MAIL, "acme/shop", "mail-1", "")


def test_a_service_that_only_answers_has_only_this_link() -> None:
    made = proof(OURS, OURS, OURS)

    assert [(link.name, link.state, link.match) for link in made.links] == [
        ("live_answer", LinkState.PROVEN, "exact")
    ]
    assert made.complete


def test_instances_that_disagree_prove_nothing_though_each_has_our_commit() -> None:
    made = proof(OURS, NEWER, OURS)

    assert (made.complete, made.code) == (False, "PROOF_INCOMPLETE")
    assert made.links[0].state is LinkState.UNKNOWN
    assert OURS[:12] in made.links[0].says
    assert NEWER[:12] in made.links[0].says


def test_an_address_may_be_named_after_the_repository() -> None:
    assert MAIL.address("acme/shop") == "https://mail.test/shop"
    assert MAIL.is_named_after_repository
    assert Service("shop", "shop").address("acme/shop") is None


RUN = DeployRun(1, "https://github.test/run/1", NEWER, "push", "completed", "success", 1)


@pytest.mark.parametrize(
    ("service", "run", "commit"),
    [
        (MAIL, RUN, NEWER),  # a queue collapsed: the newer run is the claim
        (MAIL, replace(RUN, event="workflow_dispatch"), OURS),  # it stands on the tip and was told ours
        (MAIL, None, OURS),
        (Service("shop", "shop"), RUN, OURS),  # revisions claim for themselves
    ],
)
def test_the_answers_are_held_against_who_claims(service: Service, run: DeployRun, commit: str) -> None:
    assert claimed_commit(service, OURS, run) == commit


@pytest.mark.parametrize(
    ("commits", "kind"),
    [
        ((OURS, OURS), Serving.RESTORED),
        ((NEWER, NEWER), Serving.SUPERSEDED),
        ((OURS, OLD), Serving.REVERTED),
        ((), Serving.DRIFTED),
    ],
)
def test_a_sentinel_sees_what_its_answers_say(commits: tuple[str, ...], kind: Serving) -> None:
    service = seen(*commits)
    found = finding_of(OURS, [(service, links_of_service(OURS, MAIL, service, NOON))])

    assert found is not None
    assert found.kind is kind
