"""Classes by their names."""

from kerasgan import console

_LISTED = 20  # names in a message


def number_of(name, class_names):
    """The number of the class that is called so.

    Args:
        name: a str.
        class_names: the names of all classes, in the order of their numbers; empty where they have none.

    Raises:
        ValueError: no class has this name; the message has those that come near.
    """
    if name in class_names:
        return class_names.index(name)
    if not class_names:
        raise ValueError(f"labels contain {name!r}, but the model's classes have no names: give their numbers.")
    hint = console.nearest(name, class_names)
    raise ValueError(f"labels contain {name!r}, which is no class.{hint} The classes are {listed(class_names)}.")


def listed(names):
    """Names as messages have them: the first of many."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
