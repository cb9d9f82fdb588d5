-- Digest: runs that do not go on by themselves (stopped, or not planned to the end) are found however many came after them.

CREATE INDEX run_stuck ON run (id) WHERE paused IS NOT NULL OR planned = 0;
