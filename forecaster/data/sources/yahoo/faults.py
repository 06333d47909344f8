"""What can go wrong with a request, in words for the user, and whether to ask again.

The client raises its own errors, its HTTP library's, its cache's, and plain `KeyError` where an answer lacks a part;
all become one `YahooError`. The HTTP status is taken from the client's log lines, for its errors do not carry it.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Literal

from forecaster.errors import OutsideError

Again = Literal["wait", "once", "no", "pause", "heal"]
"""Ask again after a growing wait, once more, never, after everybody's pause, or with a fresh cache folder."""

_BROKEN = ("IncompleteRead", "ChunkedEncodingError", "ContentDecodingError", "ProtocolError")
_SLOW = ("Timeout", "ReadTimeout", "ConnectTimeout", "TimeoutError")
_PREFACE = re.compile(r"^Failed to perform, curl: \(\d+\) |\. See https://curl\.se.*$")
_CUT_SHORT = re.compile(r"transfer closed|outstanding read data|partial file|connection broken|incomplete", re.I)
_RESET = re.compile(r"reset by peer|recv failure|connection was reset|aborted", re.I)


class YahooError(OutsideError):
    """One request's failure.

    Args:
        what: continues the sentence "Yahoo …".
        remedy: what the user can do.
        reached: whether anything answered at all.
    """

    def __init__(self, what: str, again: Again, remedy: str = "Try again later.", *, reached: bool = True) -> None:
        super().__init__(f"Yahoo {what}. {remedy}".rstrip())
        self.what = what
        self.again: Again = again
        self.remedy = remedy
        self.reached = reached

    def for_good(self) -> YahooError:
        """The same, not to be asked again in this fetch."""
        return YahooError(self.what, "no", self.remedy, reached=self.reached)

    def final(self, ticker: str, tries: int) -> OutsideError:
        """The failure of a ticker after so many tries, in one line."""
        often = f", {tries} times" if tries > 1 else ""
        return OutsideError(f"{ticker}: Yahoo {self.what}{often}. {self.remedy}".rstrip())


def too_many() -> YahooError:
    """Yahoo's rate limit."""
    return YahooError(
        "refuses for now (HTTP 429, too many requests)", "pause", "Try again in an hour, or with --workers 1."
    )


def classify(error: Exception, status: int | None, timeout: float) -> YahooError:
    """An exception out of the client → a fault.

    Args:
        status: the HTTP status of the last answer, where there was one.
        timeout: of the request, in seconds.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "YFRateLimitError" in names:
        return too_many()
    if _is_cache(error, names):
        return YahooError("could not be asked: the client's cache was damaged", "heal", "Try again.")
    transport = _transport(error, names, timeout)
    if transport is not None:
        return transport
    reason = getattr(error, "yahoo_reason", None)
    if reason and status in (None, 200, 400, 404, 422):
        return YahooError(
            f"says: {str(reason).rstrip('.')}", "no", "Check the symbol; what the store has of it is kept."
        )
    if status is not None and status >= 400:
        return _refused(status)
    return _unreadable(error, names)


def _is_cache(error: Exception, names: set[str]) -> bool:
    missing_cookie = isinstance(error, KeyError) and error.args[:1] == ("A3",)
    return missing_cookie or isinstance(error, sqlite3.Error) or "PeeweeException" in names


def _transport(error: Exception, names: set[str], timeout: float) -> YahooError | None:
    if names & set(_SLOW):
        return YahooError(f"did not answer within {timeout:g} s", "wait")
    text = str(error)
    if names & set(_BROKEN) or _CUT_SHORT.search(text):
        return YahooError("broke off in the middle of its answer", "wait")
    if _RESET.search(text):
        return YahooError("reset the connection", "wait")
    if "RequestException" in names and "JSONDecodeError" not in names and "HTTPError" not in names:
        return YahooError(f"cannot be reached ({_brief(error)})", "wait", "Check the network.", reached=False)
    if isinstance(error, OSError) and "RequestException" not in names:
        return YahooError(f"cannot be reached ({_brief(error)})", "wait", "Check the network.", reached=False)
    return None


def _refused(status: int) -> YahooError:
    if status == 404:
        return YahooError("does not know it (HTTP 404)", "once", "Check the symbol; what the store has of it is kept.")
    if status in (401, 403):
        return YahooError(f"refused access (HTTP {status})", "wait")
    if status >= 500:
        return YahooError(f"had a failure of its own (HTTP {status})", "wait")
    return YahooError(f"refused the request (HTTP {status})", "wait")


def _unreadable(error: Exception, names: set[str]) -> YahooError:
    if "JSONDecodeError" in names:
        return YahooError("sent something that is not JSON, or only a part of it", "wait")
    if "YFTzMissingError" in names:
        return YahooError("does not say its time zone", "once", "Check the symbol.")
    if "YFPricesMissingError" in names:
        return YahooError("sent an answer without prices", "wait")
    if "YFException" in names:
        return YahooError(f"answered: {_brief(error)}", "wait")
    return YahooError(f"sent an answer that makes no sense ({type(error).__name__}: {_brief(error)})", "once")


def _brief(error: Exception) -> str:
    """The first line without the HTTP library's preface and its pointer to a web page."""
    lines = _PREFACE.sub("", str(error)).splitlines()
    first = lines[0].rstrip(". ") if lines else type(error).__name__
    return first if len(first) <= 120 else f"{first[:117]}..."
