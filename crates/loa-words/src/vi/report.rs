//! What is told of a page or a source that was read, in Vietnamese: what was left out, why a value was taken, and what an import
//! chose.

use super::{
    flaw::quoted,
    page::{all, date},
};
use crate::catalogue::beginning;
use loa_domain::{Assumption, Clue, LeftOut, SourceClue};

/// A line of a report: where, why, and the line's beginning.
pub(super) fn line(line: usize, text: &str, why: &LeftOut) -> String {
    format!("{}{} («{}»)", place(line), left_out(why), beginning(text))
}

/// Why a value was taken, and where it stands.
pub(super) fn evidence(line: usize, clues: &[Clue], is_assumed: bool) -> String {
    let assumed = if is_assumed { "tạm dùng, " } else { "" };
    format!("{assumed}{}{}", place(line), all(clues))
}

fn place(line: usize) -> String {
    if line == 0 { String::new() } else { format!("dòng {line}: ") }
}

/// Why a line was left out. One list, so that it is seen whole.
pub(super) fn left_out(why: &LeftOut) -> String {
    match why {
        LeftOut::Menu => "menu, phần đầu hoặc chân trang, không thuộc tin bài".into(),
        LeftOut::Player => "trình phát hoặc khung nhúng, không được lấy".into(),
        LeftOut::ScriptedPicture => "ảnh mà chỉ mã lệnh của trang biết địa chỉ, không được lấy".into(),
        LeftOut::PictureOutside => "ảnh nằm ngoài tin bài".into(),
        LeftOut::Share => "nút chia sẻ, không thuộc tin bài".into(),
        LeftOut::Comments => "ý kiến bạn đọc, không thuộc tin bài".into(),
        LeftOut::Rating => "phần đánh giá, không thuộc tin bài".into(),
        LeftOut::Keywords => "từ khóa, không được lấy".into(),
        LeftOut::CountedTime => "thời gian tính lùi từ lúc truy cập, không cho biết ngày nào".into(),
        LeftOut::PageTool => "công cụ của trang, không thuộc tin bài".into(),
        LeftOut::SiteWords => "thông tin riêng của trang web, không thuộc tin bài".into(),
        LeftOut::Aside => "tên phần tử cho biết nằm ở bên cạnh tin bài".into(),
        LeftOut::NoKnownPart => "nằm ngoài mọi phần nhận biết được của trang".into(),
        LeftOut::AmongOthers => "nằm cùng các nút, từ khóa hoặc ý kiến bạn đọc".into(),
        LeftOut::PlaceholderTime => "thời gian đăng là ngày mặc định nên không dùng cho tin bài".into(),
        LeftOut::BesideTime { rest } => format!("bên cạnh thời gian đăng có {}, không rõ nghĩa", quoted(rest)),
        LeftOut::SecondTime => "thời gian đăng thứ hai".into(),
        LeftOut::OtherMachineTime { by } => {
            format!("thời gian trong dữ liệu cho máy {} khác với thời gian hiện trên trang", quoted(by))
        }
        LeftOut::UnreadMachineTime { by } => format!("dữ liệu cho máy {} không phải thời gian", quoted(by)),
        LeftOut::FrontPage { by } => {
            format!("địa chỉ mà trang tự ghi ({}) là trang chủ, không phải của tin bài", quoted(by))
        }
        LeftOut::OtherSite { by } => {
            format!("địa chỉ mà trang tự ghi ({}) thuộc trang web khác với nơi đã đọc trang", quoted(by))
        }
        LeftOut::LinkAddress { address, more } => {
            format!("đã bỏ địa chỉ liên kết {}{}", quoted(address), relative(*more))
        }
        LeftOut::PictureAddress { address, more } => {
            format!("đã bỏ địa chỉ ảnh {}{}", quoted(address), relative(*more))
        }
        LeftOut::SecondCount => "số đếm thứ hai, khác với số đầu".into(),
        LeftOut::ReadersWithoutNumber => "lượt xem không phải là số".into(),
        LeftOut::VisitsWithoutNumber => "bộ đếm lượt truy cập không có số".into(),
        LeftOut::OtherFigure => "số liệu khác của bộ đếm lượt truy cập, không được giữ".into(),
        LeftOut::UnreadPageCount => "vị trí trong danh sách không theo dạng `đầu-cuối của tổng số`".into(),
        LeftOut::SecondSource => "nguồn tin thứ hai, hoặc không có tên".into(),
        LeftOut::SecondAuthor => "tác giả thứ hai, hoặc không có tên".into(),
        LeftOut::FilesAnnounced => "dòng giới thiệu tệp; các tệp có địa chỉ ở phía sau được lấy".into(),
        LeftOut::FileWithoutAddress => "tệp không có địa chỉ, không được lấy".into(),
        LeftOut::LinkWithoutAddress => "liên kết không có địa chỉ".into(),
        LeftOut::TrailingLink => "liên kết ở cuối nội dung, giống danh sách tin khác".into(),
        LeftOut::EmptyHeading => "đề mục không có nội dung bên dưới".into(),
        LeftOut::OtherArticleDate { fault } => format!("ngày của tin khác không thể có: {}", date(fault)),
        LeftOut::DocumentWithoutNumber => "văn bản không có số".into(),
        LeftOut::DocumentWithoutTitle => "văn bản không có trích yếu".into(),
        LeftOut::DetailBeforeNumber => "thuộc về văn bản, nhưng phía trước không có số của văn bản nào".into(),
        LeftOut::OtherDetail { value } => format!("chi tiết của văn bản không được giữ: {}", quoted(value)),
        LeftOut::IssueDate { fault } => format!("ngày ban hành không thể có: {}", date(fault)),
        LeftOut::PlaceholderIssueDate => "ngày ban hành là ngày mặc định nên không dùng cho văn bản".into(),
        LeftOut::EntryWithoutAddress => "mục này không có địa chỉ".into(),
        LeftOut::NotPublished => "bài này chưa đăng công khai trên trang web".into(),
        LeftOut::ElementWithoutLink => "phần tử được chọn không chứa liên kết nào".into(),
        LeftOut::LinkElsewhere => "liên kết sang trang web khác, về trang chủ, hoặc đến chính danh sách".into(),
        LeftOut::UnlikeLink => "liên kết không giống các liên kết của danh sách".into(),
        LeftOut::TooManyEntries { max } => format!("nguồn có hơn {max} mục; phần sau không được đọc"),
    }
}

