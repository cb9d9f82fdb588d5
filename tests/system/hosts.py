"""The rule of every list of hosts, the broker's and the database's alike: one is tried after the other, and each failure told."""

from collections.abc import Callable

from broker import free_port
from swallowing import swallowing


def each_is_tried_until_one_answers(
    use: Callable[[list[str]], None],
    checked: Callable[[], tuple[bool, str]],
    ipv6_port: int,
    default_port: int,
    *,
    refused: str,
    silent: str,
) -> None:
    """`use` sets the list, `checked` says what `loa check` finds; `refused` and `silent` are how it tells these two failures."""
    nobody = free_port()
    with swallowing() as mute:
        use([f"127.0.0.1:{nobody}", f"127.0.0.1:{mute}", f"[::1]:{ipv6_port}"])
        for _ in range(3):  # in whichever order
            ok, said = checked()
            assert ok and f"reached at [::1]:{ipv6_port}" in said
        use([f"127.0.0.1:{nobody}", f"127.0.0.1:{mute}", "no-such-host.invalid"])
        ok, said = checked()
    assert not ok
    for failure in (f"127.0.0.1:{nobody}: {refused}", f"127.0.0.1:{mute}: {silent}",
                    f"no-such-host.invalid:{default_port}: its name cannot be looked up"):
        assert failure in said, said
