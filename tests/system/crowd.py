"""A crowd at the door: connections from as many addresses of 127.0.0.0/8, most of which misbehave, and some that only read.

It measures what those who only read see; a test asks whether they are served at all.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import resource
import time

FILES = 4_096


@dataclasses.dataclass
class Readers:
    """What those saw who only read: statuses, and seconds for each request."""

    statuses: list[int] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)

    def percentile(self, share: float) -> float:
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(len(self.seconds) * share))]


def addresses():
    """127.1.0.1, 127.1.0.2, … one for each connection."""
    return (f"127.{1 + number // 65_024 % 200}.{number // 254 % 256}.{1 + number % 254}" for number in itertools.count())


async def slow_head(reader, writer) -> None:
    writer.write(b"GET /feeds HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    while True:
        await writer.drain()
        await asyncio.sleep(1)
        writer.write(b"a")


async def slow_body(reader, writer) -> None:
    writer.write(b"POST /hub HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15000\r\n\r\n")
    while True:
        await writer.drain()
        await asyncio.sleep(1)
        writer.write(b"a")


async def never_reads(reader, writer) -> None:
    writer.transport.pause_reading()
    writer.write(b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    await asyncio.sleep(3_600)


async def half_closed(reader, writer) -> None:
    writer.write(b"GET /feeds HTTP/1.1\r\nHost: x\r\n")
    writer.write_eof()
    await asyncio.sleep(3_600)


MISBEHAVING = (slow_head, slow_body, never_reads, half_closed)


async def misbehave(port: int, address: str, how) -> None:
    """One stranger, who comes again whenever the connection ends."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            watching = asyncio.ensure_future(reader.read(1)) if how is not never_reads else None
            acting = asyncio.ensure_future(how(reader, writer))
            await asyncio.wait([one for one in (watching, acting) if one], return_when=asyncio.FIRST_COMPLETED)
            for one in (watching, acting):
                if one:
                    one.cancel()
            writer.transport.abort()
        await asyncio.sleep(0.2)


async def read(port: int, address: str, path: str, times: int, seen: Readers) -> None:
    """One who reads a document so often, each time by a connection of its own, as feed readers do."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    for _ in range(times):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        writer.write(request)
        answer = await reader.read()
        seen.seconds.append(time.monotonic() - began)
        seen.statuses.append(int(answer.split(b" ", 2)[1]) if answer else 0)
        writer.close()
        await asyncio.sleep(0.2)


async def gather(port: int, path: str, bad: int, good: int, times: int) -> Readers:
    seen, places = Readers(), addresses()
    strangers = [asyncio.ensure_future(misbehave(port, next(places), MISBEHAVING[number % len(MISBEHAVING)])) for number in range(bad)]
    await asyncio.sleep(3 if bad else 0)
    await asyncio.gather(*(read(port, next(places), path, times, seen) for _ in range(good)))
    for one in strangers:
        one.cancel()
    await asyncio.gather(*strangers, return_exceptions=True)
    return seen


def crowd(port: int, path: str, bad: int, good: int, times: int) -> Readers:
    """So many who misbehave and so many who only read, at one listener."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    return asyncio.run(gather(port, path, bad, good, times))
