//! The words at the head of a line that say what it is: `Thời gian đăng:`, `Nguồn tin:`,
//! `Số/Ký hiệu:`, `Chia sẻ bài viết`.
//!
//! Words only: what a label means for a page is decided by who asks. New labels of portals come in here.

/// What a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// When the article was posted.
    Posted,
    /// When the page was last changed.
    Updated,
    /// How long before the visit: `2 giờ trước`. It says no date.
    Ago,
    /// Who the article is from: *Nguồn*.
    Source,
    /// Who wrote it: *Tác giả*.
    Author,
    /// How often it was read.
    Views,
    /// The head of the list of other articles.
    Others,
    /// Where that list stands in the whole.
    Pager,
    /// A document's number and symbol.
    DocumentNumber,
    /// A document's title, where it has a label.
    DocumentTitle,
    /// A document's day of issue.
    DocumentIssuedOn,
    /// A document's issuer.
    DocumentIssuer,
    /// What else is said of a document: its kind, who signed it, since when it is in force.
    DocumentDetail,
    /// The head of the list of documents.
    Documents,
    /// Files that belong to the article.
    Files,
    /// The head of the list of other sites.
    Links,
    /// The head of the visit counter.
    Counter,
    /// The counter itself.
    Visits,
    /// Buttons to share or send the article.
    Share,
    /// What readers say of it, or may say.
    Comments,
    /// How many stars it has.
    Rating,
    /// Its keywords.
    Tags,
    /// A tool of the page: size of letters, printing.
    Tool,
    /// Whose the site is: the words of a footer.
    Owner,
}

/// Labels of the time of posting. With a colon they say so of anything; without, only before a date.
const TIMES: &[(&str, Label)] = &[
    ("thời gian đăng tin", Label::Posted),
    ("thời gian đăng bài", Label::Posted),
    ("thời gian đăng", Label::Posted),
    ("ngày đăng tin", Label::Posted),
    ("ngày đăng bài", Label::Posted),
    ("ngày đăng tải", Label::Posted),
    ("ngày đăng", Label::Posted),
    ("ngày xuất bản", Label::Posted),
    ("thời gian xuất bản", Label::Posted),
    ("xuất bản", Label::Posted),
    ("được đăng ngày", Label::Posted),
    ("được đăng", Label::Posted),
    ("đã đăng", Label::Posted),
    ("đăng ngày", Label::Posted),
    ("đăng lúc", Label::Posted),
    ("đăng tải", Label::Posted),
    ("đăng vào", Label::Posted),
    ("đăng", Label::Posted),
    ("publish date", Label::Posted),
    ("published date", Label::Posted),
    ("published on", Label::Posted),
    ("published", Label::Posted),
    ("posted on", Label::Posted),
    ("posted", Label::Posted),
    ("ngày cập nhật", Label::Updated),
    ("cập nhật lần cuối", Label::Updated),
    ("cập nhật lúc", Label::Updated),
    ("cập nhật ngày", Label::Updated),
    ("cập nhật", Label::Updated),
    ("lần cập nhật cuối", Label::Updated),
    ("sửa lần cuối", Label::Updated),
    ("last updated", Label::Updated),
    ("updated", Label::Updated),
];

