-- Feed: the feed of the home portal, `portal-home`, of what stood in `all` before there could be other portals. Programs of before
-- know no such feed.

INSERT INTO stood (article, feed) SELECT DISTINCT article, 'portal-home' FROM stood;
INSERT INTO place (feed, gone, sort_at, article) SELECT 'portal-home', gone, sort_at, article FROM place WHERE feed = 'all';
INSERT INTO feed (name, change, entries, entered, label, label_at, label_revision, changed_at)
    SELECT 'portal-home', change, entries, entered, label, label_at, label_revision, changed_at FROM feed WHERE name = 'all';
