"""Models on the Hugging Face Hub: `hf://user/model`, and `hf://user/model@revision`.

They are fetched file by file into the Hub's own cache: the manifest first, then the weights that it lists, each no
larger than the manifest says. Nothing else of a repository is looked at.
"""

import contextlib
import pathlib
import re

from kerasgan import published

SCHEME = "hf://"
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)


def is_address(name):
    """Whether a name means a model on the Hub."""
    return isinstance(name, str) and name.startswith(SCHEME)


def parse(address):
    """(name of the repository, revision or None) of an address.

    Raises:
        ValueError: it is none.
    """
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise ValueError(f"{address!r}: expected hf://USER/MODEL, or hf://USER/MODEL@REVISION.")
    return found.groups()


def check_installed():
    """Raises an ImportError that names the extra if huggingface_hub is not installed."""
    _library()


def fetch_recipe(address):
    """The recipe of a model on the Hub; its weights are not fetched.

    Raises:
        ValueError: no such model, no model of kerasgan's, or one that names something else than kerasgan's.
        PermissionError: one has to ask for access to it.
        ConnectionError: the Hub does not answer, and the model is not in its cache.
        ImportError: huggingface_hub is not installed.
    """
    return published.recipe_in(_fetch_manifest(address))


def fetch(address):
    """A local folder with the manifest and the weights of a model on the Hub, for `published.load`; raises as above."""
    manifest = _fetch_manifest(address)
    recipe = published.recipe_in(manifest)
    repository, revision = parse(address)
    for file in recipe.weights:
        # Of the manifest's own commit: what changes on the Hub meanwhile does not mix.
        found = _download(address, repository, _commit_of(manifest) or revision, file.filename, file.size)
        if found.parent != manifest.parent:
            raise ValueError(f"{address!r} has changed while it was fetched; run the same again.")
    return manifest.parent


def _fetch_manifest(address):
    repository, revision = parse(address)
    return _download(address, repository, revision, published.MANIFEST, published.MOST_BYTES)


def _commit_of(path):
    """The commit that a file in the Hub's cache belongs to, which is its folder's name."""
    return path.parent.name if re.fullmatch("[0-9a-f]{40}", path.parent.name) else None


def _download(address, repository, revision, name, most):
    """Path of a file of a repository in the Hub's cache, if it is no larger than `most` bytes."""
    library = _library()
    with _explained(address, name):
        size = _size_there(library, repository, revision, name)
        if size is not None and size > most:
            raise ValueError(f"{address!r}: its file {name} has {size:,} bytes, more than the {most:,} expected.")
        return pathlib.Path(library.hf_hub_download(repository, name, revision=revision))


def _size_there(library, repository, revision, name):
    """Bytes of a file on the Hub; None where it does not say, as without a connection: the download tells why."""
    try:
        url = library.hf_hub_url(repository, name, revision=revision)
        return library.get_hf_file_metadata(url).size
    except Exception:
        return None


def prepare(address, private=False):
    """Makes the repository of an address, if it is not there: that a token may write, is known before any work is done.

    Args:
        address: as in `parse`, without a revision.
        private: whether a new repository is seen by its owner alone.

    Raises:
        ValueError: the address has a revision.
        PermissionError: the token may not write there, or there is none.
        ConnectionError: the Hub does not answer.
        ImportError: huggingface_hub is not installed.
    """
    repository, revision = parse(address)
    if revision is not None:
        raise ValueError(f"{address!r}: give hf://USER/MODEL without @{revision}, what is published is the newest.")
    library = _library()
    with _explained(address):
        library.HfApi().create_repo(repository, private=private, exist_ok=True)


def upload(folder, address):
    """Uploads the files of a folder to the Hub as one commit. Returns the address of its page; raises as `prepare`."""
    repository, _ = parse(address)
    library = _library()
    with _explained(address):
        library.HfApi().upload_folder(
            repo_id=repository, folder_path=str(folder), commit_message="Published by kerasgan"
        )
    return f"https://huggingface.co/{repository}"


def _library():
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError('hf:// needs huggingface_hub: pip install "kerasgan[hub]"') from error
    return huggingface_hub


@contextlib.contextmanager
def _explained(address, name=None):
    """Turns the errors of the Hub's library into ours, which say what to do."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise PermissionError(
            f"{address!r} asks for access: request it on its page, then run: hf auth login"
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise ValueError(
            f"{address!r}: there is no such model on the Hub, or it is private (then run: hf auth login)."
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise ConnectionError(f"{address!r}: the Hub does not answer, and {name} is not in its cache.") from error
    except errors.EntryNotFoundError as error:
        wanted = ": it is a model of another library" if name == published.MANIFEST else ""
        raise ValueError(f"{address!r} holds no {name}{wanted}.") from error
    except errors.HfHubHTTPError as error:
        code = getattr(error.response, "status_code", None)
        if code in (401, 403):
            raise PermissionError(
                f"{address!r}: the Hub refuses ({code}): log in with a token that may write there, hf auth login"
            ) from error
        raise ConnectionError(f"{address!r}: the Hub answered {code or error}; try again later.") from error
    except (ValueError, OSError):
        raise
    except Exception as error:  # of the library that it makes its connections by
        raise ConnectionError(f"{address!r}: the Hub cannot be reached ({error}).") from error
