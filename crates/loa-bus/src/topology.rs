//! The exchanges, queues and bindings, the same on every broker.
//!
//! `loa.events` (topic) → `loa.archive`, `loa.feed`, `loa.digest`, `loa.push`. What no binding
//! takes → `loa.unrouted`. What cannot be processed → `loa.dead` (direct) → `loa.feed.dead` and so
//! on. Names and arguments only; adapters make and check them.

use std::fmt;

/// The topic exchange that every producer publishes to.
pub const EVENTS_EXCHANGE: &str = "loa.events";
/// The alternate exchange and the queue behind it, so that nothing unroutable vanishes.
pub const UNROUTED: &str = "loa.unrouted";
/// How often a message may come back before the broker itself moves it to the dead letters, so that
/// a message that kills the process each time does not do so for ever. It is delivered this many
/// times and once more; when the last delivery is given back too, it moves (RabbitMQ's
/// `x-delivery-limit`).
pub const DELIVERY_LIMIT: u32 = 20;
/// After this many unsettled deliveries a message is handed out alone, with nothing else unsettled
/// in its consumer. If it kills the process again, no other message counts a delivery: those that
/// were delivered beside it come through before the limit.
pub const ALONE_AFTER: u32 = 4;

/// A queue of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Intake's archive: every producer's events, for replay.
    Archive,
    /// The feed outlet.
    Feed,
    /// The digest outlet.
    Digest,
    /// The push outlet.
    Push,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Archive, Self::Feed, Self::Digest, Self::Push];

    /// The queue's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "loa.archive",
            Self::Feed => "loa.feed",
            Self::Digest => "loa.digest",
            Self::Push => "loa.push",
        }
    }

    /// The name of its dead letters.
    pub fn dead_name(self) -> &'static str {
        match self {
            Self::Archive => "loa.archive.dead",
            Self::Feed => "loa.feed.dead",
            Self::Digest => "loa.digest.dead",
            Self::Push => "loa.push.dead",
        }
    }

    /// Reads a name: `loa.feed`, or `feed`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|q| q.name() == text || q.name().strip_prefix("loa.") == Some(text))
    }

    /// The routing keys it is bound with.
    pub fn bindings(self) -> &'static [&'static str] {
        &["article.#", "document.#", "system.heartbeat"]
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where messages are kept for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The dead letters of a queue.
    Dead(Queue),
    /// What no binding took.
    Unrouted,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Dead(Queue::Archive),
        Self::Dead(Queue::Feed),
        Self::Dead(Queue::Digest),
        Self::Dead(Queue::Push),
        Self::Unrouted,
    ];

    /// The name of the queue that keeps them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dead(queue) => queue.dead_name(),
            Self::Unrouted => UNROUTED,
        }
    }

    /// The word of operators: `archive`, `feed`, `digest`, `push`, `unrouted`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dead(queue) => queue.name().trim_start_matches("loa."),
            Self::Unrouted => "unrouted",
        }
    }

    /// Reads a name or a word: `loa.feed.dead`, `loa.feed`, `feed`, `loa.unrouted`, `unrouted`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|place| place.name() == text || place.word() == text)
            .or_else(|| Queue::parse(text).map(Self::Dead))
    }
}

impl From<Queue> for Place {
    fn from(queue: Queue) -> Self {
        Self::Dead(queue)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether any queue is bound for a routing key, by the contract.
pub fn is_routed(key: &str) -> bool {
    Queue::ALL.into_iter().flat_map(Queue::bindings).any(|binding| routing_key_matches(binding, key))
}

/// Whether a topic binding takes a routing key (AMQP 0-9-1 §3.1.3.3): `*` is one word, `#` any number, none too.
pub fn routing_key_matches(binding: &str, key: &str) -> bool {
    fn walk(pattern: &[&str], words: &[&str]) -> bool {
        match pattern.split_first() {
            None => words.is_empty(),
            Some((&"#", rest)) => (0..=words.len()).any(|n| walk(rest, &words[n..])),
            Some((&"*", rest)) => !words.is_empty() && walk(rest, &words[1..]),
            Some((word, rest)) => words.first() == Some(word) && walk(rest, &words[1..]),
        }
    }
    walk(&binding.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_by_its_queue_and_by_its_word() {
        for place in Place::ALL {
            assert_eq!(Place::parse(place.name()), Some(place));
            assert_eq!(Place::parse(place.word()), Some(place));
        }
        assert_eq!(Place::parse("loa.feed"), Some(Place::Dead(Queue::Feed)));
        assert_eq!(Place::parse("feeds"), None);
    }

    #[test]
    fn a_star_is_one_word_and_a_hash_any_number() {
        for (binding, key, fits) in [
            ("article.#", "article.published.kinh-te", true),
            ("article.#", "article", true),
            ("article.#", "articles.published", false),
            ("article.*", "article.published", true),
            ("article.*", "article.published.x", false),
            ("#", "", true),
            ("system.heartbeat", "system.heartbeat", true),
        ] {
            assert_eq!(routing_key_matches(binding, key), fits, "{binding} {key}");
        }
    }
}
