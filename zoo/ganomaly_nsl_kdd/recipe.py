"""GANomaly that has seen normal connections of a network, and says how strange others are.

A benchmark, no firewall: the connections are of a network of 1998, made for a contest. Over five seeds AUC is 0.966 +-
0.002, F1 at the threshold of 95 of 100 normal connections 0.858 +- 0.006; of attacks of kinds that the training's file
does not have, AUC is 0.958 +- 0.002. Four principal components of the same columns have 0.968, thirty-two an F1 of
0.867: the GAN is no better than the best number of them, which nobody knows before. Which of its two scores is taken,
and how narrow its code is, was chosen with known attacks in the training's file in view; results of the tested file
were seen meanwhile.

Against the paper: dense networks for rows, codes of 8 numbers, the score is how far rows are from what is made of them.
"""

from kerasgan.registry import Recipe

_EPOCHS = 20
_SEEN = 12_000 * _EPOCHS

RECIPE = Recipe(
    name="ganomaly_nsl_kdd",
    gan_type="ganomaly",
    makes="scores of how strange connections of a network are, 41 columns",
    model={"latent_dim": 8, "width": 32, "score": "samples"},
    compile={"learning_rate": f"linear(2e-4, 0, {_SEEN}, {_SEEN // 2})"},
    data={
        "reader": "table",
        "subset": "nsl_kdd/KDDTrain+_20Percent.txt: label=normal",
        "part": "train",
        "scaling": "deviations",
        "balanced": False,
        "names": [
            *("duration", "protocol_type", "service", "flag", "src_bytes", "dst_bytes", "land", "wrong_fragment"),
            *("urgent", "hot", "num_failed_logins", "logged_in", "num_compromised", "root_shell", "su_attempted"),
            *("num_root", "num_file_creations", "num_shells", "num_access_files", "num_outbound_cmds"),
            *("is_host_login", "is_guest_login", "count", "srv_count", "serror_rate", "srv_serror_rate"),
            *("rerror_rate", "srv_rerror_rate", "same_srv_rate", "diff_srv_rate", "srv_diff_host_rate"),
            *("dst_host_count", "dst_host_srv_count", "dst_host_same_srv_rate", "dst_host_diff_srv_rate"),
            *("dst_host_same_src_port_rate", "dst_host_srv_diff_host_rate", "dst_host_serror_rate"),
            *("dst_host_srv_serror_rate", "dst_host_rerror_rate", "dst_host_srv_rerror_rate", "label", "difficulty"),
        ],
        "drop": ["label", "difficulty"],
    },
    data_name="NSL-KDD (Tavallaee et al., 2009), the normal connections of KDDTrain+_20Percent",
    data_license="none stated; published for research by the University of New Brunswick",
    license="Apache-2.0",
    batch_size=64,
    epochs=_EPOCHS,
    seed=1,
)
