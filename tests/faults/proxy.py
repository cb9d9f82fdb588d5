"""A TCP proxy that breaks connections: resets them, or swallows everything without a word (half-open, a black hole).

Must not know what goes through it. One event loop in one thread for all proxies of a run.
"""

import asyncio
import contextlib
import socket
import struct
import threading

CHUNK = 65536
BURIED_SECONDS = 120  # a black-holed connection is kept so long; then it is reset like any forgotten one


class Pair:
    """One connection through the proxy: to the client and to the server."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter | None):
        self.client, self.server = client, server
        self.open = asyncio.Event()
        self.open.set()

    def reset(self) -> None:
        """An RST to both ends, not a polite FIN."""
        for writer in (self.client, self.server):
            if writer is not None:
                with contextlib.suppress(OSError, AttributeError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()


class Proxy:
    """Listens on a port of its own and leads to one address."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int):
        self.loop, self.host, self.to = loop, host, port
        self.pairs: set[Pair] = set()
        self.swallowing = False
        self.met = 0
        self.tasks: set[asyncio.Task] = set()  # kept, for the loop itself keeps only weak hold of them
        self.server = self.call(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]

    def call(self, coroutine):
        """Runs something in the loop's thread and waits for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(15)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair, task = Pair(writer, None), asyncio.current_task()
        self.tasks.add(task)
        self.pairs.add(pair)
        try:
            if self.swallowing:
                self.met += 1
                pair.open.clear()
                await asyncio.sleep(BURIED_SECONDS)
                return
            back, pair.server = await asyncio.open_connection(self.host, self.to)
            pumps = [asyncio.ensure_future(self.pump(pair, reader, pair.server)), asyncio.ensure_future(self.pump(pair, back, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # nobody behind it: the client sees its connection end
        finally:
            self.tasks.discard(task)
            self.pairs.discard(pair)
            for end in (pair.client, pair.server):
                if end is not None:
                    end.close()

    async def pump(self, pair: Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await source.read(CHUNK):
                await asyncio.wait_for(pair.open.wait(), BURIED_SECONDS)
                sink.write(data)
                await sink.drain()

    # ── faults ──

    def reset(self) -> int:
        """Resets every connection; returns how many."""
        async def act() -> int:
            pairs = list(self.pairs)
            for pair in pairs:
                pair.reset()
            return len(pairs)
        return self.call(act())

    def swallow(self) -> int:
        """From now on nothing goes through, and nobody is told; returns how many connections that hit."""
        async def act() -> int:
            self.swallowing, self.met = True, 0
            for pair in self.pairs:
                pair.open.clear()
            return len(self.pairs)
        return self.call(act())

    def let_through(self) -> int:
        """New connections go through again; what was swallowed stays so. Returns how many new ones had been met."""
        async def act() -> int:
            self.swallowing = False
            return self.met
        return self.call(act())


class Proxies:
    """The event loop and its thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True, name="proxies").start()

    def to(self, host: str, port: int) -> Proxy:
        return Proxy(self.loop, host, port)
