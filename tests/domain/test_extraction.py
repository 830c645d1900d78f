"""Which task a change belongs to: hard cases by kind, and what holds for every text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.corpus import Score, report, rows, score, scores_by, split_of
from vtid.domain.extraction import ChangeText, extract
from vtid.domain.extraction_ids import references
from vtid.domain.vtid import mentioned_vtids

A, B, C = "VTID-01227", "VTID-01300", "VTID-01301"


def of(subject: str, body: str = "", branch: str | None = None) -> str | None:
    return extract(ChangeText(subject, body, branch)).vtid


# --- spelling


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("vtid-0522", "VTID-0522"),
        ("vtid 01229", "VTID-01229"),
        ("vtid03260", "VTID-03260"),
        ("Vtid_03260", "VTID-03260"),
        ("VTID-012345", "VTID-012345"),
        ("VTID-01218B", "VTID-01218"),
        ("VTID-0151-C", "VTID-0151"),
        ("VTID-01122-FIX", "VTID-01122"),
        ("DEV-CICDL-0034", "DEV-CICDL-0034"),
        ("DEV-COMHU-2025-0013", "DEV-COMHU-2025-0013"),
        ("DEV-OASIS-GOV-0101", "DEV-OASIS-GOV-0101"),
        ("DEV-COMHU-0151-C", "DEV-COMHU-0151"),
        ("VTID-2025-0008", "VTID-2025-0008"),
        ("VTID-DA-1a2b3c4d", "VTID-DA-1a2b3c4d"),
        ("vtid-da-1A2B3C4D", "VTID-DA-1a2b3c4d"),
        ("VTID-ORBC", "VTID-ORBC"),
        ("VTID-DANCE-D4", "VTID-DANCE-D4"),
    ],
)
def test_every_spelling_has_its_canonical_form(written: str, canonical: str) -> None:
    assert of(f"feat: pay ({written})") == canonical


@pytest.mark.parametrize(
    "written",
    [
        *("VTID-XXXXX", "VTID-NNNN", "VTID-AUTO", "VTID-YYYY-NNNN", "VTID-TBD", "VTID-123", "VTID", "VTIDs"),
        *(
            "BOOTSTRAP-ORB-MOVE",
            "BOOTSTRAP-VTID-01227-FIX",
            "BOOTSTRAP-VTID-LIST",
            "VTID-bearing",
            "VTID-0A640",
        ),
        *(
            "DEV-AUTOPILOT",
            "dev-server-8080",
            "MYVTID-01227",
            "vtid_ledger",
            "VTID-٠١٢٢٧",
            "claude/vtid-allocator",
        ),
    ],
)
def test_placeholders_tags_and_look_alikes_are_nobodys_id(written: str) -> None:
    found = extract(ChangeText(f"feat: pay ({written})", f"VTID: {written}", written))

    assert (found.vtid, found.found_in, found.all_mentioned) == (None, None, ())
    assert "the subject names no task" in found.why


def test_a_list_says_the_prefix_once() -> None:
    found = extract(ChangeText("docs: sync with VTID-03409/03410/03411"))

    assert (found.vtid, found.all_mentioned) == ("VTID-03409", ("VTID-03409", "VTID-03410", "VTID-03411"))


# --- titles


@pytest.mark.parametrize(
    "subject",
    [
        f"feat({A}): pay",
        f"feat!: {A} pay",
        f"fix(shop/api): {A} - pay",
        f"{A}: pay",
        f"[{A}] pay",
        f"feat: pay ({A}) (#12)",
        f"feat: pay ({A}, gap 1) (#12)",
        f"feat: pay (BOOTSTRAP-PAY {A})",
        f"docs: plan for {A}",
        f"Merge {A}: pay",
        f"fix({A}): follow-up to {B}",
        f"fix: follow-up to {B} ({A})",
        f"fix: undo what {B} broke ({A})",
        f"fix: no longer 401s after post_intent ({A})",
        f"revert: pay ({A})",
        f'Revert "feat: pay ({B})" ({A})',
        f"chore: rename {B} to {A}",
        f"Claude/{A.lower().replace('-', ' ')} checkout x9 (#7)",
        f"feat: pay (DEV-SHOPS-{A[5:]}, {A})",
        f"feat: pay (DEV-SHOPS-{A[5:]}), in the ledger {A}",
    ],
)
def test_a_title_tells_its_own_task(subject: str) -> None:
    found = extract(ChangeText(subject))

    assert (found.vtid, found.found_in) == (A, "subject")
    assert A in found.why


@pytest.mark.parametrize(
    "subject",
    [
        f"fix: follow-up to {A}",
        f"Follow-up to {A}, {B} and {C}",
        f'Revert "feat({A}): pay" (#12)',
        f"Revert {A}",
        f"refactor: same pattern as {A}",
        f"docs: pattern of {A}",
        f"fix: regression from {A}",
        f"chore: groundwork before {A}",
    ],
)
def test_a_title_that_only_cites_names_no_task_and_says_so(subject: str) -> None:
    found = extract(ChangeText(subject))

    assert (found.vtid, found.found_in) == (None, None)
    assert f"the subject only cites {', '.join(found.all_mentioned)}" in found.why
    assert A in found.all_mentioned


# --- bodies


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (f"Why.\n\nVTID: {A}", "trailer"),
        (f"Why.\n\n**VTID:** `{A}`", "trailer"),
        (f"| VTID | {A} |", "trailer"),
        (f"- VTID: {A}\n- Area: shop", "trailer"),
        (f"Why.\n\nImplements {A}.", "trailer"),
        (f"Why.\n\n{A}, {B}", "trailer"),
        (f"Builds on {B}.\n\n({A})", "trailer"),
        (f"Why.\n\n{A}: keep the session open", "label"),
        (f"## {A}: pay\n\nlike {B} does", "label"),
        (f"- {A}: ledger\n- {B}: sync", "label"),
        (f"- faster\n- {A}: what was wrong", "label"),
        (f"* feat({A}): one\n\n* fix({A}): two\n\n* fix({B}): three", "squash_headings"),
        (f"* {B}: one\n\n* {A}: two\n\nAfter {B}.\n\n* {A}: three", "squash_headings"),
        (f"* {A}: of equals\n\n* {B}: the first", "squash_headings"),
    ],
)
def test_a_body_tells_the_task_when_the_subject_does_not(body: str, place: str) -> None:
    found = extract(ChangeText("fix: pay (#12)", body))

    assert (found.vtid, found.found_in) == (A, place)


@pytest.mark.parametrize(
    "body",
    [
        f"The session of {A} is kept open.",
        f"Same as {A}:\nnothing new.",
        f"{A}'s migration came too late.",
        f"Came with it:\n- {A}: ledger\n- {B}: sync",
        f"> VTID: {A}",
        f"<!-- VTID: {A} -->",
        f"* Retry after adding {A} to the title",
        "VTID: VTID-XXXXX",
    ],
)
def test_an_id_that_a_body_only_mentions_is_not_the_answer(body: str) -> None:
    found = extract(ChangeText("fix: pay", body))

    assert found.vtid is None
    assert found.why.startswith("the subject names no task; the body ")


# --- merges and branches


@pytest.mark.parametrize(
    ("subject", "body", "vtid", "place"),
    [
        ("Merge pull request #1 from acme/claude/x", f"{A}: pay", A, "merge_title"),
        ("Merge pull request #1 from acme/claude/x", f"fix: pay ({A})\n\nAs {B} did.", A, "merge_title"),
        ("Merge pull request #1 from acme/claude/vtid-01300-x", f"fix: pay ({A})", A, "merge_title"),
        ("Merge pull request #1 from acme/claude/vtid-01227-x", "fix: pay", A, "branch"),
        ("Merge pull request #1 from acme/claude/vtid01227", f"fix: as in {B}", A, "branch"),
        ("Merge pull request #1 from acme/claude/x", f"Pay\n\nVTID: {A}", A, "trailer"),
        ("Merge branch 'main' into claude/vtid-01227-x", f"# {B}: came in", A, "branch"),
        ("Merge remote-tracking branch 'origin/main' into claude/vtid-01227-x", "", A, "branch"),
        ("Merge branch 'claude/vtid-01227-x'", "", A, "branch"),
        ("Merge branch 'claude/vtid-01227-x' into main", "", A, "branch"),
        ("Merge branch 'pay' into 'main'", f"Pay ({A})\n\nSee merge request !7", A, "merge_title"),
        ("Merge branch 'pay'", f"Pay.\n\nVTID: {A}", A, "trailer"),
        ("Merge branch 'pay' into claude/vtid-01227-x", f"VTID: {B}", A, "branch"),
        (f"merge: take in main ({A})", f"- {B}: came in", A, "merge_message"),
        ("merge: resolve conflicts with main", f"Merged {A} topics with {B} places from main.", A, "merge_message"),
        ("Merge branch 'main' of https://host/acme/shop", f"{A}: came in", None, None),
        ("chore: merge main into branch", f"Merge origin/main:\n- {A}: came in\n- {B}: too", None, None),
        (f"merge: integrate {A} garden with {B} router", f"- {A}: garden\n- {B}: router", None, None),
    ],
)  # fmt: skip
def test_a_merge_belongs_to_whose_work_goes_on(
    subject: str, body: str, vtid: str | None, place: str | None
) -> None:
    found = extract(ChangeText(subject, body))

    assert (found.vtid, found.found_in) == (vtid, place)


def test_the_branch_is_asked_before_the_body_and_after_the_subject() -> None:
    branch = "claude/vtid-01300-a1b2c3-1"

    assert of(f"fix: pay ({A})", branch=branch) == A
    assert of("fix: pay", f"VTID: {A}", branch) == B
    assert of("fix: pay", f"VTID: {A}", "claude/fix") == A


def test_a_title_that_github_cut_is_read_as_a_whole() -> None:
    assert of("feat(shop): keep the session open while people pay … (#12)", f"…and leave ({A})") == A
    assert of("feat(shop): keep the session open while people pay (VTI…", "…D-01227)\n\nWhy.") == A


# --- the pull request


def test_the_pull_request_is_asked_first() -> None:
    change = ChangeText(
        f"fix: pay ({B})", branch="claude/vtid-01301-x", pr_title=f"Pay ({A})", pr_body=f"VTID: {C}"
    )

    assert extract(change).vtid == A
    assert extract(change).found_in == "pr_title"


def test_the_text_of_the_pull_request_is_asked_when_its_title_is_silent() -> None:
    found = extract(ChangeText(f"fix: pay ({B})", pr_title="Pay", pr_body=f"## Task\n\nVTID: {A}\n"))

    assert (found.vtid, found.found_in) == (A, "pr_body")
    assert found.all_mentioned == (A, B)


def test_a_silent_pull_request_leaves_the_answer_to_the_commit() -> None:
    found = extract(ChangeText(f"fix: pay ({A})", pr_title="Pay", pr_body="VTID: VTID-XXXXX"))

    assert (found.vtid, found.found_in) == (A, "subject")


def test_why_none_tells_every_source_that_was_asked() -> None:
    found = extract(ChangeText("fix: pay (BOOTSTRAP-PAY)", f"Since {A}.", "claude/pay", "Pay", "Pays."))

    assert found.why == (
        "the pull request's title names no task; the pull request's text names no task; "
        "the subject names no task; the branch claude/pay names no task; "
        f"the body only mentions {A}; BOOTSTRAP-PAY is a tag without a task"
    )


# --- every text

numbers = st.text("0123456789", min_size=4, max_size=6)
ids = st.one_of(
    numbers.map(lambda digits: f"VTID-{digits}"),
    st.builds("DEV-{}-{}".format, st.text("ABCDEFG", min_size=3, max_size=6), numbers),
    st.text("0123456789abcdef", min_size=8, max_size=8).map(lambda digits: f"VTID-DA-{digits}"),
)
pieces = st.one_of(
    st.text(max_size=20),
    ids,
    st.sampled_from(
        ["\n", "\n\n", "* ", "- ", "(", ")", "[", ": ", '"', "…", "/", "main", " into ", " with ", "follow-up to ",
         "Revert ", "Merge ", "Merge pull request #1 from a/", "VTID: ", "BOOTSTRAP-", "VTID-", "vtid ", "feat("]
    ),
)  # fmt: skip
texts = st.lists(pieces, max_size=12).map("".join)


@given(texts, texts, st.none() | texts, st.none() | texts, st.none() | texts)
def test_every_change_is_answered_with_a_reason(
    subject: str, body: str, branch: str | None, title: str | None, text: str | None
) -> None:
    change = ChangeText(subject, body, branch, title, text)
    found = extract(change)

    assert found == extract(change)
    assert found.why
    assert (found.vtid is None) == (found.found_in is None)
    assert found.vtid is None or found.all_mentioned[0] == found.vtid
    assert len(set(found.all_mentioned)) == len(found.all_mentioned)


@given(texts)
def test_every_id_is_spelled_canonically_and_stands_where_it_is_said_to(text: str) -> None:
    end = 0
    for each in references(text):
        assert end <= each.start < each.end
        end = each.end
        assert [again.id for again in references(each.id)] == [each.id]


@given(texts)
def test_numeric_ids_are_those_that_other_parts_see(text: str) -> None:
    ours = {each.id for each in references(text) if each.id[5:].isdigit() and text[each.start] != "/"}

    assert ours <= set(mentioned_vtids(text))


@given(
    ids,
    st.sampled_from(["feat({}): pay", "{}: pay", "[{}] pay", "feat: pay ({}) (#2)", "fix(x): {} - pay"]),
    texts,
)
def test_a_tag_in_the_subject_decides_whatever_the_body_says(task: str, form: str, body: str) -> None:
    body = body.replace("…", "")  # which would be a part of the subject

    assert of(form.format(task), body) == task


@given(ids, ids, st.sampled_from(["follow-up to {}", "same pattern as {}", "per {}", "see {}", "unlike {}"]))
def test_a_cited_id_never_wins(cited: str, own: str, form: str) -> None:
    citing = form.format(cited)

    assert of(f"fix: pay, {citing}") is None
    assert of("fix: pay", f"This is {citing}.") is None
    assert of(f"fix: {citing}", f"VTID: {own}") == own


@pytest.mark.parametrize(
    "hostile",
    [
        "* " + "VTID-01227 " * 6_000,
        "* " + "(" * 60_000 + "a VTID-01227",
        "VTID-" * 13_000,
        "VTID-" + "0" * 60_000 + "ab",
        "VTID-" + "A-" * 30_000,
        "DEV-" + "A" * 60_000,
        ("VTID-01227" + " " * 500) * 120,
        "VTID-01227\n" * 6_000,
        "- VTID-01227: a\n" * 4_000,
        "merge into " * 6_000,
    ],
    ids=lambda text: text[:12].strip(),
)
def test_no_text_is_expensive(hostile: str) -> None:
    start = time.perf_counter()
    for change in (
        ChangeText(hostile),
        ChangeText("x", hostile),
        ChangeText("x", pr_title=hostile, pr_body=hostile),
    ):
        assert extract(change).why

    assert time.perf_counter() - start < 3


# --- the corpus


def better_than(figure: Score, f1: float) -> bool:
    return figure.f1 >= f1 and figure.false <= figure.missed


def test_the_corpus_is_answered_as_people_did(capsys: pytest.CaptureFixture[str]) -> None:
    everything = rows()
    splits = scores_by(split_of, everything)
    with capsys.disabled():
        print(f"\n{report()}")  # noqa: T201 - the figures are what this test is for

    figure = score(everything)
    assert figure.f1 >= 0.97
    assert figure.false < figure.missed
    assert all(better_than(each, 0.97) for each in splits.values())


def test_no_kind_of_place_is_left_behind() -> None:
    for kind, figure in scores_by(lambda row: str(row["kind"]), rows()).items():
        assert figure.false == 0 if kind == "none" else figure.recall >= 0.9, (kind, figure)
