"""The command line: one module for each command, discovered automatically; every failure is one line and exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from typing import TYPE_CHECKING

from forecaster.errors import ForecasterError
from forecaster.interrupts import end_in_order
from forecaster.show.screen import fitted
from forecaster.show.streams import mute, prepare
from forecaster.training.launch import launched, may_fail_aloud

if TYPE_CHECKING:
    from forecaster.training.ranks import Ranks

_INTERRUPTED = 130

_LONGEST = 2000
"""Characters of an error: what it quotes from a file may be a hundred megabytes."""


def main() -> None:
    """The `forecast` command."""
    gc.set_threshold(100_000)  # imports allocate many objects but little garbage: saves 0.1 s of collection
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # skips a search through all installed packages
    prepare()
    end_in_order()
    if not {"-h", "--help"}.intersection(sys.argv):  # help must not wait for the import of logging
        _wrap_log()
    code = _run_together(sys.argv[1:]) if launched() else run(sys.argv[1:])
    gc.freeze()  # no garbage collection at exit: saves 0.05 s
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code (see the README's table)."""
    return _guarded(partial(_command, arguments), any(map(_asks_for_details, arguments)))


def _command(arguments: Sequence[str]) -> int:
    from forecaster.cli.app import build
    from forecaster.frugal import require_address_space

    if arguments and not {"-h", "--help"}.intersection(arguments):
        require_address_space(arguments)
    result = build(*arguments[:1])(list(arguments), prog_name="forecast", standalone_mode=False)
    if result == _INTERRUPTED:  # typer turns a KeyboardInterrupt into this result
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _guarded(work: Callable[[], int], verbose: bool = False) -> int:
    """Does something that ends with an exit code; each of its failures becomes one line."""
    import typer

    try:
        return work()
    except ForecasterError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted; what was finished is kept.", _INTERRUPTED)
    except BrokenPipeError:
        mute(sys.stdout)
        return 0
    except OSError as error:
        mute(sys.stdout)
        place = error.filename or "standard output"
        return _fail(f"{place}: {error.strerror or error}; check space, folder and permissions.", 4)
    except Exception as error:
        if _is_out_of_memory(error) and not verbose:
            return _fail("this needs more memory or threads than there are: make it smaller, or free some.", 4)
        return _unexpected(error, verbose)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether the system has no memory left for numpy, Arrow, torch or a thread; torch has no type for it on a CPU."""
    text = str(error).lower()
    unloadable = ("failed to map segment", "cannot allocate memory")  # of a library
    words = ("can't allocate memory", "out of memory", "can't start new thread", "not enough memory", *unloadable)
    # glibc's "cannot allocate memory in static TLS block" is about the order in which libraries are loaded (on ARM).
    lacks = "static tls" not in text and any(word in text for word in words)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError | ImportError) and lacks)


def _wrap_log() -> None:
    """Wraps log messages of lower layers (such as a plugin that fails to import) to the terminal's width."""
    import logging

    class Wrapped(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sys.stderr.write(f"{fitted(self.format(record), sys.stderr)}\n")

    logging.getLogger("forecaster").addHandler(Wrapped())


def _asks_for_details(argument: str) -> bool:
    """Whether it is --verbose, or -v alone or among other flags, as in -qv."""
    return argument == "--verbose" or (argument[:1] == "-" and "v" in argument and set(argument) <= set("-qvy"))


def _unexpected(error: Exception, verbose: bool) -> int:
    format_message = getattr(error, "format_message", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        sys.stderr.write(f"{error}\n")
        return 2
    if format_message is not None:  # a usage error of typer's own
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "forecast"
        message = " ".join(format_message().split()).replace("Value error, ", "").removesuffix(".")
        return _fail(f"{message}{'' if message.endswith('?') else '.'} See `{command} --help`.", 2)
    if verbose:
        raise error
    return _fail(f"this is a bug: {type(error).__name__}: {error}. Run it again with --verbose for a traceback.", 1)


def _run_together(arguments: Sequence[str]) -> int:
    """Runs one command line in the processes that torchrun started: rank 0 runs it, the others train along."""
    from forecaster.training.launch import join, leave

    ranks = join(_say_failure)
    if ranks.rank:
        code = _guarded(partial(_follow, ranks))
    elif arguments[:1] == ["train"]:
        code = run(arguments)
    else:
        name = " ".join(("forecast", *arguments[:1]))
        code = _fail(f"{name} runs in one process: start it without torchrun, which shares the work of train alone.", 2)
    leave(code)
    return code


def _follow(ranks: Ranks) -> int:
    """Trains along; of this process only a failure is to be seen."""
    from forecaster.workflows.follow import follow

    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):  # noqa: PTH123
        follow(ranks)
    return 0


def _fail(message: str, code: int) -> int:
    if may_fail_aloud():
        _say_failure(message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…")
    return code


def _say_failure(message: str) -> None:
    sys.stderr.write(f"{fitted(f'error: {message}', sys.stderr)}\n")
