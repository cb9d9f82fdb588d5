-- Push: events of articles dated in the future. `shown_from`: from when on one is owed to endpoints; it is taken out of here
-- then. NULL: a newer version, or a withdrawal, came before its time; it never goes out, and its bytes are not kept.

CREATE TABLE upcoming (
    event_source TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    article      TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    version_id   TEXT COLLATE "C" NOT NULL,
    event        BIGINT REFERENCES event (id),
    shown_from   BIGINT,
    PRIMARY KEY (event_source, event_id),
    CHECK ((event IS NULL) = (shown_from IS NULL))
);
CREATE INDEX upcoming_due ON upcoming (shown_from, event) WHERE shown_from IS NOT NULL;
CREATE INDEX upcoming_article ON upcoming (article);
CREATE INDEX upcoming_event ON upcoming (event) WHERE event IS NOT NULL;
