"""Fine-tunes a pretrained model on a folder of your own images.

    python examples/fine_tune.py --data my_photos/ --epochs 20 --out my_faces/

A sheet of samples is written after each epoch; at the end the GAN is saved, with all that training needs to go on.
"""

from absl import app, flags

import kerasgan

DATA = flags.DEFINE_string("data", None, "Folder or zip of images.", required=True)
MODEL = flags.DEFINE_string("model", "dcgan_celeba", "A name that `kerasgan list` shows.")
EPOCHS = flags.DEFINE_integer("epochs", 20, "How often each image is seen.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Images in a batch; at most as many as there are.")
OUT = flags.DEFINE_string("out", "fine_tuned", "Folder for samples and the GAN.")


def main(_):
    gan = kerasgan.load(MODEL.value)
    height, width, channels = gan.media.shape
    photos = kerasgan.data.images(
        DATA.value, (height, width), BATCH_SIZE.value, channels=channels, flip=True, labels=gan.num_classes is not None
    )
    gan.fit(
        photos,
        epochs=EPOCHS.value,
        callbacks=[kerasgan.callbacks.SampleGrid(f"{OUT.value}/samples"), kerasgan.callbacks.Progress()],
        verbose=0,
    )
    gan.save(f"{OUT.value}/gan.keras")  # keras.saving.load_model reads it, once kerasgan.models is imported


if __name__ == "__main__":
    app.run(main)
