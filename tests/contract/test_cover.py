"""Which types are tested for what holds of layers and methods, not of types."""

import cover
import keras

import kerasgan


def test_few_that_hold_everything():
    parts = {"a": {1, 2}, "b": {2, 3, 4}, "c": {3, 4, 5}, "d": {1}, "e": {4}}
    assert cover.smallest(parts) == ["a", "c"]
    assert cover.smallest({**parts, "e": {4, "new"}}) == ["a", "c", "e"]  # what only it has brings it in
    assert cover.smallest({"a": set(), "b": {1}}) == ["b"]
    assert cover.smallest(parts, {5}) == ["a", "b"] and cover.smallest(parts, {1, 2, 3, 4, 5}) == []
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
