"""The command line: one module a command, found by themselves; every failure is one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from forecaster.errors import ForecasterError
from forecaster.show.screen import fitted
from forecaster.show.streams import mute, prepare

_INTERRUPTED = 130


def main() -> None:
    """The `forecast` command."""
    gc.set_threshold(100_000)  # imports make many objects and little garbage: looking for it took a tenth of a second
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # spares a search through all that is installed
    prepare()
    if not {"-h", "--help"}.intersection(sys.argv):  # help waits for no logging
        _fit_log()
    code = run(sys.argv[1:])
    gc.freeze()  # a process that ends need not look for garbage: a twentieth of a second
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code (see the README's table)."""
    import typer

    from forecaster.cli.app import build

    try:
        result = build(*arguments[:1])(list(arguments), prog_name="forecast", standalone_mode=False)
        if result == _INTERRUPTED:  # into which typer turns a KeyboardInterrupt, without a word
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except ForecasterError as error:
        return _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted; what was finished is kept.", _INTERRUPTED)
    except BrokenPipeError:
        mute(sys.stdout)
        return 0
    except OSError as error:
        mute(sys.stdout)
        place = error.filename or "standard output"
        return _complain(f"{place}: {error.strerror or error}; check space, folder and permissions.", 4)
    except Exception as error:
        return _unexpected(error, "--verbose" in arguments)


def _fit_log() -> None:
    """Let what floors below say on the log, as of a plugin that cannot be loaded, fit the terminal like all else."""
    import logging

    class Fitted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sys.stderr.write(f"{fitted(self.format(record), sys.stderr)}\n")

    logging.getLogger("forecaster").addHandler(Fitted())


def _unexpected(error: Exception, verbose: bool) -> int:
    format_message = getattr(error, "format_message", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        sys.stderr.write(f"{error}\n")
        return 2
    if format_message is not None:  # a usage error of typer's own
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "forecast"
        message = " ".join(format_message().split()).replace("Value error, ", "").removesuffix(".")
        return _complain(f"{message}{'' if message.endswith('?') else '.'} See `{command} --help`.", 2)
    if verbose:
        raise error
    return _complain(f"this is a bug: {type(error).__name__}: {error}. Run it again with --verbose for a traceback.", 1)


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"{fitted(f'error: {message}', sys.stderr)}\n")
    return code
