"""The modules that the started programs import, looked for where Python and Node would find them.

The project's sources are followed from the program on; a module of somebody else is found where its folder or file is.
What is imported by a name that is put together at run time is not seen.
"""

from collections.abc import Iterator

from optimizer.report.evidence import Check, Difference
from optimizer.verify._node_modules import node_packages
from optimizer.verify._python_modules import python_modules
from optimizer.verify.image import Image


def import_differences(before: Image, after: Image) -> Iterator[Difference]:
    """Go through the modules that the start finds in the old image and not in the new one."""
    for kind, read in (("module", python_modules), ("package", node_packages)):
        was, now = read(before), read(after)
        told: set[str] = set()
        for name in sorted(was.names | now.names) if now.folders else ():
            for part in was.parts(name):
                place = was.find(part)
                if place and not now.find(part):
                    if part not in told:
                        told.add(part)
                        yield Difference(Check.IMPORTS, f"{kind} {part}", place, None)
                    break
