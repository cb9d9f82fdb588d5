//! What is told to a producer about an event that was taken: what was left out of it, and where.
//!
//! A note refuses nothing; what refuses an event is in `refusal.rs`.

/// Something that was left out of an event that is otherwise good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where, as a JSON Pointer into the event in structured form.
    pub pointer: String,
    /// One sentence for the producer.
    pub sentence: String,
}
