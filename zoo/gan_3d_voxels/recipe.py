"""3D-GAN that makes small models of blocks: figures, furniture, crates, and things in between.

Against the paper: cubes of 16 cells instead of 64, half of its width, 128 latents; the game of WGAN-GP with three
critic updates a generator update, twice its rate, which falls to a tenth, and batches of 16. Objects are mirrored at
random. Those that do not fit into 16 cells are left out: 230 remain of 310.

Of 512 unpicked objects, 12 % are in pieces (less than nine tenths of them hang together; 4 % of the data), two are
empty. Most are heads of figures, plates, walls, boxes and trees, with a rim that is rougher than the data's: they are
less symmetric (mirrored, 69 % of their cells agree, 91 % of the data's).

There are 185 different shapes among the 230, and four in ten have one that equals them in 95 of 100 cells. So few can
be learned by heart: 9 % of the samples come so near to one of the data, all of them plain heads or whole plates, of
which the data have dozens that hardly differ.
"""

from kerasgan.registry import Recipe

_EPOCHS = 3_500
_SEEN = 192 * _EPOCHS  # an epoch has four steps of three batches

RECIPE = Recipe(
    name="gan_3d_voxels",
    gan_type="gan_3d",
    makes="small models of blocks, 16x16x16 cells",
    title="Block models",
    page={"seed": 36, "thumbnail": ["samples.png", 12, 793, 112, 893]},
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
)
