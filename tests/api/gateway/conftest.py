import pytest

from tests.api.conftest import Staging
from tests.api.gateway.clients import Forge, Mcp, Runner
from tests.api.stage import Play


@pytest.fixture
def forge() -> Forge:
    return Forge()


@pytest.fixture
async def play(staging: Staging, forge: Forge) -> Play:
    return staging(code_host=forge.port(), gateway_wait_seconds=1.0, gateway_hold_seconds=0.2)


@pytest.fixture
async def runner(play: Play) -> Runner:
    return Runner(play)


@pytest.fixture
async def mcp(play: Play) -> Mcp:
    return Mcp(play)
