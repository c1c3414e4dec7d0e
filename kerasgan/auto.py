"""`kerasgan train auto`: what to train and how, by a look at the pictures."""

from kerasgan.recipes import Recipe

NAME = "auto"
MINUTES = 120  # of a training whose time nobody gave

_FEWEST = 10  # pictures, below which nothing but copies of them can come out
_FEW = 2_000  # below which the discriminator knows them by heart soon
_SIDES = (16, 32, 64)
_LONG = 1.6  # times as long as wide, from where on samples are twice as long as wide
_COLOURS = {1: "grey", 3: "in colours", 4: "with transparency"}


def adam(learning_rate, beta_1, beta_2):
    """Arguments of `compile`: an Adam for each player."""
    config = {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2}
    return {
        f"{player}_optimizer": {"class_name": "Adam", "config": config} for player in ("discriminator", "generator")
    }


# Arguments of a recipe for a short training of a DCGAN; schedules are in shares of the training.
SETTINGS = {
    "model": {"latent_dim": 128, "width": 48, "normalization": "none", "minibatch_deviation": True, "latent": "normal"},
    "compile": {
        **adam(5e-4, 0.0, 0.99),
        # High for two thirds of the training, then lower: the samples sharpen when it falls.
        "learning_rate": "geometric(5e-4, 5e-5, 1, 0.65)",
        "loss": "non_saturating",
        "penalties": [{"class_name": "kerasgan>R1", "config": {"weight": 0.2, "interval": 16}}],
        "augmentation": "translation",
        "ema_half_life": 10_000,
    },
    "batch_size": 32,
}


def plan(seen):
    """The recipe for pictures, and why it is that one.

    Args:
        seen: `kerasgan.data.looking.Look`.

    Returns:
        (`kerasgan.recipes.Recipe` whose schedules and length are in shares of the training, see
        `kerasgan.runs.preparing.lasting`; lines of text).

    Raises:
        ValueError: nothing can be learned from these pictures.
    """
    _check(seen)
    shape, is_drawn = _shape(seen), seen.drawn > 0.5
    augmentation = "translation" if _are_many(seen) else "adaptive"
    recipe = Recipe(
        name=NAME,
        gan_type="dcgan",
        model={"image_shape": [*shape, seen.channels], **SETTINGS["model"]},
        compile={**SETTINGS["compile"], "augmentation": augmentation},
        data={"reader": "images", "size": shape, "channels": seen.channels, "flip": not is_drawn},
        batch_size=SETTINGS["batch_size"],
        epochs=1,
        seed=None,
        dtype="auto",
    )
    return recipe, _reasons(seen, shape, is_drawn)


def _check(seen):
    """Raises a ValueError for pictures from which nothing can be learned."""
    if seen.count is not None and seen.count < _FEWEST:
        raise ValueError(
            f"data holds {seen.count} pictures, which a GAN would only copy: give at least some dozens, better more."
        )
    if seen.distinct == 1:
        raise ValueError("data holds one picture again and again, and nothing else could be learned: give others, too.")


def _are_many(seen):
    return seen.count is None or seen.count >= _FEW


def _shape(seen):
    """[height, width] of the samples: that of small pictures, at most 64, and twice as long as wide of long ones."""
    short = min(seen.height, seen.width)
    side = next((side for side in _SIDES if side >= short), _SIDES[-1])
    if seen.width > _LONG * seen.height:
        return [side // 2, side]
    if seen.height > _LONG * seen.width:
        return [side, side // 2]
    return [side, side]


def _reasons(seen, shape, is_drawn):
    """What was seen, and what follows from it, in lines of text."""
    pictures = "drawings" if is_drawn else "photographs"
    mixed = f", {seen.drawn:.0%} of them drawings" if 0.2 < seen.drawn < 0.8 else ""
    count = "A stream of" if seen.count is None else f"{seen.count:,}"
    height, width = shape
    cut = ", cut to their middle" if seen.height * width != seen.width * height else ""
    advice = "" if _are_many(seen) else "; some hundreds more would make better samples"
    return [
        f"{count} {pictures}{mixed}, mostly {seen.width}x{seen.height}, {_COLOURS[seen.channels]}: samples of "
        f"{width}x{height}{cut}.",
        f"The discriminator sees them {'moved a little' if _are_many(seen) else 'changed in many ways'}"
        f"{'' if is_drawn else ' and mirrored'}, so that it does not learn them by heart{advice}.",
    ]