/// Labels that a value follows, behind a colon. Lower case; the longer of two that begin alike stands first.
const WITH_VALUE: &[(&str, Label)] = &[
    ("nguồn tin", Label::Source),
    ("nguồn", Label::Source),
    ("theo nguồn", Label::Source),
    ("tác giả bài viết", Label::Author),
    ("tác giả", Label::Author),
    ("người viết", Label::Author),
    ("người đưa tin", Label::Author),
    ("người đăng", Label::Author),
    ("người đăng tin", Label::Author),
    ("đăng bởi", Label::Author),
    ("được đăng bởi", Label::Author),
    ("viết bởi", Label::Author),
    ("posted by", Label::Author),
    ("tin, ảnh", Label::Author),
    ("tin ảnh", Label::Author),
    ("tin và ảnh", Label::Author),
    ("bài, ảnh", Label::Author),
    ("bài và ảnh", Label::Author),
    ("tin, bài", Label::Author),
    ("tin bài", Label::Author),
    ("đã xem", Label::Views),
    ("số lượt xem", Label::Views),
    ("số lần xem", Label::Views),
    ("lượt xem", Label::Views),
    ("lượt đọc", Label::Views),
    ("trang", Label::Pager),
    ("số/ký hiệu", Label::DocumentNumber),
    ("số / ký hiệu", Label::DocumentNumber),
    ("số/kí hiệu", Label::DocumentNumber),
    ("số, ký hiệu", Label::DocumentNumber),
    ("số ký hiệu", Label::DocumentNumber),
    ("số hiệu", Label::DocumentNumber),
    ("số văn bản", Label::DocumentNumber),
    ("trích yếu nội dung", Label::DocumentTitle),
    ("trích yếu", Label::DocumentTitle),
    ("ngày ban hành", Label::DocumentIssuedOn),
    ("ngày văn bản", Label::DocumentIssuedOn),
    ("cơ quan ban hành", Label::DocumentIssuer),
    ("đơn vị ban hành", Label::DocumentIssuer),
    ("hình thức văn bản", Label::DocumentDetail),
    ("loại văn bản", Label::DocumentDetail),
    ("thể loại văn bản", Label::DocumentDetail),
    ("lĩnh vực", Label::DocumentDetail),
    ("người ký", Label::DocumentDetail),
    ("chức vụ", Label::DocumentDetail),
    ("ngày có hiệu lực", Label::DocumentDetail),
    ("ngày hiệu lực", Label::DocumentDetail),
    ("ngày hết hiệu lực", Label::DocumentDetail),
    ("tình trạng hiệu lực", Label::DocumentDetail),
    ("hiệu lực", Label::DocumentDetail),
    ("tổng lượt truy cập", Label::Visits),
    ("tổng truy cập", Label::Visits),
    ("lượt truy cập", Label::Visits),
    ("đang truy cập", Label::Visits),
    ("tập tin đính kèm", Label::Files),
    ("tệp đính kèm", Label::Files),
    ("tệp tin đính kèm", Label::Files),
    ("file đính kèm", Label::Files),
    ("tài liệu đính kèm", Label::Files),
    ("văn bản đính kèm", Label::Files),
    ("đính kèm", Label::Files),
    ("từ khóa", Label::Tags),
    ("từ khoá", Label::Tags),
    ("tags", Label::Tags),
    ("tag", Label::Tags),
    ("chia sẻ", Label::Share),
    ("chia sẻ bài viết", Label::Share),
    ("xếp hạng", Label::Rating),
    ("bình luận", Label::Comments),
    ("cỡ chữ", Label::Tool),
    ("cơ quan chủ quản", Label::Owner),
    ("đơn vị chủ quản", Label::Owner),
    ("bản quyền", Label::Owner),
    ("chịu trách nhiệm nội dung", Label::Owner),
];

/// Lines that are a label and nothing else, with or without a colon.
const ALONE: &[(&str, Label)] = &[
    ("các tin tức khác", Label::Others),
    ("các tin khác", Label::Others),
    ("các bài khác", Label::Others),
    ("các bài viết khác", Label::Others),
    ("tin tức khác", Label::Others),
    ("tin khác", Label::Others),
    ("bài viết khác", Label::Others),
    ("các tin đã đưa", Label::Others),
    ("tin đã đưa", Label::Others),
    ("tin liên quan", Label::Others),
    ("các tin liên quan", Label::Others),
    ("những tin liên quan", Label::Others),
    ("bài viết liên quan", Label::Others),
    ("bài liên quan", Label::Others),
    ("tin bài liên quan", Label::Others),
    ("tin, bài liên quan", Label::Others),
    ("tin tức liên quan", Label::Others),
    ("tin cùng chuyên mục", Label::Others),
    ("bài viết cùng chuyên mục", Label::Others),
    ("cùng chuyên mục", Label::Others),
    ("tin cùng loại", Label::Others),
    ("các tin cũ hơn", Label::Others),
    ("các tin mới hơn", Label::Others),
    ("những tin mới hơn", Label::Others),
    ("những tin cũ hơn", Label::Others),
    ("tin mới hơn", Label::Others),
    ("tin cũ hơn", Label::Others),
    ("tin mới nhất", Label::Others),
    ("tin mới", Label::Others),
    ("tin nổi bật", Label::Others),
    ("tin xem nhiều", Label::Others),
    ("tin đọc nhiều", Label::Others),
    ("đọc nhiều", Label::Others),
    ("xem nhiều", Label::Others),
    ("related news", Label::Others),
    ("related posts", Label::Others),
    ("văn bản mới", Label::Documents),
    ("văn bản mới ban hành", Label::Documents),
    ("văn bản chỉ đạo điều hành", Label::Documents),
    ("văn bản", Label::Documents),
    ("liên kết website", Label::Links),
    ("liên kết web", Label::Links),
    ("liên kết", Label::Links),
    ("thống kê truy cập", Label::Counter),
    ("lượt truy cập", Label::Counter),
    ("chia sẻ bài viết", Label::Share),
    ("chia sẻ lên facebook", Label::Share),
    ("chia sẻ facebook", Label::Share),
    ("chia sẻ", Label::Share),
    ("share", Label::Share),
    ("gửi email", Label::Share),
    ("gửi mail", Label::Share),
    ("gửi cho bạn bè", Label::Share),
    ("ý kiến bạn đọc", Label::Comments),
    ("ý kiến của bạn", Label::Comments),
    ("gửi ý kiến", Label::Comments),
    ("gửi bình luận", Label::Comments),
    ("bình luận", Label::Comments),
    ("viết bình luận", Label::Comments),
    ("để lại một bình luận", Label::Comments),
    ("phản hồi", Label::Comments),
    ("comments", Label::Comments),
    ("leave a comment", Label::Comments),
    ("đánh giá bài viết", Label::Rating),
    ("xếp hạng", Label::Rating),
    ("tags", Label::Tags),
    ("từ khóa", Label::Tags),
    ("xem với cỡ chữ", Label::Tool),
    ("xem cỡ chữ", Label::Tool),
    ("cỡ chữ", Label::Tool),
    ("tăng cỡ chữ", Label::Tool),
    ("giảm cỡ chữ", Label::Tool),
    ("bản in", Label::Tool),
    ("in", Label::Tool),
    ("in ra", Label::Tool),
    ("in trang", Label::Tool),
    ("in trang này", Label::Tool),
    ("in bài viết", Label::Tool),
    ("in bài này", Label::Tool),
    ("lưu bài viết", Label::Tool),
    ("lưu bài viết này", Label::Tool),
    ("gửi bài viết qua email", Label::Tool),
    ("nghe bài viết", Label::Tool),
    ("đọc bài viết", Label::Tool),
    ("tương phản", Label::Tool),
    ("a+", Label::Tool),
    ("a-", Label::Tool),
    ("a a+", Label::Tool),
    ("a- a a+", Label::Tool),
    ("quay lại", Label::Tool),
    ("về đầu trang", Label::Tool),
];

