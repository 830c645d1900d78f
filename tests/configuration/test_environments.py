import json
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from vtid.configuration.environment_file import environments_schema
from vtid.configuration.environments import declared, load_environments
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS, ConfigurationError
from vtid.domain.environment import Environment
from vtid.domain.limits import LIMITS, Lane, Limit

SCHEMA = SHIPPED_ENVIRONMENTS.parent / "docs" / "environments.schema.json"
SMALL = "dev:\n  project: acme-dev\n  region: europe-west1\n  repository: acme/shop\n"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Environment]:
    return load_environments(SHIPPED_ENVIRONMENTS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "environments.yaml"


def problem(file: Path, text: str) -> str:
    """What is said of the file, without its folder."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load_environments(file)
    return str(error.value).replace(f"{file.parent}/", "")


def limit(file: Path, name: str, value: str) -> Limit:
    file.write_text(f"{SMALL}  limits:\n    {name}: {value}\n")
    return load_environments(file)["dev"].limits[name]


def seconds(limit: Limit) -> tuple[float | None, float | None]:
    return tuple(each and each.total_seconds() for each in (limit.one_try, limit.budget))  # type: ignore[return-value]


def test_the_shipped_dev_section_is_the_documented_one(shipped: dict[str, Environment]) -> None:
    dev = shipped["dev"]

    assert (dev.project, dev.region, dev.repository, dev.base_branch) == (
        "acme-dev",
        "europe-west1",
        "acme/shop",
        "main",
    )
    assert dev.branch_glob("VTID-01227") == "claude/vtid-01227-*"
    assert [(s.name, s.paths, s.version_path, s.health_path) for s in dev.services] == [
        ("shop", ("services/shop/**",), "/version", "/healthz")
    ]
    assert (dev.checks.required, dev.deploy.workflow, dev.deploy.event) == (("ci",), "deploy.yml", "push")
    assert (dev.automerge, dev.policy.allow_paths, dev.policy.deny_paths) == (True, ("**",), ())
    # Only the pauses between looks are shorter: every budget is the documented one.
    assert all(dev.limits[name].budget == LIMITS[name].budget for name in dev.limits)


def test_staging_and_production_are_stricter(shipped: dict[str, Environment]) -> None:
    assert list(shipped) == [
        "dev", "staging", "production", "drill", "drill-strict", "drill-http", "drill-private",
    ]  # fmt: skip
    for name in ("staging", "production"):
        assert shipped[name].policy.deny_paths
        assert shipped[name].services[0].required_secrets
    assert not shipped["production"].automerge
    assert not shipped["production"].policy.author_may_approve


def test_drills_take_seconds_and_have_a_service_per_repository(shipped: dict[str, Environment]) -> None:
    drill = shipped["drill"]
    lanes = (Lane.GITHUB, Lane.OUTSIDE, Lane.LEASE)
    nobody_waits = {"watch_deployment"}  # it goes on after the run
    outside = [name for name, row in LIMITS.items() if row.lane in lanes and name not in nobody_waits]

    assert drill.declares("acme/drill-happy-path")
    assert drill.services[0].cloud_run_name("acme/drill-happy-path") == "drill-happy-path"
    for name in outside:
        assert drill.limits[name].whole_budget() <= timedelta(seconds=30), name
        assert all(pause <= timedelta(seconds=1) for pause in drill.limits[name].back_off), name
    assert drill.limits["pickup"].one_try == timedelta(seconds=1.5)
    assert drill.limits["hold_lease"].heartbeat == timedelta(seconds=3)
    assert drill.live_answers == 3


def test_the_exported_schema_is_up_to_date_and_fits_the_shipped_file() -> None:
    exported = json.loads(SCHEMA.read_text())

    assert exported == environments_schema()
    jsonschema.validate(yaml.safe_load(SHIPPED_ENVIRONMENTS.read_text()), exported)


@pytest.mark.parametrize(
    ("name", "value", "one_try", "budget"),
    [
        ("await_checks", "10m", 20, 600),  # an activity: its budget
        ("await_checks", "12s", 12, 12),  # one try never outlasts the budget
        ("pickup", "1.5s", 1.5, None),  # a timer: its one try
        ("progress", "3", 3, None),
        ("blocked", "60s", 60, 60),  # where both are one number they stay one
        ("hold_lease", "2h", 7200, 7200),
        ("merge_pull_request", "{one_try: 10s}", 10, 300),
        ("merge_pull_request", "{one_try: 10s, budget: 1m}", 10, 60),
    ],
)
def test_an_override_replaces_the_bound_that_people_mean(
    file: Path, name: str, value: str, one_try: float | None, budget: float | None
) -> None:
    assert seconds(limit(file, name, value)) == (one_try, budget)


def test_an_override_keeps_the_numbers_that_it_does_not_name(file: Path) -> None:
    row = limit(file, "find_evidence", "{tries: 3, back_off: [1s, 2s]}")

    assert row.back_off == (timedelta(seconds=1), timedelta(seconds=2))
    assert (row.tries, row.budget, row.lane) == (3, LIMITS["find_evidence"].budget, Lane.GITHUB)
    assert limit(file, "attempts", "5").tries == 5


def test_a_required_check_may_be_pinned_to_its_app(file: Path) -> None:
    file.write_text(SMALL + "  checks: {required: [lint, ci@github-actions, {name: scan, app: '77'}]}\n")

    assert load_environments(file)["dev"].checks.required == ("lint", "ci@github-actions", "scan@77")


def test_a_limit_may_be_spelled_where_people_look_for_it(file: Path) -> None:
    file.write_text(
        f"{SMALL}  checks: {{missing_after: 2m}}\n  deploy: {{timeout: 20m}}\n  policy: {{park_for: 1d}}\n"
    )

    limits = load_environments(file)["dev"].limits

    assert limits["checks_missing"].one_try == timedelta(minutes=2)
    assert limits["await_deploy_run"].budget == timedelta(minutes=20)
    assert limits["blocked"].budget == limits["blocked"].one_try == timedelta(days=1)


def test_two_spellings_that_contradict_are_refused(file: Path) -> None:
    text = problem(file, f"{SMALL}  checks: {{missing_after: 2m}}\n  limits: {{checks_missing: 3m}}\n")

    assert (
        text
        == "environments.yaml:5: dev.checks.missing_after: contradicts limits.checks_missing; keep one of them"
    )


MISTAKES = {
    "  merge_methd: squash\n": "5: dev.merge_methd: unknown key (did you mean merge_method?); allowed: project,",
    "  services:\n    shop:\n      cloud_run: shop\n      pths: []\n":
        "8: dev.services.shop.pths: unknown key (did you mean paths?); allowed: cloud_run, paths,",
    "  services:\n    shop: {}\n": "6: dev.services.shop.cloud_run: is missing",
    "  services:\n    shop: {host: fly, cloud_run: shop}\n":
        "6: dev.services.shop.host: no host has this name; allowed: cloud_run, http_version",
    "  services:\n    shop: {host: http_version}\n":
        "6: dev.services.shop.url: is missing (host http_version needs it)",
    "  services:\n    shop: {cloud_run: shop, url: 'https://shop.test'}\n":
        "6: dev.services.shop.url: has no use on host cloud_run, which does not show it; take it away",
    "  services:\n    shop: {host: http_version, url: 'http://shop.test'}\n":
        "6: dev.services.shop.url: plain http:// is allowed for loopback only",
    "  services:\n    shop: {host: http_version, url: 'https://shop.test?key=1'}\n":
        "6: dev.services.shop.url: expected an address without user, password, query or fragment",
    "  services:\n    shop: {host: http_version, url: 'https://shop.test', required_secrets: [KEY]}\n":
        "6: dev.services.shop.required_secrets: has no use on host http_version",
    "  services:\n    shop: {host: http_version, url: 'https://shop.test'}\n  policy: {rollback: true}\n":
        "7: dev.policy.rollback: service shop runs on http_version, which cannot shift traffic back; allowed here: false",
    "  services:\n    shop: {host: http_version, url: 'https://shop.test'}\n  live_answers: 1\n":
        "7: dev.live_answers: service shop runs on http_version, where only its answers tell the commit; at least 2",
    "  limits:\n    pickp: 3s\n": "6: dev.limits.pickp: no limit has this name (did you mean pickup?); allowed:",
    "  limits:\n    pickup: 3x\n": '6: dev.limits.pickup: expected a number of seconds, or a text like "1.5s"',
    "  limits:\n    pickup: 0\n": "6: dev.limits.pickup: must be more than 0 and at most 30 days",
    "  limits:\n    pickup: 31d\n": "6: dev.limits.pickup: must be more than 0 and at most 30 days",
    "  limits:\n    pickup: {heartbeat: 3s}\n": "6: dev.limits.pickup: this limit has no heartbeat",
    "  limits:\n    pickup: {tries: 0}\n": "6: dev.limits.pickup: tries must be at least 1 here",
    "  limits:\n    hold_lease: {tries: 2}\n": "6: dev.limits.hold_lease: tries must stay 1 here",
    "  limits:\n    pickup: {trys: 1}\n": "6: dev.limits.pickup.trys: unknown key (did you mean tries?)",
    "  limits:\n    attempts: 3s\n": "6: dev.limits.attempts: this limit counts",
    "  limits:\n    hold_lease:\n      budget: 10s\n": "6: dev.limits.hold_lease: one_try (0:30:00) must not be longer",
    "  limits:\n    hold_lease: 60s\n": "6: dev.limits.hold_lease: heartbeat (0:01:30) must not be longer",
    "  policy: {on_failure: explode}\n": "5: dev.policy.on_failure: Input should be 'park' or 'fail'",
    "  branch_pattern: claude/*\n": "5: dev.branch_pattern: String should match pattern",
    "  automerge: 1\n": "5: dev.automerge: Input should be a valid boolean",
    "  checks: {required: [{name: ci, ap: x}]}\n": "5: dev.checks.required.0.pinned.app: is missing",
    "  checks: {required: [ci, vtid]}\n": "5: dev.checks.required: vtid is our own check",
    "  region: twice\n": "5: region: is given twice; keep one",
}  # fmt: skip


@pytest.mark.parametrize(("more", "says"), MISTAKES.items())
def test_a_mistake_is_told_with_file_line_key_and_what_is_allowed(file: Path, more: str, says: str) -> None:
    assert problem(file, SMALL + more).startswith(f"environments.yaml:{says}")


def test_every_mistake_is_told_in_one_go(file: Path) -> None:
    text = problem(file, "dev:\n  project: 7\n  region: here\n  repository: shop\n")

    assert [line.split(": ")[1] for line in text.splitlines()] == ["dev.project", "dev.repository"]


@pytest.mark.parametrize("text", ["", "- dev\n", "dev: [\n"])
def test_a_file_that_is_no_mapping_is_refused(file: Path, text: str) -> None:
    assert problem(file, text).startswith("environments.yaml:")


def test_a_key_from_a_shared_anchor_is_found_where_it_stands(file: Path) -> None:
    text = problem(
        file,
        "dev: &base\n  project: p\n  region: r\n  repository: a/b\n  automerge: 1\nstaging:\n  <<: *base\n",
    )

    assert text.splitlines()[-1].startswith("environments.yaml:5: staging.automerge:")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yaml: cannot be read"):
        load_environments(tmp_path / "nothing.yaml")


def test_an_environment_that_is_not_declared_is_refused_with_the_declared_ones(
    shipped: dict[str, Environment],
) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean staging\?.*declared are dev, staging"):
        declared(shipped, "stagin")


SERVICE = f"{SMALL}  services:\n    shop:\n      cloud_run: shop\n"


def test_declared_values_and_bindings_are_required_names_too(file: Path) -> None:
    file.write_text(
        f"{SERVICE}      env: {{MODE: strict}}\n      required_env: [REGION]\n"
        "      secrets: {TOKEN: 'shop-token:2'}\n      required_secrets: [API_KEY]\n"
    )
    [shop] = load_environments(file)["dev"].services

    assert (shop.required_env, shop.env) == (("REGION", "MODE"), {"MODE": "strict"})
    assert shop.required_secrets == ("API_KEY", "TOKEN")
    assert [shop.binding_of(name) for name in shop.required_secrets] == ["API_KEY:latest", "shop-token:2"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("env: {MODE: 1}", "8: dev.services.shop.env.MODE: Input should be a valid string"),
        ("env: {my-mode: x}", "8: dev.services.shop.env.my-mode: String should match pattern"),
        ("secrets: {TOKEN: shop-token}", "8: dev.services.shop.secrets.TOKEN: String should match pattern"),
        ("{env: {A: b}, required_secrets: [A]}", "A: plain and secret; keep one"),
    ],
)
def test_a_variable_that_is_declared_wrongly_is_told_with_its_line(file: Path, line: str, says: str) -> None:
    text = f"{SERVICE}      {line}\n"
    if line.startswith("{"):
        text = f"{SMALL}  services:\n    shop: {line[:1]}cloud_run: shop, {line[1:]}\n"

    assert says in problem(file, text)


MIGRATIONS = f"{SMALL}  migrations:\n    tool: prisma\n    path: prisma/migrations\n"


def test_declared_migrations_know_their_tools_table(file: Path) -> None:
    file.write_text(f"{MIGRATIONS}    database_url_env: SHOP_DATABASE_URL\n    objects: ['table:orders']\n")
    declared = load_environments(file)["dev"].migrations

    assert declared is not None
    assert (declared.table, declared.database_url_env) == ("_prisma_migrations", "SHOP_DATABASE_URL")
    assert declared.objects == ("table:orders",)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "needs one of database_url_env and database_url_file"),
        ("    database_url_env: A\n    database_url_file: /b\n", "needs one of"),
        ("    database_url_env: VTID_DATABASE_URL\n", "names that begin with VTID_ are settings of ours"),
        (
            "    database_url_env: A\n    objects: ['tabel:orders']\n",
            "9: dev.migrations.objects.0: String should match",
        ),
        (
            "    database_url_env: A\n    tabel: x\n",
            "9: dev.migrations.tabel: unknown key (did you mean table?)",
        ),
        ("    database_url_env: A\n    table: 'x; drop'\n", "9: dev.migrations.table: String should match"),
    ],
)
def test_migrations_that_are_declared_wrongly_are_told(file: Path, more: str, says: str) -> None:
    assert says in problem(file, MIGRATIONS + more)


ELSEWHERE = """
fly:
  repository: acme/shop
  services:
    shop: {host: http_version, url: "https://shop.test"}
"""


def test_an_environment_without_cloud_run_needs_neither_project_nor_region(file: Path) -> None:
    file.write_text(ELSEWHERE)
    environment = load_environments(file)["fly"]
    schema = environments_schema()
    jsonschema.validate(yaml.safe_load(ELSEWHERE), schema)

    assert environment.services[0].runs_on.name == "http_version"
    assert environment.services[0].address("acme/shop") == "https://shop.test"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(ELSEWHERE.replace(', url: "https://shop.test"', "")), schema)


def test_project_and_region_are_needed_as_soon_as_one_service_is_on_cloud_run(file: Path) -> None:
    text = problem(file, f"{ELSEWHERE}    mail: {{cloud_run: mail}}\n")

    assert text.endswith("fly.project: is missing")
