from tests.adapters.conftest import control, origin, sim

__all__ = ["control", "origin", "sim"]
