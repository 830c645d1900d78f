"""Every scenario by its name, in the order in which they are told."""

from vtid.cli.scenarios import (
    deciding,
    deploying,
    engine,
    hints,
    merging,
    outages,
    serving,
    validation,
    worker,
)
from vtid.cli.scenarios.promise import Scenario

CATALOGUE: dict[str, Scenario] = {
    scenario.name: scenario
    for subject in (worker, validation, merging, deploying, serving, outages, hints, deciding, engine)
    for scenario in subject.SCENARIOS
}
