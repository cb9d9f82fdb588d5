//! The room of what is kept in memory: feeds, archive documents, combinations and the list of all
//! feeds.
//!
//! `writer` makes each of them from the ledger's rows. Four keepers serve them: `feeds`,
//! `archives`, `combinations` and `overview`. A keeper holds the writer, the changes and one cache;
//! none knows the service. `cache`, `changes`, `flights` and `budget` know neither feeds nor the
//! ledger.

pub(crate) mod archives;
pub(crate) mod budget;
pub(crate) mod cache;
pub(crate) mod changes;
pub(crate) mod combinations;
pub(crate) mod feeds;
pub(crate) mod flights;
pub(crate) mod overview;
pub(crate) mod writer;

/// How often something is written again because another writing overtook it, before the next step has to do it.
const OVERTAKEN_MAX: usize = 5;
