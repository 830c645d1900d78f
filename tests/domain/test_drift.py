"""Every difference between what is declared and what runs has a name; what is equal has none."""

from dataclasses import replace

import pytest

from vtid.domain.deployment import LiveAnswer
from vtid.domain.drift import DriftKind, RevisionSettings, ServiceReport, ServiceSettings, compare
from vtid.domain.environment import Service

SHOP = Service(
    "shop",
    "shop",
    required_env=("MODE", "REGION"),
    required_secrets=("API_KEY", "TOKEN"),
    env={"MODE": "strict"},
    secrets={"TOKEN": "shop-token:2"},
)
REVISION = RevisionSettings(
    "shop-1",
    100,
    {"MODE": "strict", "REGION": "any", "GIT_COMMIT_SHA": "a" * 40},
    {"API_KEY": "API_KEY:latest", "TOKEN": "shop-token:2"},
)


def differences(**changed: object) -> list[tuple[DriftKind, str | None]]:
    revision = replace(REVISION, **changed)  # type: ignore[arg-type]
    report = compare(SHOP, "shop", ServiceSettings("shop", "https://shop.test", True, (revision,)))
    return [(drift.kind, drift.name) for drift in report.drift]


def plain(**changed: str) -> dict[str, str]:
    return {**REVISION.plain, **changed}


def without(values: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if key != name}


def test_what_is_as_declared_does_not_differ() -> None:
    assert differences() == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"plain": without(REVISION.plain, "REGION")}, (DriftKind.MISSING, "REGION")),
        ({"plain": plain(MODE="loose")}, (DriftKind.DIFFERENT, "MODE")),
        ({"plain": plain(DEBUG="1")}, (DriftKind.EXTRA, "DEBUG")),
        ({"secrets": without(REVISION.secrets, "API_KEY")}, (DriftKind.MISSING, "API_KEY")),
        ({"secrets": {**REVISION.secrets, "OLD": "old:1"}}, (DriftKind.EXTRA, "OLD")),
        ({"secrets": {**REVISION.secrets, "TOKEN": "shop-token:1"}}, (DriftKind.DIFFERENT, "TOKEN")),
        ({"mounted": ("certificate",)}, (DriftKind.EXTRA, "certificate")),
    ],
)
def test_each_difference_is_named(changed: dict[str, object], found: tuple[DriftKind, str]) -> None:
    assert differences(**changed) == [found]


def test_a_secret_in_plain_text_is_a_conflict_and_its_value_is_not_told() -> None:
    revision = replace(REVISION, plain=plain(API_KEY="hunter2"), secrets=without(REVISION.secrets, "API_KEY"))
    report = compare(SHOP, "shop", ServiceSettings("shop", "https://shop.test", True, (revision,)))

    assert [(drift.kind, drift.name, drift.type) for drift in report.drift] == [
        (DriftKind.TYPE_CONFLICT, "API_KEY", "secret")
    ]
    assert "hunter2" not in repr(report)


def test_a_plain_variable_that_is_bound_to_a_secret_is_a_conflict() -> None:
    assert differences(
        plain=without(REVISION.plain, "MODE"), secrets={**REVISION.secrets, "MODE": "mode:1"}
    ) == [(DriftKind.TYPE_CONFLICT, "MODE")]


def test_a_secret_may_be_bound_under_another_name_or_as_a_file() -> None:
    others = without(REVISION.secrets, "API_KEY")

    assert differences(secrets={**others, "KEY": "API_KEY:3"}) == []
    assert differences(secrets=others, mounted=("API_KEY",)) == []


def test_the_value_of_an_undeclared_variable_is_nobodys_business() -> None:
    revision = replace(REVISION, plain=plain(PASSWORD="hunter2"))
    report = compare(SHOP, "shop", ServiceSettings("shop", "https://shop.test", True, (revision,)))

    assert "hunter2" not in repr(report)


def test_every_serving_revision_is_looked_at_and_a_shared_difference_is_told_once() -> None:
    first = replace(REVISION, percent=90, plain=plain(DEBUG="1"))
    second = replace(REVISION, name="shop-2", percent=10, plain=plain(DEBUG="1", MODE="loose"))
    report = compare(SHOP, "shop", ServiceSettings("shop", "https://shop.test", True, (first, second)))

    assert [(drift.kind, drift.name, drift.revisions) for drift in report.drift] == [
        (DriftKind.EXTRA, "DEBUG", ("shop-1", "shop-2")),
        (DriftKind.DIFFERENT, "MODE", ("shop-2",)),
    ]


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (None, DriftKind.SERVICE_MISSING),
        (ServiceSettings("shop", "https://shop.test", True, ()), DriftKind.NOTHING_SERVES),
        (ServiceSettings("shop", None, True, (REVISION,)), DriftKind.NO_URL),
        (ServiceSettings("shop", "https://shop.test", False, (REVISION,)), DriftKind.UNSETTLED),
    ],
)
def test_a_service_that_is_not_there_as_a_whole_is_told(
    seen: ServiceSettings | None, kind: DriftKind
) -> None:
    assert [drift.kind for drift in compare(SHOP, "shop", seen).drift] == [kind]


ANSWERING = Service("mail", host="http_version", url="https://mail.test")


def answering(answer: LiveAnswer | None) -> ServiceReport:
    return compare(ANSWERING, "acme/mail", ServiceSettings("mail", "https://mail.test", True, (), answer))


def test_where_only_answers_are_seen_the_report_says_what_is_not_compared() -> None:
    report = answering(LiveAnswer("https://mail.test/version", "a" * 40, 200))

    assert (report.drift, report.commit, report.cloud_run) == ((), "a" * 40, None)
    assert report.unseen == "http_version shows no variables and no secrets"


@pytest.mark.parametrize("answer", [LiveAnswer("https://mail.test/version", None, 503, "answered 503"), None])
def test_a_version_endpoint_that_tells_no_commit_is_a_difference(answer: LiveAnswer | None) -> None:
    (drift,) = answering(answer).drift

    assert drift.kind is DriftKind.NO_VERSION
    assert ((answer and answer.problem) or "was not asked") in drift.says
