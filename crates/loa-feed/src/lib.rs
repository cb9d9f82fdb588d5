//! Entries into RSS 2.0, Atom, JSON Feed and OPML, with validators.
