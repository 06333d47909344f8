"""A server on 127.0.0.1 that answers as Yahoo's chart endpoint does, and misbehaves on demand.

The real client reaches it by `session()`: every connection goes to this server whatever the host's name is, so that
cookies and hosts look as they do in production.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

HOSTS = ("fc.yahoo.com", "query1.finance.yahoo.com", "query2.finance.yahoo.com", "guce.yahoo.com", "consent.yahoo.com")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PRICES = ("open", "high", "low", "close")


@dataclass
class Listing:
    """What the server holds of a ticker; arrays as in `Bars`, dividends and splits by ISO date."""

    symbol: str
    dates: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    adj_close: np.ndarray
    volume: np.ndarray
    dividends: dict[str, float] = field(default_factory=dict)
    splits: dict[str, float] = field(default_factory=dict)
    currency: str = "USD"
    exchange: str = "NMS"
    kind: str = "EQUITY"
    zone: str = "America/New_York"
    opens: dt.time = dt.time(9, 30)
    closes: dt.time = dt.time(16, 0)

    def until(self, date: str) -> Listing:
        """The listing as it was on that evening."""
        return self.taken(self.dates <= np.datetime64(date))

    def taken(self, keep: np.ndarray) -> Listing:
        """The listing with some of its rows."""
        columns = {name: getattr(self, name)[keep] for name in ("dates", *PRICES, "adj_close", "volume")}
        return replace(self, **columns)

    def changed(self, row: int | slice, **values: Any) -> Listing:
        """The listing with other values in some rows."""
        columns = {name: getattr(self, name).astype(float) for name in values}
        for name, value in values.items():
            columns[name][row] = value
        return replace(self, **columns)

    def split_by(self, ratio: float, date: str) -> Listing:
        """The listing after a split: every price before it divided, as Yahoo does."""
        before = self.dates < np.datetime64(date)
        columns = {name: np.where(before, getattr(self, name) / ratio, getattr(self, name)) for name in PRICES}
        adj = np.where(before, self.adj_close / ratio, self.adj_close)
        return replace(self, **columns, adj_close=adj, splits={**self.splits, date: ratio})

    def paying(self, amount: float, date: str) -> Listing:
        """The listing after a dividend: every adjusted close before it lowered."""
        before = self.dates < np.datetime64(date)
        last = self.close[before][-1]
        adj = np.where(before, self.adj_close * (1 - amount / last), self.adj_close)
        return replace(self, adj_close=adj, dividends={**self.dividends, date: amount})

    def stamps(self) -> list[int]:
        """Each session's opening, in Unix seconds."""
        return list(_stamps(self.dates.tobytes(), self.opens, self.zone))

    def chart(self, now: dt.datetime, first: float = -np.inf, last: float = np.inf) -> dict[str, Any]:
        """The answer's JSON, for the rows that open between two moments."""
        stamps = np.array(self.stamps())
        keep = (stamps >= first) & (stamps < last)
        quote = {name: _nulls(getattr(self, name)[keep]) for name in PRICES}
        quote["volume"] = [None if value is None else int(value) for value in _nulls(self.volume[keep])]
        result: dict[str, Any] = {
            "meta": self._meta(now),
            "timestamp": [int(stamp) for stamp in stamps[keep]],
            "indicators": {"quote": [quote], "adjclose": [{"adjclose": _nulls(self.adj_close[keep])}]},
        }
        events = self._events(first, last)
        if events:
            result["events"] = events
        return {"chart": {"result": [result], "error": None}}

    def _meta(self, now: dt.datetime) -> dict[str, Any]:
        today = now.astimezone(ZoneInfo(self.zone)).date()
        period = {
            "timezone": "X",
            "gmtoffset": 0,
            "start": _stamp(np.datetime64(today), self.opens, self.zone),
            "end": _stamp(np.datetime64(today), self.closes, self.zone),
        }
        return {
            "currency": self.currency,
            "symbol": self.symbol,
            "exchangeName": self.exchange,
            "fullExchangeName": self.exchange,
            "instrumentType": self.kind,
            "firstTradeDate": 0,
            "exchangeTimezoneName": self.zone,
            "priceHint": 2,
            "currentTradingPeriod": {"pre": dict(period), "regular": dict(period), "post": dict(period)},
            "dataGranularity": "1d",
            "validRanges": ["1d", "5d", "1mo", "1y", "max"],
        }

    def _events(self, first: float, last: float) -> dict[str, Any]:
        def within(date: str) -> int | None:
            stamp = _stamp(np.datetime64(date), self.opens, self.zone)
            return stamp if first <= stamp < last else None

        dividends = {
            str(at): {"amount": amount, "date": at} for date, amount in self.dividends.items() if (at := within(date))
        }
        splits = {
            str(at): {"date": at, "numerator": ratio, "denominator": 1, "splitRatio": f"{ratio}:1"}
            for date, ratio in self.splits.items()
            if (at := within(date))
        }
        return {name: events for name, events in (("dividends", dividends), ("splits", splits)) if events}