/// Beginnings of lines that are never an article's own.
const BEGINNINGS: &[(&str, Label)] = &[
    ("tổng số điểm của bài viết", Label::Rating),
    ("click để đánh giá", Label::Rating),
    ("xem với cỡ chữ", Label::Tool),
    ("đường dẫn bài viết", Label::Share),
    ("©", Label::Owner),
    ("copyright", Label::Owner),
    ("bản quyền thuộc", Label::Owner),
    // the ways to the neighbours
    ("« bài trước", Label::Others),
    ("« tin trước", Label::Others),
    ("« bài cũ hơn", Label::Others),
    ("← bài trước", Label::Others),
    ("bài trước:", Label::Others),
    ("bài sau:", Label::Others),
    ("bài tiếp theo:", Label::Others),
    ("tin tiếp theo:", Label::Others),
    // what asks whether cookies may be set
    ("trang web này sử dụng cookie", Label::Owner),
    ("trang này sử dụng cookie", Label::Owner),
    ("website này sử dụng cookie", Label::Owner),
    ("cổng thông tin này sử dụng cookie", Label::Owner),
    ("chúng tôi sử dụng cookie", Label::Owner),
    ("this website uses cookies", Label::Owner),
    ("this site uses cookies", Label::Owner),
    ("we use cookies", Label::Owner),
];

/// The longest label has a third of it; of a longer line only so much is turned to lower case, in characters.
const HEAD_CHARS: usize = 80;

/// The label a line begins with, and what follows it.
pub(crate) fn of(text: &str) -> Option<(Label, &str)> {
    let (head, is_whole) = head(text);
    let alone = head.trim_end_matches([':', '.', '…', ' ']);
    let is_named = |words: &str| ALONE.iter().find(|(known, _)| *known == words).map(|(_, label)| *label);
    if is_whole && let Some(label) = is_named(alone).or_else(|| is_named(without_count(alone)).filter(has_count)) {
        return Some((label, ""));
    }
    if is_whole && is_ago(alone) {
        return Some((Label::Ago, text));
    }
    if let Some((_, label)) = BEGINNINGS.iter().find(|(words, _)| head.starts_with(words)) {
        return Some((*label, text));
    }
    TIMES.iter().chain(WITH_VALUE).find_map(|(words, label)| {
        let behind = behind(&head, words)?;
        match text.split_once(':') {
            Some((_, value)) if behind.starts_with(':') => Some((*label, value.trim_start())),
            _ if is_whole && behind.is_empty() && may_stand_alone(words, *label) => Some((*label, "")),
            _ => None,
        }
    })
}

