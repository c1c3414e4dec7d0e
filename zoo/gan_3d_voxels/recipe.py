"""3D-GAN that makes small models of blocks: figures, furniture, crates, and things in between.

Against the paper: cubes of 16 cells instead of 64, half of its width, the game of WGAN-GP, batches of 32; objects are
mirrored at random. Objects that do not fit into 16 cells are left out: 230 of 310 remain.

So few objects can be learned by heart. The sheet shows the training's nearest object beside each sample.
"""

from kerasgan.registry import Recipe

_EPOCHS = 10_000
_SEEN = 224 * _EPOCHS

RECIPE = Recipe(
    name="gan_3d_voxels",
    gan_type="gan_3d",
    makes="small models of blocks, 16x16x16 cells",
    model={"size": 16, "width": 32, "latent_dim": 128},
    compile={
        "learning_rate": f"linear(2e-4, 2e-5, {_SEEN}, {_SEEN // 2})",
        "ema_half_life": 10_000,
    },
    data={"reader": "volumes", "size": 16, "larger": "skip", "flip": True},
    data_name="310 voxel models",
    data_license="CC BY 4.0",
    license="CC BY 4.0, as the models",
    batch_size=32,
    epochs=_EPOCHS,
    seed=1,
    dtype="float32",
)
