"""What every source of samples has in common: files, shards, arrays, streams, pairs, clips, crops."""


class Source:
    """Items in a fixed order, of which a reader prepares samples. The base of all sources.

    A source has `read` and `item_name`, and overrides what else is not so in it.

    Attributes:
        name: what messages call the source.
        count: number of items; None where only reading them would tell.
        labels: int32 (n,), the classes of the items; or None.
        class_names: list of what the classes are called; None where they are mere numbers, and without labels.
        is_stream: whether items come one after the other only.
        has_files: whether an item is a file, of which `open` shows the beginning without reading the whole.
    """

    labels = class_names = None
    is_stream = has_files = False

    def items(self):
        """What `read` takes, for each item: here, its number."""
        return range(self.count)

    def read(self, item):
        """What an item holds, such as the bytes of a file or pixels. Raises `BadSample`."""
        raise NotImplementedError

    def open(self, item):
        """The file of an item as a binary file object, where `has_files`. Raises `BadSample`."""
        raise NotImplementedError

    def item_name(self, position):
        """What messages call the item at a position of `items`."""
        raise NotImplementedError

    def label(self, position):
        """The class of the item at a position of `items`; None without labels."""
        return None if self.labels is None else int(self.labels[position])

    def classes(self, kept):
        """Class names and labels of the items at the positions `kept`; (None, None) without labels."""
        return (None, None) if self.labels is None else (self.class_names, self.labels[kept])

    def listing(self):
        """What tells the items from others without reading them, such as names and sizes; "" where only values do."""
        return ""
