"""The failure scenarios: each promises something, plays it on a real stack, and shows what was seen.

a subject's module    says what is promised and plays the course
Drill                 its hands and eyes: the public API, the simulator's control plane, worker processes
Seen                  what there is in the end: run view, events, GitHub's journal, the workers' words
Promise               data, held against it: status, stage, code, effects, events, claims
"""

from vtid.cli.scenarios.catalogue import CATALOGUE
from vtid.cli.scenarios.promise import Promise, Result, Scenario
from vtid.cli.scenarios.runner import run_scenarios

__all__ = ["CATALOGUE", "Promise", "Result", "Scenario", "run_scenarios"]