/// Heads of lists that say how many follow: `Bình luận (6)`, `6 bình luận`.
fn has_count(label: &Label) -> bool {
    matches!(label, Label::Comments | Label::Others | Label::Tags | Label::Rating)
}

/// A head without the number before or behind it.
fn without_count(head: &str) -> &str {
    let is_count = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')' | '[' | ']' | ':' | ' ' | '.');
    let behind = head.trim_end_matches(is_count);
    if behind.len() < head.len() { behind } else { head.trim_start_matches(is_count) }
}

/// Whether a line says how long ago something was, counted from the visit: `2 giờ trước`, `Cách đây 3 ngày`, `hôm qua, 08:02`.
fn is_ago(head: &str) -> bool {
    const WORDS_MAX: usize = 6;
    const UNITS: [&str; 14] = [
        "giây", "phút", "giờ", "tiếng", "ngày", "tuần", "tháng", "năm", "minute", "minutes", "hour", "hours", "day",
        "days",
    ];
    let spaced = head.replace([',', '-', '–', '|', '(', ')', '~'], " ");
    let words: Vec<&str> = spaced.split_whitespace().take(WORDS_MAX + 1).collect();
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit()) || matches!(word, "một" | "a" | "an" | "vài");
    match words[..] {
        [number, unit, "trước" | "ago"] | ["khoảng", number, unit, "trước"] | ["cách", "đây", number, unit] => {
            is_number(number) && UNITS.contains(&unit)
        }
        ["vừa", "xong"] | ["mới", "đây"] | ["just", "now"] | ["yesterday" | "today"] => true,
        ["hôm", "qua" | "nay" | "kia", ref clock @ ..] => {
            clock.iter().all(|word| matches!(*word, "lúc" | "vào") || crate::clock::of(word).is_some())
        }
        _ => false,
    }
}

/// Whether the words are a label even without a colon. Those of authors also stand in bylines and names.
fn may_stand_alone(words: &str, label: Label) -> bool {
    match label {
        Label::Author => words == "tác giả",
        _ => !matches!(words, "đăng" | "xuất bản" | "published" | "posted"),
    }
}

/// The label of a time and what follows it, with a colon, or without before a number or a day of the week.
pub(crate) fn of_time(text: &str) -> Option<(Label, &str)> {
    match of(text) {
        Some((label, value)) => matches!(label, Label::Posted | Label::Updated).then_some((label, value)),
        None => {
            let (head, _) = head(text);
            TIMES.iter().find_map(|(words, label)| {
                let behind = behind(&head, words)?.trim_start_matches(['-', '–', '|', ' ']);
                let is_date = behind.starts_with(|c: char| c.is_ascii_digit())
                    || ["thứ ", "chủ nhật", "ngày ", "lúc ", "vào "].iter().any(|word| behind.starts_with(word));
                // A label and its value part where the label's own letters end, however they were written.
                let value = text.char_indices().nth(words.chars().count()).map_or("", |(at, _)| &text[at..]);
                is_date.then(|| (*label, value.trim_start_matches(['-', '–', '|', ' '])))
            })
        }
    }
}

/// The author and source of one line: `Tác giả: X - Nguồn: Y`.
pub(crate) fn author_and_source(value: &str) -> Option<(&str, &str)> {
    value.match_indices(['-', '–', '|', ';', '/']).find_map(|(at, sign)| {
        let (Label::Source, source) = of(value[at + sign.len()..].trim_start())? else { return None };
        Some((value[..at].trim_end(), source)).filter(|(author, source)| !author.is_empty() && !source.is_empty())
    })
}

/// What follows a label of files at the head of a line, with or without a colon or a space.
pub(crate) fn files_at_head(text: &str) -> Option<&str> {
    let (head, _) = head(text);
    let (words, _) = WITH_VALUE.iter().find(|(words, label)| *label == Label::Files && head.starts_with(words))?;
    let value = text.char_indices().nth(words.chars().count()).map_or("", |(at, _)| &text[at..]);
    Some(value.trim_start_matches([':', ' ', '-']))
}

/// The beginning of a line in lower case, and whether it is the whole of it.
fn head(text: &str) -> (String, bool) {
    let end = text.char_indices().nth(HEAD_CHARS).map(|(at, _)| at);
    (text[..end.unwrap_or(text.len())].to_lowercase(), end.is_none())
}

/// What stands behind a label, if it ends with its last word.
fn behind<'h>(head: &'h str, words: &str) -> Option<&'h str> {
    let behind = head.strip_prefix(words)?;
    (!behind.starts_with(|c: char| c.is_alphanumeric())).then(|| behind.trim_start())
}
