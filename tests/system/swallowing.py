"""A port that swallows what comes, as a network does that is cut off: nobody answers, and nobody refuses."""

import contextlib
import socket

import pytest


@contextlib.contextmanager
def swallowing():
    """A port on 127.0.0.1 at which the kernel answers nothing: its listener's queue is full."""
    with contextlib.ExitStack() as all_of_it:
        listener = all_of_it.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filling = all_of_it.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        with pytest.raises(TimeoutError), socket.create_connection(listener.getsockname(), 0.5):
            pass
        yield listener.getsockname()[1]
