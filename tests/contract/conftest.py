"""Runs each contract on everything that is registered."""

import cover
import pytest

from kerasgan import registry


@pytest.fixture(scope="module", params=list(registry.TYPES))
def gan_type(request):
    return request.param


@pytest.fixture(params=registry.ZOO, scope="module")
def entry(request):
    return request.param


def pytest_generate_tests(metafunc):
    """What holds of layers and methods is tested on few types that have all of them."""
    covers = {
        "training_type": cover.of_training,
        "inference_type": cover.of_inference,
    }
    for name, types in covers.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, types(), scope="module")
