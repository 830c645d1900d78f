"""Which added lines look like a secret. The values are put together here, so that none stands in a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtid.domain.secret_shapes import masked, secrets_in_patch

SECRETS = {
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitLab token": "glpat-" + "a1B2" * 5,
    "AWS access key": "AKIA" + "ABCD" * 4,
    "Google API key": "AIza" + "a1B2c" * 7,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Anthropic key": "sk-ant-" + "api03-" + "a1B2" * 6,
    "sk- key": "sk-" + "proj-" + "a1B2" * 6,
    "Stripe key": "sk_live_" + "a1B2" * 5,
    "Slack token": "xoxb-" + "1234-" * 4,
    "npm token": "npm_" + "a1B2" * 9,
    "Google access token": "ya29." + "a1B2" * 8,
    "JSON web token": ".".join(["eyJ" + "a1B2" * 4, "eyJ" + "a1B2" * 4, "a1B2" * 4]),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_an_added_secret_is_told_by_its_kind(kind: str) -> None:
    found = secrets_in_patch("app.env", f"@@ -0,0 +1 @@\n+KEY={SECRETS[kind]}\n")

    assert found == (f"app.env: {kind}",)


def test_removed_and_untouched_lines_are_no_concern_of_this_change() -> None:
    value = SECRETS["GitHub token"]

    assert secrets_in_patch("a", f"@@ -1,2 +1 @@\n-{value}\n {value}\n") == ()


@pytest.mark.parametrize(
    "line",
    [
        "ghp_short",
        "task-force-of-more-than-twenty-letters",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "sha = 28442e09061571a5f1cb5ec9c9813ac256d19e97",
        "disk-cache-" + "a1B2" * 6,
        "risk-proj-assessment_of_everything_there_is",
    ],
)
def test_what_only_resembles_a_secret_is_none(line: str) -> None:
    assert secrets_in_patch("a", f"+{line}\n") == ()


def test_of_a_private_key_the_body_is_masked_as_well_also_where_its_end_is_cut_off() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"

    assert masked(f"a {begin}\nMIIEow\n{end} b") == "a [private key masked] b"
    assert masked(f"a {begin}\nMIIEow") == "a [private key masked]"


def test_the_password_in_an_address_is_masked_and_the_address_stays() -> None:
    said = "cannot reach postgresql://shop:hunter2@db.internal:5432/shop and https://example.com/a:b@c"

    assert masked(said) == (
        "cannot reach postgresql://shop:[password masked]@db.internal:5432/shop and https://example.com/a:b@c"
    )


KEPT_NEXT_TO = {
    "https://store.test/log?sv=1&sig=[masked]&se=2026": "https://store.test/log?sv=1&sig=s3cr3ts3cr3t&se=2026",
    "X-Goog-Signature": "https://store.test/o?X-Goog-Signature=s3cr3ts3cr3t",
    "authorization: Bearer [masked]": "authorization: Bearer s3cr3ts3cr3t",
    '"Authorization": "Basic [masked]"': '{"Authorization": "Basic s3cr3ts3cr3t"}',
    "API_KEY=[masked] MODE=strict": "API_KEY=s3cr3ts3cr3t MODE=strict",
    '"client_secret": "[masked]"': '{"client_secret": "s3cr3ts3cr3t"}',
}


@pytest.mark.parametrize("kept", KEPT_NEXT_TO)
def test_what_its_place_says_is_a_secret_is_masked_and_its_place_stays(kept: str) -> None:
    said = masked(KEPT_NEXT_TO[kept])

    assert "s3cr3t" not in said
    assert kept in said


@pytest.mark.parametrize(
    "line",
    [
        "Unexpected token: } in line 7",
        "the token has expired, and the secret API_KEY is not bound",
        "secret bindings missing: API_KEY, DATABASE_PASSWORD",
        "expected a key like page_size=20, token_count=3",
        "GET /repos/acme/shop/actions/runs?event=push&per_page=100",
    ],
)
def test_words_about_secrets_are_none(line: str) -> None:
    assert masked(line) == line


def test_known_values_are_masked_whatever_their_shape_but_not_words_of_a_few_letters() -> None:
    assert masked("hunter2! said the shop", ("hunter2!", "shop", "")) == "[secret masked] said the shop"


@given(st.text(), st.sampled_from(list(SECRETS.values())), st.text())
def test_masking_again_changes_nothing(before: str, secret: str, after: str) -> None:
    once = masked(f"{before} {secret} {after}")

    assert secret not in once
    assert masked(once) == once
