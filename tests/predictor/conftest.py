"""A small model in memory."""

import pytest
from small_predictor import made


@pytest.fixture
def predictor():
    return made()
