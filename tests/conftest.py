"""What every test shares."""

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is slow, which says nothing about the code: the first text that hypothesis draws takes it seconds there.
settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the program does."""
    return "asyncio"
