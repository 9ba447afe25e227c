"""Somebody who carries everything away: every byte the database keeps on disk, and the server's secret keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from storage.database import database_url as with_driver
from storage.keys import SecretKeys, Unreadable
from storage.pulse.sealing import RoundKey, Said

PIECE = 16
"""Bytes in a row that are no chance."""
_TOKEN = re.compile(rb"gAAAA[\w=-]{135}")
_SEALED = re.compile(rb"[\x00-\xff]{0,9}?([\w-]{891}=)")


def carried_away(url: str) -> bytes:
    """The database's files: of SQLite all there are, of PostgreSQL those of its tables after a checkpoint; its log is excepted."""
    if url.startswith("sqlite"):
        path = Path(with_driver(url).database or "")
        return b"\n".join(each.read_bytes() for each in sorted(path.parent.iterdir()) if each.name.startswith(path.name))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()")
        directory, oid = row.fetchone() or ("", 0)
    try:
        return b"\n".join(each.read_bytes() for each in sorted((Path(directory) / "base" / str(oid)).iterdir()))
    except OSError:
        pytest.skip("PostgreSQL's data directory cannot be read from here")


def places_left(secrets: Collection[str], everything: bytes) -> int:
    """At how many places a piece of any of these texts stands."""
    pieces = {text[start : start + PIECE].encode() for text in secrets for start in range(len(text) - PIECE + 1)}
    assert pieces
    starts = np.unique(np.array([int.from_bytes(piece[:8], "little") for piece in pieces], dtype="<u8"))
    return sum(everything[at : at + PIECE] in pieces for at in _hits(everything, starts))


def _hits(content: bytes, starts: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Iterator[int]:
    for offset in range(8):
        words = np.frombuffer(content[offset : offset + (len(content) - offset) // 8 * 8], dtype="<u8")
        yield from (offset + 8 * int(place) for place in np.nonzero(np.isin(words, starts))[0])


def opened(
    everything: bytes, keys: Iterable[str], round_id: int, people: Collection[int], items: Collection[str]
) -> Mapping[int, set[Said]]:
    """Whose answers can be read, and what they say: with every round key that is found, each person's tags are looked for."""
    found: dict[int, set[Said]] = {}
    for key in _round_keys(everything, SecretKeys(tuple(keys)), round_id):
        for person in people:
            for tag in (key.tag(person, item) for item in items):
                found.setdefault(person, set()).update(_read(everything, key, tag))
    return {person: said for person, said in found.items() if said}


def _round_keys(everything: bytes, keys: SecretKeys, round_id: int) -> Iterator[RoundKey]:
    for token in set(_TOKEN.findall(everything)):
        try:
            yield RoundKey(round_id, keys.unwrap(token.decode()))
        except Unreadable:
            continue


def _read(everything: bytes, key: RoundKey, tag: str) -> Iterator[Said]:
    place = everything.find(tag.encode())
    while place >= 0:
        place += len(tag)
        if sealed := _SEALED.match(everything, place):
            with suppress(InvalidTag):
                yield key.open(tag, sealed[1].decode())
        place = everything.find(tag.encode(), place)
