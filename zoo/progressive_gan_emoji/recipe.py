"""Progressive growing on 64x64 emoji of people: from 4x4 pixels to 64x64 in one training.

Against the paper: the non-saturating loss with a lazy R1 penalty, in place of WGAN-GP, whose penalty takes more time
than all the rest; colours, places and parts of real and generated images are changed at random, and real ones
mirrored, since there are 696; 40,000 images a phase instead of 800,000, in batches of 16, at twice the paper's rate,
which falls once all levels are there; narrower networks. The penalty grows with the images, whose gradients are those
of more and smaller pixels. Of all emoji, portraits are taken: they share what a face is made of. Most others are one of
their kind (flags, signs, things) or of a few in other colours (hands, sports), and trainings on all 3,786, and on all
2,430 of people, hands and faces, gave portraits and blots.

About one in five is broken: people before a blackboard, with tools or paint in their hands, and mixtures of two
portraits. Hair, hats and clothes show faint lines of a grid where a drawing is plain, and specks beside them; to a
network that scores, hardly a sample looks like a drawing (precision, KID). Details are those of the 696: their clothes
and hats in other combinations with faces, hair and colours of skin, nothing else.
"""

from kerasgan.registry import Recipe

# Names end in a number for the colour of the skin: "1*" keeps longer words out.
_PORTRAITS = (
    "MAN|MAN 1*|WOMAN|WOMAN 1*|ADULT*|OLDER*|*: * HAIR*|*BLOND*|*: BALD*|*BEARD*|"
    "*FARMER*|COOK|COOK 1*|*MAN COOK*|*STUDENT*|*TEACHER*|*OFFICE WORKER*|*SCIENTIST*|"
    "*MECHANIC|*MECHANIC 1*|*ASTRONAUT*|*FIREFIGHTER*|*HEALTH WORKER*|*JUDGE*|*PILOT*|"
    "ARTIST|ARTIST 1*|*MAN ARTIST*|*SINGER*|*CONSTRUCTION WORKER*|*FACTORY WORKER*|"
    "*TECHNOLOGIST*|*DETECTIVE*|*POLICE OFFICER*|*GUARD*|*TURBAN*|*HEADSCARF*|*GUA PI MAO*|"
    "*VEIL*|*TUXEDO*|*VAMPIRE*|*MAN FROWNING*|PERSON FROWNING*|*MAN POUTING*|*WITH POUTING*|"
    "*MASSAGE*|*HAIRCUT*|*TIPPING HAND*|*INFORMATION DESK*|*MAN RAISING HAND*|*RAISING ONE HAND*"
)
_EPOCHS = 1_000
_SEEN = 688 * _EPOCHS
_PHASE = 40_000
_GROWN = 7 * _PHASE  # images seen until 64x64 begins to fade in

RECIPE = Recipe(
    name="progressive_gan_emoji",
    gan_type="progressive_gan",
    makes="emoji of people, 64x64 RGB",
    title="Emoji people",
    page={"seed": 77, "thumbnail": ["samples.png", 264, 198, 328, 262]},
    model={
        "image_shape": [64, 64, 3],
        "latent_dim": 128,
        "width": 24,
        "max_width": 192,
        "fade_samples": _PHASE,
        "stable_samples": _PHASE,
    },
    compile={
        "learning_rate": f"cosine(2e-3, 2e-4, {_SEEN}, {_GROWN})",
        "loss": "non_saturating",
        "penalties": [
            {
                "class_name": "kerasgan>R1",
                "config": {"weight": f"geometric(0.02, 0.15, {_GROWN + _PHASE}, {4 * _PHASE})", "interval": 16},
            }
        ],
        "augmentation": "color,translation,cutout",
        "ema_half_life": 10_000,
    },
    data={
        "reader": "images",
        "size": 64,
        "key": "noto",
        "subset": f"names={_PORTRAITS}",
        "flip": True,
    },
    data_name="Noto Emoji, portraits of people (696)",
    data_license="Apache-2.0",
    license="Apache-2.0",
    batch_size=16,
    epochs=_EPOCHS,
    seed=1,
    dtype="mixed_bfloat16",
)
