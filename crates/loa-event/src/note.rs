//! What is told to a producer about an event that was taken: what was left out of it or is shown otherwise, and where.
//!
//! A note refuses nothing; what refuses an event is in `refusal.rs`. Its words stand in `loa-words`.

use loa_domain::Remark;
use loa_words::Language;

/// Something to tell of an event that is otherwise good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where, as a JSON Pointer into the event in structured form.
    pub pointer: String,
    /// What.
    pub remark: Remark,
}

impl Note {
    /// One sentence for the producer, in English as all that machines are answered.
    pub fn sentence(&self) -> String {
        Language::English.words().remark(&self.remark)
    }
}
