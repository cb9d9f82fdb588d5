"""What faults of the broker certainly took from an outlet, and whether the audit named it before anything brought it back.

A fault that is for the audit (`Deleted.by_audit`) leaves a gap that no repeat and no other command closes: then the line that
is named must close it, and only that. So that the harness sees this and does not conclude it, each such fault has a witness:
an event of the foreign producer that was confirmed at once, while the outlet's queue could not have it or was about to be
purged of it. The journey of the witness must say "not received" before its outlet is given any command.
"""

from account import Finding
from house import House
from injection import Deleted
from journal import Journal
from producers import Foreign
from workload import State, journey_of


class Gaps:
    """Holds the faults of a run against what the audit names."""

    def __init__(self, house: House, journal: Journal, foreign: Foreign | None, deleted: list[Deleted]):
        self.house, self.journal, self.foreign, self.deleted = house, journal, foreign, deleted
        self.named: dict[int, str] = {}  # place in `deleted` -> the article of the witness that was named

    def witness(self, deleted: Deleted) -> State | None:
        """An event that the outlet certainly lost by this fault, and has from nowhere else."""
        if self.foreign is None or not deleted.by_audit:
            return None
        lost = (state for state, began, confirmed in list(self.foreign.once.values())
                if deleted.lost_from <= began and confirmed <= deleted.lost_until
                and (state.kind == "article" or deleted.takes_documents))
        return next(lost, None)

    def look(self) -> None:
        """Looks whether the audit names what it has not been seen to name yet."""
        for number, deleted in enumerate(self.deleted):
            witness = self.witness(deleted) if number not in self.named else None
            if witness is not None and self.is_named(deleted.outlet, witness):
                self.named[number] = witness.article
                self.journal.write("gap named", fault=deleted.kind, outlet=deleted.outlet, article=witness.article, mark=witness.mark)

    def is_named(self, outlet: str, witness: State) -> bool:
        steps, _ = self.house.try_command("journey", *journey_of(witness.key))
        return any((step["outlet"], step["step"], step["revision"]) == (outlet, "not_received", witness.revision) for step in steps or ())

    def unnamed(self) -> list[tuple[Deleted, State]]:
        """The faults that took something for certain, with a witness each, of which the audit has said nothing so far."""
        found = ((deleted, self.witness(deleted)) for number, deleted in enumerate(self.deleted) if number not in self.named)
        return [(deleted, witness) for deleted, witness in found if witness is not None]

    def may_be_brought_back(self, outlet: str) -> bool:
        """Whether a command for this outlet hides no gap that is to be named first."""
        return all(deleted.outlet != outlet for deleted, _ in self.unnamed())

    def findings(self) -> list[Finding]:
        return [Finding("audit", f"{deleted.kind} of loa.{deleted.outlet} took {witness.title}, and the audit never named it", witness.key,
                        deleted.lost_from, deleted.lost_until) for deleted, witness in self.unnamed()]
