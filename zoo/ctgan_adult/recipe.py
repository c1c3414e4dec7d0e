"""CTGAN that makes people of a census: age, schooling, work, family, income, as answered in the United States in 1994.

Against the paper: the critic judges single rows, where the paper's judges ten at a time, and the training is half as
long, 150 epochs, in the second half of which the learning rate falls to zero.

No row is a person. What the data are unfair about, such as who earns how much, the rows are, too; nothing here makes
them private in a sense that can be proved (see the distance to the closest record). Rare values, such as most
countries of birth, come about more rarely or more often than in the data, and rows may contradict themselves: a husband
may be female.
"""

from kerasgan.registry import Recipe

_EPOCHS = 150
_SEEN = 65 * 500 * _EPOCHS

RECIPE = Recipe(
    name="ctgan_adult",
    gan_type="ctgan",
    makes="rows of a census: age, work, education, family, income",
    title="People of a census",
    page={"seed": 1},
    model={"pack": 1},
    compile={"ema_half_life": 50_000, "learning_rate": f"linear(2e-4, 0, {_SEEN}, {_SEEN // 2})"},
    data={
        "reader": "table",
        "subset": "adult/adult-train.csv",
        "test_subset": "adult/adult-test.csv",
        "part": "train",
        "names": [
            *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"),
            *("relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country"),
            "income",
        ],
        "replace": {"<=50K.": "<=50K", ">50K.": ">50K"},  # as the file of the test set has them
        "target": "income",
    },
    data_name="Adult (Becker & Kohavi, 1996, UCI), 32,561 rows of the training set",
    data_license="CC BY 4.0",
    license="Apache-2.0",
    batch_size=500,
    epochs=_EPOCHS,
    seed=1,
)
