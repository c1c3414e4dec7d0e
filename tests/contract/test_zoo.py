"""What every pretrained model promises."""

import json
import pathlib

import numpy as np
import pytest
from small import data_for, made_by

import kerasgan
import kerasgan.zoo
from kerasgan import export, registry


def test_loads_generates_and_fine_tunes(entry):
    gan = kerasgan.load(entry)
    samples = made_by(gan, 8, seed=1)
    np.testing.assert_array_equal(samples, made_by(gan, 8, seed=1))
    # Trained: samples differ from each other, and the discriminator came with its weights.
    assert all(np.mean(np.abs(samples[i].astype(int) - samples[j].astype(int))) > 1 for i, j in [(0, 1), (2, 3)])
    untrained = kerasgan.build(kerasgan.registry.get(entry), compile=False)
    assert np.abs(gan.discriminator.get_weights()[0] - untrained.discriminator.get_weights()[0]).mean() > 1e-3
    data = data_for(gan, count=4 * gan.batches_per_step)
    logs = gan.fit(*data, batch_size=4, verbose=0).history
    assert np.isfinite(logs["generator_loss"]).all()


def test_labels_are_respected(entry):
    gan = kerasgan.load(entry)
    if gan.num_classes is None:
        return
    # Each class on its own is less varied than all classes together, and class means differ.
    means = np.stack([gan.generate(64, labels=label, seed=2).mean(0) for label in range(gan.num_classes)])
    assert np.abs(means[:, None].astype(float) - means[None]).mean() > 5


@pytest.mark.parametrize("mode", export.MODES)
def test_exports_as_its_card_says(entry, mode, tmp_path):
    record = json.loads((pathlib.Path(kerasgan.zoo.__path__[0]) / entry / registry.PHONE).read_text())
    (recorded,) = [one for one in record["modes"] if one["quantization"] == mode]
    if recorded["passed"]:
        found = export.tflite(entry, tmp_path / "g.tflite", mode)
        assert found.size == pytest.approx(recorded["size"], rel=0.01)
        return
    assert mode != "float32"
    with pytest.raises(export.ToleranceError):
        export.tflite(entry, tmp_path / "g.tflite", mode)
    assert list(tmp_path.iterdir()) == []
