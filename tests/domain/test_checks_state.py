from random import Random

from hypothesis import given
from hypothesis import strategies as st

from vtid.domain.change import Check, CheckState
from vtid.domain.checks import checks_state

GREEN, RED, PENDING, SKIPPED = CheckState.GREEN, CheckState.RED, CheckState.PENDING, CheckState.SKIPPED
NAMES = ("ci", "lint", "security", "slow")

all_runs = st.lists(
    st.builds(Check, st.sampled_from(NAMES), st.sampled_from(CheckState)), unique_by=lambda run: run.name
).map(tuple)
names = st.sets(st.sampled_from(NAMES)).map(lambda some: tuple(sorted(some)))


@given(names, names)
def test_zero_checks_are_never_green(required: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    assert checks_state((), required, allowed) is PENDING


@given(all_runs, names, names)
def test_red_beats_pending(
    runs: tuple[Check, ...], required: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    others = tuple(run for run in runs if run.name != "ci")

    assert checks_state((*others, Check("ci", RED)), required, allowed) is RED


@given(all_runs, names)
def test_a_skipped_check_is_green_only_where_policy_names_it(
    runs: tuple[Check, ...], required: tuple[str, ...]
) -> None:
    others = tuple(Check(run.name, GREEN) for run in runs if run.name != "lint")
    shown = {run.name for run in others} | {"lint"}
    there = tuple(name for name in required if name in shown)

    assert checks_state((*others, Check("lint", SKIPPED)), there, ()) is RED
    assert checks_state((*others, Check("lint", SKIPPED)), there, ("lint",)) is GREEN


@given(all_runs, names, names)
def test_green_means_that_nothing_is_missing_running_or_red(
    runs: tuple[Check, ...], required: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    acceptable = {
        run.name for run in runs if run.state is GREEN or (run.state is SKIPPED and run.name in allowed)
    }
    is_green = bool(runs) and len(acceptable) == len(runs) and set(required) <= acceptable

    assert (checks_state(runs, required, allowed) is GREEN) == is_green


@given(all_runs, names, names, st.randoms())
def test_the_order_of_checks_means_nothing(
    runs: tuple[Check, ...], required: tuple[str, ...], allowed: tuple[str, ...], random: Random
) -> None:
    mixed = list(runs)
    random.shuffle(mixed)

    assert checks_state(tuple(mixed), required, allowed) is checks_state(runs, required, allowed)
