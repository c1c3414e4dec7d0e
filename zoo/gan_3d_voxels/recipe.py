"""3D-GAN that makes small models of blocks: figures, furniture, crates, and things in between.

Against the paper: cubes of 16 cells instead of 64, half of its width, 128 latents; the game of WGAN-GP with three
critic updates a generator update, twice its rate, which falls to a tenth, and batches of 16. Objects are mirrored at
random. Those that do not fit into 16 cells are left out: 230 remain of 310.

There are 185 different shapes among these 230, and four in ten have one that equals them in 95 of 100 cells. So few can
be learned by heart; the scores say how many of the samples come so near to one of them, and how many of the data do.
"""

from kerasgan.registry import Recipe

_EPOCHS = 3_500
_SEEN = 192 * _EPOCHS  # an epoch has four steps of three batches

RECIPE = Recipe(
    name="gan_3d_voxels",
    gan_type="gan_3d",
    makes="small models of blocks, 16x16x16 cells",
    model={"size": 16, "width": 32, "latent_dim": 128},
    compile={
        "learning_rate": f"linear(2e-4, 2e-5, {_SEEN}, {_SEEN // 2})",
        "discriminator_steps": 3,
        "ema_half_life": 10_000,
    },
    data={"reader": "volumes", "size": 16, "larger": "skip", "flip": True},
    data_name="Mini Mike's Metro Minis by Mike Judge, voxel models of a town, its people and its aliens",
    data_license="CC BY 4.0",
    license="CC BY 4.0, as the models",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
    dtype="float32",
    fingerprint="9635f433a5e156af2cb14a1b4afdcf54f69c28869d0b93d976568d81dd0485af",  # until it is published
)
