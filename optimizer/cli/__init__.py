"""The command line. `main` is the entry point of `dfopt`."""

import sys


def main() -> None:
    """Run the command line on `sys.argv`; never returns normally."""
    if sys.argv[1:] == ["--version"]:
        from optimizer import __version__

        sys.stdout.write(f"dfopt {__version__}\n")
        sys.exit(0)
    # A run makes many small values that stay and few cycles. With the default's many collections one file takes as
    # long, but 100,000 lines a quarter more. The collector stays on for the memory of runs over many files.
    import gc

    gc.set_threshold(200_000)
    try:
        from optimizer.cli.app import app

        app(prog_name="dfopt")
    except KeyboardInterrupt:  # before or behind the command, which answers it itself
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 (the last line of defence: a message instead of a traceback)
        from optimizer.cli.bugs import report_crash

        sys.exit(report_crash(error, verbose="--verbose" in sys.argv or "-v" in sys.argv))
