//! The labels at the head of a line that say what it is: `Thời gian đăng:`, `Nguồn tin:`,
//! `Số/Ký hiệu:`.

/// What a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// When the article was posted.
    Posted,
    /// Who wrote it.
    Source,
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
    /// The head of the list of documents.
    Documents,
    /// The head of the list of other sites.
    Links,
    /// The head of the visit counter.
    Counter,
    /// The counter itself.
    Visits,
}

/// Labels that a value follows, behind a colon. Lower case; the longer of two that begin alike stands first.
const WITH_VALUE: &[(&str, Label)] = &[
    ("thời gian đăng tin", Label::Posted),
    ("thời gian đăng bài", Label::Posted),
    ("thời gian đăng", Label::Posted),
    ("ngày đăng tin", Label::Posted),
    ("ngày đăng", Label::Posted),
    ("đăng ngày", Label::Posted),
    ("nguồn tin", Label::Source),
    ("nguồn", Label::Source),
    ("đã xem", Label::Views),
    ("số lượt xem", Label::Views),
    ("lượt xem", Label::Views),
    ("lượt đọc", Label::Views),
    ("trang", Label::Pager),
    ("số/ký hiệu", Label::DocumentNumber),
    ("số / ký hiệu", Label::DocumentNumber),
    ("số/kí hiệu", Label::DocumentNumber),
    ("số, ký hiệu", Label::DocumentNumber),
    ("số ký hiệu", Label::DocumentNumber),
    ("trích yếu", Label::DocumentTitle),
    ("ngày ban hành", Label::DocumentIssuedOn),
    ("cơ quan ban hành", Label::DocumentIssuer),
    ("tổng lượt truy cập", Label::Visits),
    ("tổng truy cập", Label::Visits),
    ("lượt truy cập", Label::Visits),
];

/// Lines that are a label and nothing else, with or without a colon.
const ALONE: &[(&str, Label)] = &[
    ("các tin tức khác", Label::Others),
    ("các tin khác", Label::Others),
    ("tin tức khác", Label::Others),
    ("tin khác", Label::Others),
    ("các tin đã đưa", Label::Others),
    ("tin đã đưa", Label::Others),
    ("tin liên quan", Label::Others),
    ("các tin liên quan", Label::Others),
    ("tin cùng chuyên mục", Label::Others),
    ("tin mới hơn", Label::Others),
    ("tin cũ hơn", Label::Others),
    ("văn bản mới", Label::Documents),
    ("văn bản mới ban hành", Label::Documents),
    ("văn bản chỉ đạo điều hành", Label::Documents),
    ("văn bản", Label::Documents),
    ("liên kết website", Label::Links),
    ("liên kết web", Label::Links),
    ("liên kết", Label::Links),
    ("thống kê truy cập", Label::Counter),
];

/// The label a line begins with, and what follows it.
pub(crate) fn of(text: &str) -> Option<(Label, &str)> {
    let lower = text.to_lowercase();
    let alone = lower.trim_end_matches([':', ' ']);
    if let Some((_, label)) = ALONE.iter().find(|(words, _)| *words == alone) {
        return Some((*label, ""));
    }
    WITH_VALUE.iter().find_map(|(words, label)| {
        let behind = lower.strip_prefix(words)?.trim_start();
        match text.split_once(':') {
            Some((_, value)) if behind.starts_with(':') => Some((*label, value.trim_start())),
            _ => behind.is_empty().then_some((*label, "")),
        }
    })
}
