"""Runs each contract on everything that is registered."""

import pytest

from kerasgan import registry


@pytest.fixture(params=list(registry.TYPES))
def gan_type(request):
    return request.param


@pytest.fixture(params=registry.ZOO, scope="module")
def entry(request):
    return request.param
