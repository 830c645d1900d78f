"""What the checks of a commit say together: the rules, the wait for them and the merge read them alike."""

from vtid.domain.change import Check, CheckState, is_met_by


def checks_state(
    runs: tuple[Check, ...], required: tuple[str, ...], allow_skipped: tuple[str, ...]
) -> CheckState:
    """RED as soon as one is; PENDING while one runs, a required one is absent or none exists; else GREEN.

    A skipped or neutral check is green only where the policy names it: GitHub itself would let it pass.
    """
    if red_checks(runs, allow_skipped):
        return CheckState.RED
    absent = any(not any(is_met_by(name, run) for run in runs) for name in required)
    if not runs or any(run.state is CheckState.PENDING for run in runs) or absent:
        return CheckState.PENDING
    return CheckState.GREEN


def red_checks(runs: tuple[Check, ...], allow_skipped: tuple[str, ...]) -> tuple[Check, ...]:
    """The finished checks that are not green, nor skipped where the policy allows it."""
    return tuple(
        run for run in runs if run.state is not CheckState.PENDING and not _acceptable(run, allow_skipped)
    )


def _acceptable(check: Check, allow_skipped: tuple[str, ...]) -> bool:
    return check.state is CheckState.GREEN or (
        check.state is CheckState.SKIPPED and check.name in allow_skipped
    )
