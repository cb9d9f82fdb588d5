//! A fault leaves the crate: it is told as the door's error, and what the engine found wrong with the
//! ledger's place is noted.

use super::{Db, Met};
use crate::fault::{Fault, Result, judge};
use loa_store::StoreError;

/// Says what was tried, and where, when a fault leaves the crate.
pub(crate) trait During<T> {
    /// `doing` fits behind "could not ". What the engine found wrong with the ledger's place is noted there, until the same
    /// succeeds or the place is found good ([`Found`](super::Found)).
    fn during(self, doing: &'static str, db: &Db) -> std::result::Result<T, StoreError>;

    /// The same where no ledger is open: `place` is a file, or a server.
    fn during_at(self, doing: &str, place: &str) -> std::result::Result<T, StoreError>;
}

impl<T> During<T> for Result<T> {
    fn during(self, doing: &'static str, db: &Db) -> std::result::Result<T, StoreError> {
        let fault = match self {
            Ok(done) => {
                db.found().went_well(doing);
                return Ok(done);
            }
            Err(fault) => fault,
        };
        let met = match &fault {
            Fault::Sql(error) => Some(judge(error))
                .filter(|verdict| verdict.lies_in_place)
                .map(|verdict| if verdict.lingers { Met::LingeringByEngine } else { Met::ByEngine }),
            Fault::InPlace(_) => Some(Met::ByUs),
            Fault::Known(_) | Fault::Away(_) => None,
        };
        let error = fault.told(doing, &db.place());
        if let Some(met) = met {
            db.found().note(doing, error.trouble(), met);
        }
        Err(error)
    }

    fn during_at(self, doing: &str, place: &str) -> std::result::Result<T, StoreError> {
        self.map_err(|fault| fault.told(doing, place))
    }
}
