"""Numbers as people read them."""


def size(number: float) -> str:
    """Write a number of bytes (1 kB is 1000 bytes, as docker counts)."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:  # noqa: PLR2004 (the step between the units)
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.2f} GB"


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def seconds(number: float) -> str:
    """Write a time in seconds; from ten on without tenths."""
    return f"{number:.1f} s" if number < 10 else f"{number:,.0f} s"  # noqa: PLR2004


def change(before: float, after: float) -> str:
    """Say by how much something shrank or grew, "" where that is below one in a hundred."""
    if not before or abs(before - after) / before < 0.01:  # noqa: PLR2004
        return ""
    percent = round(100 * abs(before - after) / before)
    if after and after < before:
        percent = min(percent, 99)  # something is left
    return f"{percent} % {'smaller' if after < before else 'larger'}"
