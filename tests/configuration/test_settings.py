from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vtid.adapters.proof_signatures import made_key
from vtid.configuration.build import Build
from vtid.configuration.settings import SHIPPED_ENVIRONMENTS, ConfigurationError, Settings
from vtid.domain.credentials import AppKey
from worker import build_of

RSA_KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


def problem(**variables: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        Settings.load(variables)
    return str(error.value)


def test_without_variables_everything_is_on_this_machine() -> None:
    settings = Settings.load({"PATH": "/bin", "TEMPORAL_ADDRESS": "127.0.0.1:7233"})

    assert settings.env == "dev"
    assert settings.database_url == f"sqlite+aiosqlite:///{Path('.vtid/ledger.db').absolute()}"
    assert settings.environments_file == SHIPPED_ENVIRONMENTS
    assert settings.github_token is None


def test_the_ledger_lies_in_the_data_directory_unless_it_is_named(tmp_path: Path) -> None:
    named = "postgresql+asyncpg://ledger@db/vtid"

    assert Settings.load({"VTID_DATA_DIR": str(tmp_path)}).database_url.endswith(f"{tmp_path}/ledger.db")
    assert Settings.load({"VTID_DATABASE_URL": named}).database_url == named


def test_a_secret_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ghp_secret\n")

    settings = Settings.load({"VTID_GITHUB_TOKEN_FILE": str(tmp_path / "token")})

    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "ghp_secret"
    assert "ghp_secret" not in repr(settings)


def test_an_app_is_known_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text(RSA_KEY)
    named = {"VTID_GITHUB_APP_ID": "7", "VTID_GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "app.pem")}

    settings = Settings.load(named | {"VTID_GITHUB_APP_INSTALLATION_ID": "99"})

    assert settings.github_credentials == AppKey(7, RSA_KEY.strip(), 99)
    assert Settings.load({}).github_credentials == ""
    assert "PRIVATE" not in f"{settings!r} {settings.github_credentials!r}"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"APP_ID": "7"},
            "VTID_GITHUB_APP_ID and VTID_GITHUB_APP_PRIVATE_KEY belong together; set both",
        ),
        ({"APP_INSTALLATION_ID": "7"}, "VTID_GITHUB_APP_INSTALLATION_ID needs VTID_GITHUB_APP_ID beside it"),
        (
            {"APP_ID": "7", "APP_PRIVATE_KEY": RSA_KEY, "TOKEN": "t"},
            "VTID_GITHUB_TOKEN and VTID_GITHUB_APP_ID are both set; keep one",
        ),
        (
            {"APP_ID": "7", "APP_PRIVATE_KEY": "-----BEGIN s3cret"},
            "VTID_GITHUB_APP_PRIVATE_KEY: expected an RSA key in PEM, without a password:",
        ),
    ],
)
def test_credentials_that_cannot_be_meant_are_told(variables: dict[str, str], told: str) -> None:
    text = problem(**{f"VTID_GITHUB_{name}": value for name, value in variables.items()})

    assert text.startswith(told)
    assert "s3cret" not in text


def test_lists_are_separated_by_commas() -> None:
    assert Settings.load({"VTID_ALLOWED_HOSTS": "a.example, b.example"}).allowed_hosts == (
        "a.example",
        "b.example",
    )


def test_an_empty_variable_counts_as_none() -> None:
    assert Settings.load({"VTID_CLOUD_RUN_URL": ""}).cloud_run_url is None


def test_an_unknown_name_is_refused_with_the_closest_known_one() -> None:
    text = problem(VTID_GITHUB_TOKN="x")

    assert text.startswith(
        "VTID_GITHUB_TOKN is no setting (did you mean VTID_GITHUB_TOKEN?); known are VTID_ENV,"
    )


def test_a_value_and_a_file_for_one_secret_are_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")

    text = problem(VTID_LEASE_KEY="x", VTID_LEASE_KEY_FILE=str(tmp_path / "key"))

    assert text == "VTID_LEASE_KEY and VTID_LEASE_KEY_FILE are both set; keep one"


def test_a_file_that_is_not_there_is_named() -> None:
    assert "VTID_LEASE_KEY_FILE names /no/such/file" in problem(VTID_LEASE_KEY_FILE="/no/such/file")