@dataclass
class Reply:
    """What goes over the wire, once `hold` returns; after `cut` bytes the connection is shut, `reset` hard."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    hold: Callable[[], object] | None = None
    cut: int | None = None
    reset: bool = False


Mishap = Callable[[Reply], Reply]
Spoil = Callable[[dict[str, Any]], Any]


def status(code: int, body: str = "<html>no</html>") -> Mishap:
    """An answer with that status and a page."""
    return lambda _: Reply(code, body.encode(), "text/html")


def says(code: int, reason: str) -> Mishap:
    """Yahoo's own words for an error."""
    error = {"chart": {"result": None, "error": {"code": "Not Found", "description": reason}}}
    return lambda _: Reply(code, json.dumps(error).encode())


def body(text: str) -> Mishap:
    """Another body under status 200."""
    return lambda _: Reply(200, text.encode())


def held(hold: Callable[[], object]) -> Mishap:
    """The right answer, as late as `hold` returns: a test says when, not a clock."""
    return lambda reply: replace(reply, hold=hold)


def cut_off(reset: bool = False) -> Mishap:
    """Half of the right answer, under the length of the whole."""
    return lambda reply: replace(reply, cut=len(reply.body) // 2, reset=reset)


def truncated() -> Mishap:
    """Half of the right answer, as if it were all."""
    return lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2])


def spoiled(spoil: Spoil) -> Mishap:
    """The right answer with its result changed."""

    def mishap(reply: Reply) -> Reply:
        chart = json.loads(reply.body)
        spoil(chart["chart"]["result"][0])
        return replace(reply, body=json.dumps(chart).encode())

    return mishap


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed is no news."""


class YahooServer:
    """Serves `listings`; `mishaps[ticker]` spoils that ticker's first answers, all of them where no number is given."""

    def __init__(self, listings: list[Listing], now: dt.datetime) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self.now = now
        self.cookie = "A3=d=AQAB; Domain=.yahoo.com; Path=/; Max-Age=31536000"
        self.log: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self.asked_from: dict[str, dt.datetime] = {}
        self._mishaps: dict[str, tuple[Mishap, int]] = {}
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> YahooServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._http.server_address[1])

    def put(self, *listings: Listing) -> None:
        """List these, in the place of what was listed under their symbols."""
        for listing in listings:
            self.listings[listing.symbol] = listing

    def fail(self, ticker: str, mishap: Mishap, times: int = 1_000_000) -> None:
        """Spoil that ticker's next answers; `*` is every ticker's."""
        self._mishaps[ticker] = (mishap, times)

    def ignore(self, ticker: str) -> None:
        """Never answer that ticker."""
        self.fail(ticker, held(self.closing.wait))

    def heal(self) -> None:
        """No further mishaps, and a fresh log."""
        self._mishaps.clear()
        self.log.clear()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Keep `most_at_once`, the largest number of answers under way."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        yield
        with self._lock:
            self._at_once -= 1

    def requests(self, ticker: str | None = None) -> int:
        """How many price requests came, for one ticker or in all."""
        return sum(entry == ticker if ticker else not entry.startswith("/") for entry in self.log)

    def answer(self, path: str, query: dict[str, list[str]]) -> Reply:
        """The answer to one request, and its entry in the log."""
        ticker = unquote(path.rpartition("/")[2]) if "/v8/finance/chart/" in path else None
        with self._lock:
            self.log.append(ticker or path)
            mishap = self._mishap(ticker)
        if ticker is None:
            return Reply(200, b"crumb123", "text/plain")
        listing = self.listings.get(ticker)
        if listing is None:
            reply = says(404, "No data found, symbol may be delisted")(Reply())
        else:
            if "period1" in query:
                self.asked_from[ticker] = EPOCH + dt.timedelta(seconds=int(query["period1"][0]))
            first, last = (float(query[name][0]) if name in query else np.inf for name in ("period1", "period2"))
            reply = Reply(200, json.dumps(listing.chart(self.now, first if first < np.inf else -np.inf, last)).encode())
        return mishap(reply) if mishap else reply

    def _mishap(self, ticker: str | None) -> Mishap | None:
        for key in (ticker, "*"):
            if ticker is not None and key in self._mishaps:
                mishap, times = self._mishaps[key]
                if times > 0:
                    self._mishaps[key] = (mishap, times - 1)
                    return mishap
        return None


