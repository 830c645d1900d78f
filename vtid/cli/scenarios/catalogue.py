"""Every scenario by its name, in the order in which they are told."""

from vtid.cli.scenarios import (
    afterwards,
    clients,
    deciding,
    deploying,
    elsewhere,
    engine,
    hints,
    merging,
    outages,
    queueing,
    secrecy,
    serving,
    stopping,
    validation,
    worker,
)
from vtid.cli.scenarios.promise import Scenario

CATALOGUE: dict[str, Scenario] = {
    scenario.name: scenario
    for subject in (
        worker,
        validation,
        merging,
        queueing,
        deploying,
        serving,
        elsewhere,
        secrecy,
        afterwards,
        outages,
        hints,
        clients,
        deciding,
        stopping,
        engine,
    )
    for scenario in subject.SCENARIOS
}
