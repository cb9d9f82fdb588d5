//! Every limit of the event contract, as a constant. `docs/schemas` states the same figures; a test
//! compares them.

/// One event in structured mode, in bytes.
pub const EVENT_BYTES_MAX: usize = 1_048_576;
/// Objects and arrays inside each other. A portal needs five; a parser's stack is not a resource to lend out.
pub const DEPTH_MAX: usize = 64;
/// Values in one text of JSON, objects, arrays and what is in them; an article needs some hundreds. Each costs memory however short it
/// is written.
pub const VALUES_MAX: usize = 20_000;
/// `id` of an event, in bytes: visible ASCII, since it travels in a webhook's header.
pub const EVENT_ID_BYTES_MAX: usize = 200;
/// `source` of an event, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1_000;
/// An address, in bytes; longer ones are cut or refused by mail programs and proxies.
pub const URL_BYTES_MAX: usize = 2_000;
/// The title, in characters: it has to stand in one line of a mail's list.
pub const TITLE_CHARS_MAX: usize = 500;
/// The summary, in characters.
pub const SUMMARY_CHARS_MAX: usize = 5_000;
/// Start tags in a body. How deep, misnested and rich in attributes a body may be is the parser's business: `loa-html`.
pub const HTML_TAGS_MAX: usize = 20_000;
/// Names of people, offices, categories, kinds and numbers, in characters.
pub const NAME_CHARS_MAX: usize = 300;
/// The reason of a withdrawal, in characters.
pub const REASON_CHARS_MAX: usize = 2_000;
/// What a picture or file is called, in characters.
pub const ALT_CHARS_MAX: usize = 1_000;
/// Areas named by one event.
pub const AREAS_MAX: usize = 200;
/// Pictures of one article.
pub const IMAGES_MAX: usize = 100;
/// Files of one article or document.
pub const ATTACHMENTS_MAX: usize = 100;
/// The highest revision: the largest whole number that every JSON reader keeps exactly (2^53 - 1).
pub const REVISION_MAX: u64 = 9_007_199_254_740_991;
/// The first year an instant may lie in, in UTC: no portal is older, and 1900 or 1970 are placeholders.
pub const INSTANT_YEAR_MIN: i16 = 1990;
/// The first year an official paper may be of.
pub const ISSUE_YEAR_MIN: i16 = 1945;
/// The last year any date may lie in, and any instant, in UTC; 9999 is a placeholder.
pub const YEAR_MAX: i16 = 2100;
