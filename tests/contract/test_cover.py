"""Which types are tested for what holds of layers and methods, not of types."""

import cover
import keras
import pytest
from resume_child import RECIPES
from small import build_small

import kerasgan
from kerasgan import registry


def test_few_that_hold_everything():
    parts = {"a": {1, 2}, "b": {2, 3, 4}, "c": {3, 4, 5}, "d": {1}, "e": {4}}
    assert cover.smallest(parts) == ["a", "c"]
    assert cover.smallest({**parts, "e": {4, "new"}}) == ["a", "c", "e"]  # what only it has brings it in
    assert cover.smallest({"a": set(), "b": {1}}) == ["b"]
    # The first choice, which has most, is needless in the end.
    assert cover.smallest({"a": {1, 2, 3, 4}, "b": {1, 2, 5}, "c": {3, 4, 6}}) == ["b", "c"]


class Plain(kerasgan.GAN):
    default_loss = "hinge"

    def __init__(self, layer=keras.layers.ReLU):
        latents, samples = keras.Input((4,)), keras.Input((3,))
        generator = keras.Model(latents, keras.layers.Dense(3)(layer()(latents)))
        super().__init__(generator, keras.Model(samples, keras.layers.Dense(1)(samples)))

    @staticmethod
    def default_optimizers():
        return kerasgan.GAN.default_optimizers()

    def something_new(self):
        return 0


class Growing(Plain):
    stages = 2

    def stage_at(self, samples_seen):
        return int(samples_seen > 8)

    @property
    def metrics(self):
        return super().metrics


@keras.saving.register_keras_serializable(package="made_up")
class Unknown(keras.layers.Layer):
    def call(self, inputs):
        return inputs


def test_what_a_type_overrides():
    assert cover.overridden(Plain) == {}
    assert cover.overridden(Growing) == {"stage_at": Growing, "metrics": Growing}
    assert cover.overridden(type("Grandchild", (Growing,), {"metrics": None})) == cover.overridden(Growing)


def test_a_type_with_a_layer_or_a_method_of_its_own_is_in_the_cover():
    made_up = {"plain": Plain(), "other": Plain(), "growing": Growing(), "unknown": Plain(Unknown)}
    parts = {n: cover.layer_classes(g.generator) | {*cover.overridden(type(g))} for n, g in made_up.items()}
    assert "made_up>Unknown" in parts["unknown"]
    assert cover.smallest(parts) == ["growing", "unknown"]


@pytest.fixture(scope="module")
def resumed_states():
    recipes = [kerasgan.build(recipe, compile=True) for recipe in RECIPES.values()]
    return set().union(*map(cover.states, recipes))


@pytest.mark.parametrize("name", registry.TYPES)
def test_all_that_a_training_goes_on_with_is_in_a_training_that_is_resumed(name, resumed_states):
    """And trained on two devices: every method of a type's own, every layer and variable that keeps something."""
    shown = set().union(*(cover.overridden(registry.gan_class(r.gan_type)).items() for r in RECIPES.values()))
    own = set(cover.overridden(registry.gan_class(name)).items())
    gan = build_small(name)
    gan.compile()
    missing = sorted(method for method, _ in own - shown) + sorted(cover.states(gan) - resumed_states)
    assert not missing, f"{name} has {', '.join(missing)}: a recipe in tests/resume_child.py has to have that, too."
