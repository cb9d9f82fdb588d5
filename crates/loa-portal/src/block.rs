//! A page as a row of blocks: one line of text, or one block-level element of HTML, in reading
//! order, each with what the page's form says of it.
//!
//! `text.rs` makes blocks of text, `walk.rs` of HTML, so that everything after knows only one form.

use loa_domain::escape_html;
use url::Url;

/// One line or one block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    /// The line in the file, 1 and up; 0 when not known.
    pub(crate) line: usize,
    /// Cleaned text, one line; empty only for a picture without words.
    pub(crate) text: String,
    /// The text as HTML without its outer element; `None`: the text, escaped.
    pub(crate) html: Option<String>,
    pub(crate) form: Form,
    /// Links in it, with their texts.
    pub(crate) links: Vec<(String, Url)>,
    /// What stands in it and is not taken over: addresses that cannot be made absolute.
    pub(crate) lost: Vec<String>,
    /// Where in the page it stands.
    pub(crate) place: BlockPlace,
}

/// What the page's form says a block is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// A paragraph.
    #[default]
    Plain,
    /// An item of a list.
    Item,
    /// A heading.
    Heading,
    /// Named as the lead by its element's class.
    Lead,
    /// A table of data; `html` is its rows.
    Table,
    /// Words of somebody else.
    Quote,
    /// Text whose line breaks matter.
    Preformatted,
    /// A picture; the text is its alternative.
    Image { name: String, url: Option<Url> },
    /// Words under a picture.
    Caption,
    /// A menu, a header, a footer: the whole region in one block.
    Furniture,
    /// Something that cannot be taken over: a player, a frame.
    Embedded,
    /// A picture that a script loads from an address that the page does not hold.
    Unaddressed,
}

/// Where a block stands among the page's elements. Text pages have none: all blocks stand in element 0.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockPlace {
    /// The element it is of, in the order in which elements begin.
    pub(crate) element: usize,
    /// 1 to 6 for a heading, else 0.
    pub(crate) level: u8,
    /// Whether it stands in a part beside the article, by the names of its elements.
    pub(crate) is_aside: bool,
    /// Whether one link holds all its words.
    pub(crate) is_link: bool,
    /// What its elements' names and microdata say of it.
    pub(crate) hint: Hint,
    /// `time datetime`, as written.
    pub(crate) datetime: Option<String>,
    /// The list that an item belongs to: its element, and how it opens (`<ol start="3">`).
    pub(crate) list: Option<(usize, String)>,
    /// The number that an item says it has.
    pub(crate) value: Option<i64>,
}

/// What names and microdata of the elements around a block say of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) is_title: bool,
    pub(crate) is_time: bool,
    /// A time of the last change.
    pub(crate) is_update: bool,
    pub(crate) is_author: bool,
}

/// The elements of a page, numbered in the order in which they begin.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    /// The element around each.
    pub(crate) parents: Vec<usize>,
    /// The number behind the last element inside each.
    pub(crate) ends: Vec<usize>,
    /// Those that hold an article's text by their name.
    pub(crate) bodies: Vec<usize>,
}

impl Elements {
    /// Those of a text page: one that holds all.
    pub(crate) fn of_text() -> Self {
        Self { parents: vec![0], ends: vec![1], bodies: Vec::new() }
    }
}

impl Block {
    /// The block as HTML of an article's body; empty for what has no place there.
    pub(crate) fn to_html(&self) -> String {
        let inner = self.html.clone().unwrap_or_else(|| escape_html(&self.text));
        match &self.form {
            Form::Plain | Form::Lead | Form::Caption | Form::Quote => format!("<p>{inner}</p>"),
            Form::Heading => format!("<h3>{inner}</h3>"),
            Form::Item => match self.place.value {
                Some(value) => format!("<li value=\"{value}\">{inner}</li>"),
                None => format!("<li>{inner}</li>"),
            },
            Form::Table => format!("<table>{inner}</table>"),
            Form::Preformatted => format!("<pre>{inner}</pre>"),
            Form::Image { url: Some(url), .. } => {
                format!("<p><img src=\"{}\" alt=\"{}\"></p>", escape_html(url.as_str()), escape_html(&self.text))
            }
            Form::Image { .. } | Form::Furniture | Form::Embedded | Form::Unaddressed => String::new(),
        }
    }

    /// Whether it holds words, and is no picture, menu or player.
    pub(crate) fn is_words(&self) -> bool {
        !self.text.is_empty()
            && !matches!(self.form, Form::Image { .. } | Form::Furniture | Form::Embedded | Form::Unaddressed)
    }

    /// Whether it reads like a paragraph: some words and a sign at their end, or many words.
    pub(crate) fn is_prose(&self) -> bool {
        const WORDS_WITH_SIGN: usize = 4;
        const WORDS: usize = 15;
        let is_paragraph =
            self.is_words() && !matches!(self.form, Form::Heading | Form::Caption) && !self.place.is_link;
        let words = self.text.split(' ').take(WORDS).count();
        let has_sign = self.text.ends_with(['.', '!', '?', '…', ';', ':', '”', '"', ')']);
        is_paragraph && (words >= WORDS || (has_sign && words >= WORDS_WITH_SIGN))
    }
}
