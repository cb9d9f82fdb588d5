//! A page as a row of blocks: one line of text, or one block-level element of HTML, in reading
//! order.
//!
//! Text becomes blocks here, HTML in `html.rs`, so that everything after knows only one form.

use loa_domain::clean_line;
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
    /// A picture; the text is its alternative.
    Image { name: String, url: Option<Url> },
    /// Words under a picture.
    Caption,
    /// A menu, a header, a footer: the whole region in one block.
    Furniture,
    /// Something that cannot be taken over: a player, a frame.
    Embedded,
}

const BULLETS: [char; 9] = ['•', '·', '▪', '◦', '‣', '●', '○', '■', '❖'];
const PICTURES: [&str; 8] = [".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".jfif", ".svg"];

/// Cuts a text page into blocks: each line that is not blank.
pub(crate) fn of_text(text: &str) -> Vec<Block> {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.split('\n').enumerate().filter_map(|(place, line)| of_line(place + 1, line)).collect()
}

fn of_line(number: usize, line: &str) -> Option<Block> {
    let cleaned = clean_line(line);
    let unbulleted = cleaned.trim_start_matches(BULLETS).trim_start();
    let form = if is_picture(unbulleted) {
        Form::Image { name: unbulleted.to_owned(), url: None }
    } else if unbulleted.len() < cleaned.len() {
        Form::Item
    } else {
        Form::Plain
    };
    let text = if matches!(form, Form::Image { .. }) { "" } else { unbulleted };
    // A lone bullet says nothing; a line of other signs is kept and told.
    (!unbulleted.is_empty()).then(|| Block { line: number, text: text.to_owned(), form, ..Block::default() })
}

/// Whether a line is the name of a picture's file and nothing else.
fn is_picture(line: &str) -> bool {
    let lower = line.to_lowercase();
    let stem = PICTURES.iter().find_map(|ending| lower.strip_suffix(ending));
    stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem.len() <= 150
            && !stem.contains([':', ';', '"', '“', '”'])
            && stem.split(' ').count() <= 6
    })
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Block {
    /// The block as HTML of an article's body; empty for what has no place there.
    pub(crate) fn to_html(&self) -> String {
        let inner = self.html.clone().unwrap_or_else(|| escape(&self.text));
        match &self.form {
            Form::Plain | Form::Lead | Form::Caption => format!("<p>{inner}</p>"),
            Form::Heading => format!("<h3>{inner}</h3>"),
            Form::Item => format!("<li>{inner}</li>"),
            Form::Table => format!("<table>{inner}</table>"),
            Form::Image { url: Some(url), .. } => {
                format!("<p><img src=\"{}\" alt=\"{}\"></p>", escape(url.as_str()), escape(&self.text))
            }
            Form::Image { .. } | Form::Furniture | Form::Embedded => String::new(),
        }
    }
}
