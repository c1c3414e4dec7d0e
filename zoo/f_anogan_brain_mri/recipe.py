"""f-AnoGAN that has seen scans of brains without tumours, and says how strange others are.

Not a diagnosis. Fewer than a hundred scans from many sources, of which the licence is unclear: a recipe without
weights. And no better than what is simpler: with 30 of the 98 normal scans kept apart, its AUC was 0.63 for one such
split, where sixteen principal components have 0.80 +- 0.04 over five splits, and mean brightness 0.75.
"""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="f_anogan_brain_mri",
    gan_type="f_anogan",
    makes="scores of how strange scans of brains are, 32x32 grey",
    model={"image_shape": [32, 32, 1], "latent_dim": 64, "width": 16, "generator_samples": 200_000},
    compile={"ema_half_life": 5_000},
    data={
        "reader": "images",
        "size": 32,
        "channels": 1,
        "key": "images",
        "subset": "labels=0",
        "part": "train",
        "flip": True,
    },
    data_name="Brain MRI Images for Brain Tumor Detection, 98 normal of 253 scans",
    data_license="unclear",
    license="no weights are shared",
    batch_size=16,
    epochs=4_000,
    seed=1,
)
