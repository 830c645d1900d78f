"""Courses that many scenarios take."""

from vtid.cli.scenarios.calls import Json
from vtid.cli.scenarios.drill import Drill
from vtid.cli.scenarios.promise import Course


def works(behaviour: str = "honest", worker: str = "worker", **world: Json) -> Course:
    """One worker of this behaviour, in a world that behaves like this, until the run is decided."""

    async def course(drill: Drill) -> None:
        if world:
            await drill.world.behave(world)
        await drill.hire(worker, behaviour)
        await drill.start()
        await drill.until_decided()

    return course
