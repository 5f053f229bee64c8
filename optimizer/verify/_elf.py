"""What an ELF file asks of the dynamic linker, as its dynamic section says (elf(5), ld.so(8))."""

from collections.abc import Iterator
from typing import IO, Any

from optimizer.verify.image import Linkage

MAGIC = b"\x7fELF"
_WEAK = 2  # VER_FLG_WEAK: nobody minds if it is not there
_LINKED = frozenset({"ET_EXEC", "ET_DYN"})


def linkage(stream: IO[bytes]) -> Linkage | None:
    """Read the program headers of an ELF file; None where it is damaged, or no program and no shared library."""
    from elftools.common.exceptions import ELFError
    from elftools.construct import ConstructError
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(stream)
        return _linkage(elf) if elf["e_type"] in _LINKED else None
    except (ELFError, ConstructError, ValueError, LookupError, AttributeError, TypeError, AssertionError):
        return None  # files with the debugging information of others have headers that lead nowhere


def _linkage(elf: Any) -> Linkage:
    interpreter = None
    found: dict[str, list[str]] = {"DT_NEEDED": [], "DT_RPATH": [], "DT_RUNPATH": []}
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_INTERP":
            interpreter = segment.get_interp_name()
        elif segment["p_type"] == "PT_DYNAMIC":
            for tag in segment.iter_tags():
                if tag.entry.d_tag in found:
                    found[tag.entry.d_tag].append(getattr(tag, tag.entry.d_tag[3:].lower()))
    return Linkage(
        machine=f"{elf['e_machine']}/{elf.elfclass}",
        interpreter=interpreter,
        needed=tuple(found["DT_NEEDED"]),
        rpath=_folders(found["DT_RPATH"]),
        runpath=_folders(found["DT_RUNPATH"]),
        versions=tuple(
            (needed.name, version.name)
            for needed, versions in _section(elf, ".gnu.version_r")
            for version in versions
            if not version.entry.vna_flags & _WEAK
        ),
        defines=tuple(name.name for _, names in _section(elf, ".gnu.version_d") for name in tuple(names)[:1]),
    )


def _section(elf: Any, name: str) -> Iterator[Any]:
    """Go through the symbol versions that a section speaks of (Linux Standard Base, "Symbol Versioning")."""
    section = elf.get_section_by_name(name)
    return section.iter_versions() if hasattr(section, "iter_versions") else iter(())


def _folders(values: list[str]) -> tuple[str, ...]:
    return tuple(folder for value in values for folder in value.split(":") if folder)
