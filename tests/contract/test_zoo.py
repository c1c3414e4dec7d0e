"""What every pretrained model promises. An entry is loaded once; training it comes last."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
from small import data_for, made_by

import kerasgan
import kerasgan.zoo
from kerasgan import export, registry
from kerasgan.export import proof
from kerasgan.metrics import result


@pytest.fixture(scope="module")
def gan(entry):
    return kerasgan.load(entry)


@pytest.fixture(scope="module")
def exportable(entry, gan):
    return export.Exportable(gan, registry.get(entry), entry)


@pytest.fixture(scope="module")
def float32(exportable, tmp_path_factory):
    """The float32 file, which the export holds against Keras, and what it found."""
    path = tmp_path_factory.mktemp("float32") / "g.tflite"
    return path, export.tflite(exportable, path)


def test_generates_what_it_has_learned(entry, gan):
    samples = made_by(gan, 4, seed=1)
    np.testing.assert_array_equal(samples, made_by(gan, 4, seed=1))
    # Trained: samples differ from each other, and networks came with their weights.
    values = gan.media.to_model(samples)  # whatever the medium, in [-1, 1]
    assert all(np.mean(np.abs(values[i] - values[j])) > 0.01 for i, j in [(0, 1), (2, 3)])
    untrained = kerasgan.build(registry.get(entry), compile=False)
    began = gan.stages == 1 or gan.stage_at(int(gan.samples_seen)) > 0  # else the discriminator has not learned yet
    for name in ("generator", "discriminator") if began else ("generator",):
        first, at_first = (getattr(model, name).get_weights()[0] for model in (gan, untrained))
        assert np.abs(first - at_first).mean() > 1e-3


def test_labels_are_respected(gan):
    if gan.num_classes is None:
        return
    # Class means lie apart, beside how far samples of a class do (labels without effect make the ratio about 1), in
    # what samples of the medium are compared by: the mean of waveforms is silence.
    batches = [gan.generate(64, labels=label, seed=label) for label in range(gan.num_classes)]
    descriptors = np.stack([gan.media.descriptors(gan.media.to_model(samples)) for samples in batches])
    between, within = 64 * descriptors.mean(1).var(0, ddof=1), descriptors.var(1, ddof=1).mean(0)
    assert between.mean() > 3 * within.mean()


def test_truncation_is_offered_where_it_makes_samples_more_precise(entry, gan):
    if not isinstance(gan, kerasgan.GAN):
        return
    scores = result.load(pathlib.Path(kerasgan.zoo.__path__[0]) / entry / registry.SCORES)
    precisions = [score for score in scores if score.metric == "precision" and score.model == entry]
    network = precisions and precisions[0].feature_network
    precision = {score.truncation: score for score in precisions if score.feature_network == network}
    if 0.25 not in precision:
        with pytest.raises(ValueError, match=f"nobody has measured yet whether it makes the samples of {entry} more"):
            gan.generate(2, truncation=0.25)
        return
    whole, chosen = precision[None], precision[0.25]
    result.check_comparable(whole, dataclasses.replace(chosen, truncation=None))
    error = np.sqrt(sum(r.value * (1 - r.value) / r.n_fake for r in (whole, chosen)))
    if chosen.value < whole.value + 3 * error:
        with pytest.raises(ValueError, match=f"{entry} clearly more precise .*{chosen.value:.3f} with 0.25"):
            gan.generate(2, truncation=0.25)
        return
    means = []
    for truncation in (None, 0.25):  # the discriminator's mean logit of some samples
        values = gan.media.to_model(gan.generate(32, seed=1, labels=gan.num_classes and 1, truncation=truncation))
        inputs = values if gan.num_classes is None else [values, np.ones(32, "int32")]
        means.append(np.mean(gan.discriminator(inputs, training=False)))
    assert means[1] > means[0]


@pytest.mark.parametrize("mode", export.MODES)
def test_exports_as_its_card_says(entry, exportable, float32, mode, tmp_path):
    record = json.loads((pathlib.Path(kerasgan.zoo.__path__[0]) / entry / registry.PHONE).read_text())
    recorded = {one["quantization"]: one for one in record["modes"]}.get(mode)
    if mode not in ("float32", export.WEB_MODE) and record.get("proof") == proof.circumstances(exportable, float32[0]):
        pytest.skip(f"proved on these weights, this code and these versions: {registry.PHONE}")
    if recorded is None:  # such as whole numbers for what is drawn one after the other
        with pytest.raises(export.UnsupportedOperation):
            export.tflite(exportable, tmp_path / "g.tflite", mode)
        return
    if recorded["passed"]:
        found = float32[1] if mode == "float32" else export.tflite(exportable, tmp_path / "g.tflite", mode)
        assert found.passed and found.size == pytest.approx(recorded["size"], rel=0.01)
        if mode == export.WEB_MODE and exportable.gan.task.is_on_page(exportable.recipe):
            page = export.web({entry: tmp_path / "g.tflite"}, tmp_path / "page")
            assert [model["name"] for model in json.loads((page / "zoo.json").read_text())["models"]] == [entry]
        return
    assert mode != "float32"
    with pytest.raises(export.ToleranceError):
        export.tflite(exportable, tmp_path / "g.tflite", mode)
    assert list(tmp_path.iterdir()) == []


def test_fine_tunes(gan):
    """Last, as it changes the weights. Without a graph: tracing one takes long, and types are tested with theirs."""
    gan.run_eagerly = True
    logs = gan.fit(*data_for(gan, count=4 * gan.batches_per_step), batch_size=4, verbose=0).history
    assert np.isfinite(logs["generator_loss"]).all()
