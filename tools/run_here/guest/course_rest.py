"""Load the modules that no chapter imports when a reader imports one of them, all at once."""

import sys
import zipimport
from pathlib import Path

import _host

BASE, REST = "/usr/local/lib/python315.zip", "/lib/rest.zip"
"""Where the page puts what is always loaded, and what no chapter imports."""


class Rest:
    """Finds modules that no chapter imports: the page loads all of them when one is needed."""

    def __init__(self):
        listed = zipimport.zipimporter(BASE).get_data(f"{BASE}/rest.txt")
        self.names = set(listed.decode().split())
        self.found = []  # where each was; some fail then, and are in no list of modules

    def find_spec(self, name, path=None, target=None):
        """Return where a module is, or None, as the import system asks for."""
        if name not in self.names:
            return None
        if not Path(REST).exists() and (trouble := _host.call(b"rest")):
            raise ImportError(f"{name} could not be loaded: {trouble.decode()}", name=name)
        folder = name.rpartition(".")[0].replace(".", "/")
        spec = zipimport.zipimporter(f"{REST}/{folder}".rstrip("/")).find_spec(name, target)
        self.found.append(spec.origin)
        return spec


sys.meta_path.insert(0, Rest())  # first, since a folder without modules would do for a package
