"""Request errors: a message for the user, and whether to retry.

The client raises its own errors, those of its HTTP library and its cache, and plain `KeyError` for incomplete
responses; all become `YahooError`. The HTTP status comes from the client's log lines, because its errors lack it.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Literal

from forecaster.errors import OutsideError

Retry = Literal["backoff", "once", "never", "pause", "reset"]
"""Retry with exponential backoff, once, never, after a pause of all workers, or with a new cache folder."""

_BROKEN = ("IncompleteRead", "ChunkedEncodingError", "ContentDecodingError", "ProtocolError")
_SLOW = ("Timeout", "ReadTimeout", "ConnectTimeout", "TimeoutError")
_PREFACE = re.compile(r"^Failed to perform, curl: \(\d+\) |\. See https://curl\.se.*$")
_CUT_SHORT = re.compile(r"transfer closed|outstanding read data|partial file|connection broken|incomplete", re.I)
_RESET = re.compile(r"reset by peer|recv failure|connection was reset|aborted", re.I)


class YahooError(OutsideError):
    """A failed request.

    Args:
        what: completes the sentence "Yahoo …".
        retry: whether and how to retry.
        remedy: what the user can do.
        reached: whether there was any response.
    """

    def __init__(self, what: str, retry: Retry, remedy: str = "Try again later.", *, reached: bool = True) -> None:
        super().__init__(f"Yahoo {what}. {remedy}".rstrip())
        self.what = what
        self.retry: Retry = retry
        self.remedy = remedy
        self.reached = reached

    def permanent(self) -> YahooError:
        """The same error, not to be retried in this fetch."""
        return YahooError(self.what, "never", self.remedy, reached=self.reached)

    def final(self, ticker: str, tries: int) -> OutsideError:
        """One-line error of a ticker after `tries` attempts."""
        often = f", {tries} times" if tries > 1 else ""
        return OutsideError(f"{ticker}: Yahoo {self.what}{often}. {self.remedy}".rstrip())


def too_many() -> YahooError:
    """Yahoo's rate limit (HTTP 429)."""
    return YahooError(
        "refuses requests for now (HTTP 429, too many requests)", "pause", "Try again in an hour, or with --workers 1."
    )


def classify(error: Exception, status: int | None, timeout: float) -> YahooError:
    """Exception from the client → `YahooError`.

    Args:
        status: HTTP status of the latest response, if any.
        timeout: request timeout in seconds.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if "YFRateLimitError" in names:
        return too_many()
    if _is_cache(error, names):
        return YahooError("was not queried: the client's cache was damaged", "reset", "Try again.")
    transport = _transport(error, names, timeout)
    if transport is not None:
        return transport
    reason = getattr(error, "yahoo_reason", None)
    if reason and status in (None, 200, 400, 404, 422):
        return YahooError(f"says: {str(reason).rstrip('.')}", "never", "Check the symbol; the stored history is kept.")
    if status is not None and status >= 400:
        return _refused(status)
    return _unreadable(error, names)


def _is_cache(error: Exception, names: set[str]) -> bool:
    missing_cookie = isinstance(error, KeyError) and error.args[:1] == ("A3",)
    return missing_cookie or isinstance(error, sqlite3.Error) or "PeeweeException" in names


def _transport(error: Exception, names: set[str], timeout: float) -> YahooError | None:
    if names & set(_SLOW):
        return YahooError(f"did not answer within {timeout:g} s", "backoff")
    text = str(error)
    if names & set(_BROKEN) or _CUT_SHORT.search(text):
        return YahooError("closed the connection in the middle of its response", "backoff")
    if _RESET.search(text):
        return YahooError("reset the connection", "backoff")
    if "RequestException" in names and "JSONDecodeError" not in names and "HTTPError" not in names:
        return YahooError(f"cannot be reached ({_brief(error)})", "backoff", "Check the network.", reached=False)
    if isinstance(error, OSError) and "RequestException" not in names:
        return YahooError(f"cannot be reached ({_brief(error)})", "backoff", "Check the network.", reached=False)
    return None


def _refused(status: int) -> YahooError:
    if status == 404:
        return YahooError("does not know it (HTTP 404)", "once", "Check the symbol; the stored history is kept.")
    if status in (401, 403):
        return YahooError(f"refused access (HTTP {status})", "backoff")
    if status >= 500:
        return YahooError(f"had a server error (HTTP {status})", "backoff")
    return YahooError(f"refused the request (HTTP {status})", "backoff")


def _unreadable(error: Exception, names: set[str]) -> YahooError:
    if "JSONDecodeError" in names:
        return YahooError("sent an incomplete response, or one that is not JSON", "backoff")
    if "YFTzMissingError" in names:
        return YahooError("did not send its time zone", "once", "Check the symbol.")
    if "YFPricesMissingError" in names:
        return YahooError("sent a response without prices", "backoff")
    if "YFException" in names:
        return YahooError(f"answered: {_brief(error)}", "backoff")
    return YahooError(f"sent an invalid response ({type(error).__name__}: {_brief(error)})", "once")


def _brief(error: Exception) -> str:
    """First line of the message, without the HTTP library's prefix and link."""
    lines = _PREFACE.sub("", str(error)).splitlines()
    first = lines[0].rstrip(". ") if lines else type(error).__name__
    return first if len(first) <= 120 else f"{first[:117]}..."
