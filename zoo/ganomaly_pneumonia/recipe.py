"""GANomaly that has seen X-rays of healthy chests of children, and says how strange others are.

Not a diagnosis. It tells the sick from the healthy better than chance and than principal components, and far worse than
blur alone, which has an AUC of 0.92 on these pictures, perhaps by the sizes of the original ones. It shows how a score
is trained, compared with normal samples and judged, and why the judgement matters.

Against the paper: pictures of 28 pixels, a quarter of its width, codes of 32 numbers.
"""

from kerasgan.registry import Recipe

RECIPE = Recipe(
    name="ganomaly_pneumonia",
    gan_type="ganomaly",
    makes="scores of how strange X-rays of chests are, 28x28 grey",
    title="X-rays",
    page={
        "give": "Give it an X-ray of a chest: it has seen healthy ones of children, and finds anything else strange.",
        "warning": "Not a diagnosis: it tells the sick from the healthy worse than blur alone does.",
        "thumbnail": ["samples.png", 0, 30, 28, 58],
        "examples": [
            ["samples.png", 0, 30, 28, 58],
            ["samples.png", 120, 60, 148, 88],
            ["samples.png", 60, 150, 88, 178],
            ["samples.png", 0, 180, 28, 208],
            ["samples.png", 180, 120, 208, 148],
        ],
    },
    model={"image_shape": [28, 28, 1], "latent_dim": 32, "width": 16},
    compile={"ema_half_life": 5_000},
    data={
        "reader": "images",
        "size": 28,
        "channels": 1,
        "key": "train_images",
        "subset": "train_labels=0",
        "part": "train",
    },
    data_name="PneumoniaMNIST (Yang et al., 2023; Kermany et al., 2018), not in its official split",
    data_license="CC BY 4.0",
    license="CC BY 4.0",
    batch_size=32,
    epochs=150,
    seed=1,
)
