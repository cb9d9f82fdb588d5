//! The directory of areas: which commune, town or ward existed on which day under which code, what
//! became of it, and which of them a Vietnamese text names.
//!
//! Pure: text in (CSV, articles), areas out. The caller reads files and knows the day.
//!
//! ```
//! use loa_area::{AreaFile, Directory};
//! let text = "id,code,name,kind,district,province,valid_from,valid_until,successors,aliases\n\
//!     na-son-03205-2004,03205,Na Son,Xã,Huyện Điện Biên Đông,Tỉnh Điện Biên,,2025-07-01,na-son-03203-2025,\n\
//!     na-son-03203-2025,03203,Na Son,Xã,,Tỉnh Điện Biên,2025-07-01,,,\n";
//! let directory = Directory::load(&[AreaFile { label: "areas.csv", text }])?;
//! let then = jiff::civil::date(2023, 11, 16);
//! let found = directory.find("lạc đỏ Na Son", then);
//! assert_eq!(found[0].as_str(), "na-son-03205-2004");
//! assert_eq!(directory.reach(&found).len(), 2, "its news belongs to today's Na Son too");
//! # Ok::<(), loa_area::LoadError>(())
//! ```

mod area;
mod around;
mod by_name;
mod directory;
mod following;
mod gazetteer;
mod lexicon;
mod load;
mod reading;
mod search;
mod spelling;
mod within;
mod words;

pub use area::{Area, AreaKind, Share, Succession};
pub use by_name::NameError;
pub use directory::Directory;
pub use gazetteer::Match;
pub use load::{AreaFile, LoadError};
pub use search::AreaSearch;
pub use spelling::folded;
pub use within::{WithinError, ids_named, within};