fn relative(more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" (và {more} địa chỉ nữa)") };
    format!("{more} vì chỉ là một phần địa chỉ; hãy cho biết trang nằm ở đâu bằng `--address`")
}

/// What speaks for a source's form.
pub(super) fn source(clue: &SourceClue) -> String {
    match clue {
        SourceClue::FeedRoot => "phần tử gốc là của RSS hoặc Atom".into(),
        SourceClue::JsonFeed => "là JSON Feed".into(),
        SourceClue::WordPressPosts => "là danh sách bài do WordPress cung cấp".into(),
        SourceClue::SitemapRoot => "phần tử gốc là của sơ đồ trang (sitemap)".into(),
        SourceClue::Index { shown } => format!("là mục lục của các sơ đồ trang; ở đây xem {}", quoted(shown)),
        SourceClue::Selector { selector } => format!("các liên kết là do bộ chọn {} chỉ ra", quoted(selector)),
        SourceClue::DatedLinks { items } => {
            format!("có {items} liên kết kèm ngày, hoặc có địa chỉ giống các liên kết kèm ngày")
        }
        SourceClue::LinksOfOneForm { items } => format!("có {items} liên kết mà địa chỉ cùng một dạng"),
    }
}

/// What an import chose, or does not publish.
pub(super) fn assumption(assumption: &Assumption) -> String {
    match assumption {
        Assumption::AuthorNotPublished { author } => {
            format!("Tác giả {} không được đăng: sự kiện chỉ có nguồn tin.", quoted(author))
        }
        Assumption::TimeOfImport { id } => format!("Tin `{id}` không ghi ngày; lấy thời gian của lần nhập này."),
        Assumption::PictureWithoutAddress { name } => {
            format!("Ảnh {} không được đăng: trang không cho biết ảnh ở đâu.", quoted(name))
        }
        Assumption::AddressMade { id, url } => {
            format!("Trang không cho biết đọc `{id}` ở đâu; tạm dẫn đến {url} vì chưa có địa chỉ nào hơn.")
        }
    }
}
