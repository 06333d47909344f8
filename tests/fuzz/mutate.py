"""Mutations of bytes, of JSON, and of command-line words."""

from __future__ import annotations

import copy
import random
from typing import Any

TOKENS = (
    b"\x1b[31m",
    b"\x9b2J",
    b"\xe2\x80\xae",
    b"\x00",
    b"\xff\xfe",
    b"[/]",
    b"[bold red]",
    b"=1+1",
    b"NaN",
    b"nan",
    b"inf",
    b"-inf",
    b"1e999",
    b"-1",
    b"0",
    b"9" * 40,
    b"9" * 5000,
    b"../../x",
    b"C:\\x",
    b"!!int x",
    b"!!python/name:os.system",
    b"&a [*a]",
    b"<<: *a",
    b"{{",
    b"}}",
    b"[[[[[[[[",
    b",,,,,,,,",
    b";",
    b"\t",
    b"\r",
    b"\n\n",
    b"'",
    b'"',
    b"\\",
    b"#",
    b"%s",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"2020-02-30",
    b"9999-12-31",
    b"0001-01-01",
    b"1970-01-01T00:00:00Z",
    b"true",
    b"null",
    b"~",
    b"a" * 3000,
    b"{}",
    b"[]",
    b"''",
)

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**30,
    1.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x1b[31m",
    "\u202e",
    "[/]",
    "now",
    "../../x",
    "a" * 5000,
    "2020-02-30",
    "9999-12-31",
    [],
    {},
    [[]],
    [None],
    [1, "a"],
    {"a": 1},
    {"name": "gru"},
    ["\ud800"],
    "\ud800",
)


def of_bytes(content: bytes, rng: random.Random) -> bytes:
    """One to four changes somewhere in the content."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content) + 1)
        end = min(len(content), at + rng.choice((1, 1, 2, 8, 64, 1024)))
        kind = rng.randrange(7)
        if kind == 0:
            content = content[:at] + rng.choice(TOKENS) + content[end:]
        elif kind == 1:
            content = content[:at] + rng.choice(TOKENS) + content[at:]
        elif kind == 2:
            content = content[:at] + content[end:]
        elif kind == 3:
            content = content[:at] + content[at:end] * rng.choice((2, 3, 50)) + content[end:]
        elif kind == 4:
            content = content[:at] + bytes(rng.randrange(256) for _ in range(end - at)) + content[end:]
        elif kind == 5:
            content = content[:at]
        elif content:
            place = rng.randrange(len(content))
            content = content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]
    return content


def of_json(value: Any, rng: random.Random) -> Any:
    """One to three values, at any depth, replaced, removed, renamed or doubled."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, 3)):
        holder = value
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = rng.choice(keys)
            inner = holder[key]
            if isinstance(inner, dict | list) and inner and rng.random() < 0.75:
                holder = inner
                continue
            kind = rng.randrange(6)
            if kind == 0:
                del holder[key]
            elif kind == 1 and isinstance(holder, dict):
                holder[rng.choice(("\x1b[31m", "x", "", "a" * 500))] = holder.pop(key)
            elif kind == 2 and isinstance(holder, list):
                holder.extend(copy.deepcopy(holder[0]) for _ in range(rng.choice((1, 7))))
            else:
                holder[key] = copy.deepcopy(rng.choice(VALUES))
            break
    return value


def of_word(word: str, rng: random.Random) -> str:
    """A command-line word: no NUL, as the system allows none."""
    return of_bytes(word.encode(), rng).replace(b"\0", b"").decode("utf-8", "surrogateescape")