@pytest.mark.parametrize("variable", ["VTID_CLOUD_RUN_URL", "VTID_GITHUB_API_URL"])
def test_credentials_leave_this_machine_only_encrypted(variable: str) -> None:
    assert Settings.load({variable: "http://127.0.0.1:8080/"})
    assert "plain http:// is allowed for loopback only" in problem(**{variable: "http://example.org"})


def test_every_wrong_value_is_told_at_once_and_secrets_are_not() -> None:
    text = problem(VTID_API_URL="nonsense", VTID_DATABASE_URL="mysql://user:password@db/x")

    assert "VTID_API_URL='nonsense': expected an address like" in text
    assert "VTID_DATABASE_URL: expected sqlite+aiosqlite:///FILE or" in text
    assert "password" not in text


def test_networks_of_old_workers_are_named_or_none() -> None:
    named = Settings.load({"VTID_GATEWAY_NETWORKS": "10.1.0.0/16, fd00::/8"}).gateway_networks

    assert [str(network) for network in named] == ["10.1.0.0/16", "fd00::/8"]
    assert Settings.load({}).gateway_networks == ()
    assert "VTID_GATEWAY_NETWORKS" in problem(VTID_GATEWAY_NETWORKS="everywhere")


def test_proofs_are_signed_with_an_ed25519_key_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "proof.pem").write_text(made_key())

    settings = Settings.load({"VTID_PROOF_KEY_FILE": str(tmp_path / "proof.pem")})

    assert settings.proof_key is not None
    assert "PRIVATE" not in repr(settings)
    for wrong in (RSA_KEY, "hunter2", str(tmp_path / "proof.pem")):
        told = problem(VTID_PROOF_KEY=wrong)
        assert told.startswith("VTID_PROOF_KEY: expected an Ed25519 private key in PEM")
        assert "VTID_PROOF_KEY_FILE" in told
        assert wrong not in told


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "0.0.0.0:9464", "[::1]:9464"])
def test_the_worker_gives_its_numbers_where_it_is_told_to_and_nowhere_else(address: str) -> None:
    assert Settings.load({}).worker_metrics_address is None
    assert Settings.load({"VTID_WORKER_METRICS_ADDRESS": address}).worker_metrics_address == address


@pytest.mark.parametrize(
    "address", ["9464", ":9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "localhost:9464", "::1:9464",
                "http://127.0.0.1:9464", "127.0.0.1:9464/metrics", "me@127.0.0.1:9464"],
)  # fmt: skip
def test_an_address_at_which_nobody_can_listen_or_ask_is_refused(address: str) -> None:
    told = problem(VTID_WORKER_METRICS_ADDRESS=address)

    assert told == (
        f"VTID_WORKER_METRICS_ADDRESS={address!r}: expected IP:PORT with a port of 1 to 65535, "
        "like 127.0.0.1:9464 or [::]:9464"
    )


@pytest.mark.parametrize(
    ("variables", "pins"),
    [
        ({}, False),
        ({"VTID_ENV": "staging"}, True),
        ({"VTID_ENV": "staging", "VTID_WORKER_VERSIONING": "off"}, False),
        ({"VTID_WORKER_VERSIONING": "pinned"}, True),
    ],
)
def test_runs_stay_with_their_build_outside_dev_unless_it_is_said(
    variables: dict[str, str], pins: bool
) -> None:
    assert Settings.load(variables).pins_runs is pins


def test_another_versioning_is_refused_with_what_is_allowed() -> None:
    told = problem(VTID_WORKER_VERSIONING="auto")

    assert "VTID_WORKER_VERSIONING='auto'" in told
    assert "'pinned' or 'off'" in told


def test_a_worker_whose_commit_nothing_tells_pins_no_run_and_says_what_to_set() -> None:
    pinned, unknown = Settings.load({"VTID_ENV": "staging"}), Build("1", None, "1+unknown")

    assert build_of(pinned, Build("1", "c0ffee", "1+c0ffee")) == "c0ffee"
    assert build_of(Settings.load({}), unknown) is None
    with pytest.raises(ConfigurationError, match="GIT_COMMIT_SHA"):
        build_of(pinned, unknown)
