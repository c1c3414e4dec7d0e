"""What is done around somebody's import of a library, so that `import kerasgan` need not import it."""

import sys


class Around:
    """A finder of modules that finds none, but takes part when one is imported; once.

    Args:
        name: of the module.
        run: function of (execute, module), which calls `execute(module)`.
    """

    def __init__(self, name, run):
        self._name, self._run = name, run

    def install(self):
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if name != self._name:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None:
            spec.loader.exec_module = self._taking_part(spec.loader.exec_module)
        return spec

    def _taking_part(self, execute):
        def run(module):
            if self not in sys.meta_path:
                return execute(module)
            sys.meta_path.remove(self)
            return self._run(execute, module)

        return run
