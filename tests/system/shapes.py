"""The shapes an installation may have: where ledgers are kept × what carries events. Configuration tells them apart, alone.

A test file names its shapes in `SHAPES`; one that names none is about something that the shape cannot touch, and runs on
the small one. What meets a ledger or a bus runs on BOTH: each engine and each bus once, since neither knows the other. The
way of an event, from a foreign producer to its corrections and mails, runs on EVERY shape, and where sessions matter through
a POOLER as well.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Shape:
    """`sqlite`, `postgres`, or `pooler` (PostgreSQL behind PgBouncer) × `embedded` or `rabbitmq`."""

    store: str
    bus: str

    def __str__(self) -> str:
        return f"{self.store}-{self.bus}"

    @property
    def embedded(self) -> bool:
        """Whether queues are a file: then `loa up` runs everything in one process, unless a test wants services apart."""
        return self.bus == "embedded"


SMALL = [Shape("sqlite", "embedded")]
ON_BROKER = [Shape("sqlite", "rabbitmq"), Shape("postgres", "rabbitmq")]
BOTH = [*SMALL, ON_BROKER[1]]
EVERY = [*SMALL, *ON_BROKER, Shape("postgres", "embedded")]
POOLER = [Shape("pooler", "rabbitmq")]
KNOWN = {str(shape): shape for shape in (*EVERY, *POOLER)}