HURRY = 0.5
"""Seconds after which a session gives a hurried ticker up."""


def session(port: int, hurry: str = "no ticker") -> Any:
    """A session of the client's own library, whose every connection goes to the server.

    Args:
        hurry: the ticker that is not waited for; all others are waited for as long as the client says, so that a busy
            machine fails no test.
    """
    from curl_cffi import CurlOpt
    from curl_cffi.requests import Session

    class Loopback(Session):  # type: ignore[type-arg]
        def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
            parts = urlsplit(str(url))
            local = parts._replace(scheme="http", netloc=f"{parts.hostname}:{port}").geturl()
            if parts.path.endswith(f"/{hurry}"):
                kwargs["timeout"] = HURRY
            return super().request(method, local, *args, **kwargs)

    return Loopback(curl_options={CurlOpt.RESOLVE: [f"{host}:{port}:127.0.0.1" for host in HOSTS]})


def requests_session(port: int, hurry: str = "no ticker") -> Any:
    """The same for the other library that the client can use."""
    import requests
    from requests.adapters import HTTPAdapter

    class Loopback(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            copy = request.copy()
            parts = urlsplit(copy.url)
            copy.url = parts._replace(scheme="http", netloc=f"127.0.0.1:{port}").geturl()
            if parts.path.endswith(f"/{hurry}"):
                kwargs["timeout"] = HURRY
            response = super().send(copy, *args, **kwargs)
            response.url = request.url
            return response

    made = requests.Session()
    made.trust_env = False
    made.mount("https://", Loopback())
    return made


def _handler(server: YahooServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body in one piece

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            reply = server.answer(parts.path, parse_qs(parts.query))
            with server.counted():
                if reply.hold is not None:
                    reply.hold()
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                self.send_header("Content-Length", str(len(reply.body)))
                self.send_header("Set-Cookie", server.cookie)
                self.end_headers()
                self.wfile.write(reply.body[: reply.cut])
                if reply.cut is not None:
                    self._hang_up(reply.reset)
            except OSError:
                self.close_connection = True  # the client went away

        def _hang_up(self, reset: bool) -> None:
            self.wfile.flush()
            if reset:
                time.sleep(0.05)  # let what was sent arrive, for a reset discards it
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@functools.lru_cache(maxsize=256)
def _stamps(days: bytes, time_of_day: dt.time, zone: str) -> tuple[int, ...]:
    dates = np.frombuffer(days, "datetime64[D]")
    return tuple(_stamp(date, time_of_day, zone) for date in dates)


def _stamp(date: np.datetime64, time_of_day: dt.time, zone: str) -> int:
    return int(dt.datetime.combine(date.astype(object), time_of_day, ZoneInfo(zone)).timestamp())


def _nulls(column: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in column]
