//! Why a page, a feed or a sitemap is refused, in Vietnamese.

use super::flaw::{detail, excess, quoted};
use loa_domain::{Clue, DateFault, EncodingFault, NoSource, PageCandidate, PageError, PageField};

/// Why, and what to do. One list, so that it is seen whole.
pub(super) fn error(error: &PageError) -> String {
    match error {
        PageError::TooLarge { bytes, max } => format!(
            "Trang có {bytes} byte, vượt mức {max} byte cho phép; hãy dùng trang của chính tin bài, không phải cả trang web."
        ),
        PageError::TooCostly { excess: found } => {
            format!("Trang có {}. Hãy dùng trang của chính tin bài, lưu đầy đủ.", excess(*found))
        }
        PageError::Grows { max } => format!(
            "Trang mở các liên kết hoặc chữ đậm, chữ nghiêng mà không đóng nên dài quá {max} byte; hãy đóng từng thẻ, hoặc lưu \
             riêng tin bài."
        ),
        PageError::Encoding { line, why } => format!(
            "Không rõ bảng mã của trang: {} (dòng {line}). Hãy lưu trang bằng UTF-8 rồi nhập lại.",
            encoding(why)
        ),
        PageError::Empty => "Trang trống; hãy kiểm tra xem có đúng tệp không.".into(),
        PageError::NoTitle { line: 0 } => {
            "Trang không có tiêu đề; hãy đặt tiêu đề trên một dòng riêng phía trên thời gian đăng.".into()
        }
        PageError::NoTitle { line } => format!(
            "Trang không có tiêu đề: không có đề mục nào, và không dòng nào gần thời gian đăng (dòng {line}) có thể là tiêu đề; \
             hãy đặt tiêu đề trên một dòng riêng phía trên thời gian đăng."
        ),
        PageError::OfServer { title } => format!(
            "Trang này là câu trả lời của máy chủ ({}), không phải tin bài; hãy mở địa chỉ của tin bằng trình duyệt rồi lưu lại \
             trang hiện ra.",
            quoted(title)
        ),
        PageError::BrokenXml { line, said } => format!(
            "Dòng {line} không phải XML; trang web cần sửa, hoặc hãy theo dõi nguồn khác của trang web.{}",
            detail(said)
        ),
        PageError::BrokenJson { line, said } => format!(
            "Dòng {line} không phải JSON; trang web cần sửa, hoặc hãy theo dõi nguồn khác của trang web.{}",
            detail(said)
        ),
        PageError::NoSource { why } => format!(
            "Nguồn không cho biết tin bài nào: {}. Hãy dùng địa chỉ của nguồn tin RSS, sơ đồ trang (sitemap) hoặc trang danh sách.",
            no_source(why)
        ),
        PageError::UnreadableSelector { what, selector } => format!(
            "Bộ chọn {} cho `{}` không đọc được; hãy xem lại trang và sửa bộ chọn.",
            quoted(selector),
            what.as_str()
        ),
        PageError::IdleSelector { what, selector } => format!(
            "Bộ chọn {} cho `{}` không tìm thấy gì; hãy xem lại trang và sửa bộ chọn.",
            quoted(selector),
            what.as_str()
        ),
        PageError::NoList => "Trang không phải danh sách tin bài: có ít hơn hai liên kết mang tiêu đề; hãy dùng chính trang danh \
                              sách."
            .into(),
        PageError::NoNumber => "Đây là trang của văn bản nhưng thiếu số; hãy ghi số sau `Số/Ký hiệu:`.".into(),
        PageError::NoDate => "Trang không cho biết thời gian đăng: không có dòng nào là ngày tháng hoặc bắt đầu bằng nhãn như \
                              `Thời gian đăng`, `Ngày đăng`; hãy thêm một dòng, ví dụ `Thời gian đăng: 16/11/2023 08:02:22 AM`."
            .into(),
        PageError::UncertainDate { line, text, clues } => format!(
            "Không chắc trang được đăng lúc nào: {}{} có thể là ngày khác (căn cứ: {}). Hãy ghi `Thời gian đăng:` trước thời \
             gian đăng.",
            quoted(text),
            at(*line),
            all(clues)
        ),
        PageError::Undecided { field: of, one, other } => format!(
            "Không chắc {} của trang là gì: có thể là {} hoặc {}. Hãy chỉ giữ lại giá trị đúng, hoặc nhập riêng tin bài.",
            field(*of),
            candidate(one),
            candidate(other)
        ),
        PageError::List { items, line, text } => format!(
            "Trang là danh sách từ {items} tin trở lên (tin đầu ghi {}{}), không phải một tin bài; hãy nhập các trang mà danh sách \
             dẫn tới.",
            quoted(text),
            at(*line)
        ),
        PageError::ImpossibleDate { line, text, why } => format!(
            "Thời gian đăng {}{} không thể có: {}. Hãy viết ngày/tháng/năm giờ:phút:giây, ví dụ `16/11/2023 08:02:22 AM`.",
            quoted(text),
            at(*line),
            date(why)
        ),
        PageError::EmptyBody { title } => format!(
            "Tin bài {} không có nội dung: giữa phần mở đầu và phần tiếp theo không có chữ nào; hãy dùng trang có toàn bộ tin \
             bài.",
            quoted(title)
        ),
    }
}

/// What a value is called, within a sentence.
pub(super) fn field(field: PageField) -> &'static str {
    match field {
        PageField::Title => "tiêu đề",
        PageField::PublishedAt => "thời gian đăng",
        PageField::Summary => "phần mở đầu",
        PageField::Body => "nội dung",
        PageField::Source => "nguồn tin",
        PageField::Author => "tác giả",
        PageField::Address => "địa chỉ",
        PageField::Picture => "ảnh",
        PageField::File => "tệp",
        PageField::Number => "số/ký hiệu",
    }
}

fn at(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" (dòng {line})") }
}

fn candidate(one: &PageCandidate) -> String {
    format!("{}{} (căn cứ: {})", quoted(&one.text), at(one.line), all(&one.clues))
}

/// All that speaks for a value.
pub(super) fn all(clues: &[Clue]) -> String {
    if clues.is_empty() { "không có".into() } else { clues.iter().map(clue).collect::<Vec<_>>().join("; ") }
}

/// Why something is no time.
pub(super) fn date(fault: &DateFault) -> String {
    match fault {
        DateFault::NoDate => "không có ngày, tháng, năm".into(),
        DateFault::NotADay => "không viết theo ngày/tháng/năm".into(),
        DateFault::HalfWithoutHour => "có ghi buổi sáng hoặc chiều mà không có giờ".into(),
        DateFault::Weekday { day, other } => format!(
            "nếu ngày đứng trước ({day}) thì không khớp với thứ trong tuần ghi bên cạnh, còn nếu tháng đứng trước ({other}) thì \
             khớp"
        ),
        DateFault::Placeholder => "đó là ngày mặc định".into(),
        DateFault::NotMorning { hour } => format!("{hour} giờ không phải buổi sáng"),
        DateFault::NotNoon { hour } => format!("{hour} giờ không phải buổi trưa"),
        DateFault::NoTime { hour, minute, second } => format!("không có giờ {hour}:{minute:02}:{second:02}"),
        DateFault::TooLarge { number } => format!("số {} quá lớn", quoted(number)),
        DateFault::DayFirst { day } => format!("ngày phải đứng trước, mà {} không phải ngày", quoted(day)),
        DateFault::YearDigits { year } => format!("năm {} phải có bốn chữ số", quoted(year)),
        DateFault::Year { year } => format!("không thể là năm {year}"),
        DateFault::Month { month } => format!("không có tháng {month} (ngày phải đứng trước)"),
        DateFault::Day { day, month, year } => format!("tháng {month} năm {year} không có ngày {day}"),
        DateFault::OutOfRange => "nằm ngoài khoảng thời gian cho phép".into(),
    }
}

fn encoding(fault: &EncodingFault) -> String {
    match fault {
        EncodingFault::Utf32 => "trang bắt đầu bằng dấu của UTF-32".into(),
        EncodingFault::EncodedTwice { shown } => {
            format!("chữ đã bị đọc bằng bảng mã khác với khi viết rồi lưu lại như vậy ({})", quoted(shown))
        }
        EncodingFault::ZeroBytes => "có byte 0, như UTF-16 thiếu dấu đầu tệp hoặc tệp nhị phân".into(),
        EncodingFault::NotUtf8 { at, byte } => format!("byte thứ {at} (0x{byte:02x}) không phải UTF-8"),
        EncodingFault::BrokenUtf16 => "trang bắt đầu bằng dấu của UTF-16 nhưng bị cắt ngang hoặc hỏng".into(),
    }
}

fn no_source(why: &NoSource) -> String {
    match why {
        NoSource::WordPress { said } => format!("WordPress từ chối, nguyên văn «{said}»"),
        NoSource::OtherJson => "đây là JSON nhưng không phải bài của WordPress hay JSON Feed".into(),
        NoSource::Unknown => "đây không phải XML, JSON hay HTML".into(),
    }
}

/// What speaks for a value, or against it.
pub(super) fn clue(clue: &Clue) -> String {
    match clue {
        Clue::Machines(by) => format!("dữ liệu cho máy {}", quoted(by)),
        Clue::MainHeading => "là đề mục chính".into(),
        Clue::Heading => "là đề mục".into(),
        Clue::SmallHeading => "là đề mục nhỏ".into(),
        Clue::ElementName => "tên phần tử cho biết như vậy".into(),
        Clue::PageTitle => "`title` bắt đầu bằng chữ này".into(),
        Clue::OpenGraph => "`og:title` ghi giống vậy".into(),
        Clue::DataForMachines => "dữ liệu cho máy của trang ghi giống vậy".into(),
        Clue::List => "danh sách dẫn tới trang ghi giống vậy".into(),
        Clue::Aside => "nằm ở bên cạnh tin bài".into(),
        Clue::LinkElsewhere => "là liên kết sang nơi khác".into(),
        Clue::ListItem => "là một mục của danh sách".into(),
        Clue::SectionOrSite => "giống tên chuyên mục hoặc trang web".into(),
        Clue::Section => "giống tên chuyên mục".into(),
        Clue::AboveTime => "là dòng phía trên thời gian đăng".into(),
        Clue::NameBelowLine => "giống tên người hoặc cơ quan, và phía trên còn dòng khác".into(),
        Clue::NoLetters => "không có chữ".into(),
        Clue::Paragraph => "giống một đoạn văn".into(),
        Clue::BelowTime => "là dòng đầu tiên dưới thời gian đăng".into(),
        Clue::FirstLine => "là dòng đầu của trang có thời gian đăng ở cuối".into(),
        Clue::NearestHeading => "là đề mục gần nhất phía trên thời gian đăng".into(),
        Clue::NotShown => "không dòng nào của trang hiện ra".into(),
        Clue::PostedLabel => "có nhãn thời gian đăng".into(),
        Clue::ChangedLabel => "có nhãn lần cập nhật cuối".into(),
        Clue::ChangedElement => "tên phần tử cho biết đó là lần cập nhật cuối".into(),
        Clue::DayAndTime => "là dòng chỉ có ngày và giờ".into(),
        Clue::DayAlone => "là dòng chỉ có ngày".into(),
        Clue::SentenceBehind => "phía sau còn câu viết tiếp".into(),
        Clue::Parentheses => "nằm trong ngoặc đơn, như ngày của tin khác".into(),
        Clue::OtherWords => "bên cạnh còn chữ khác".into(),
        Clue::UnderLink => "nằm dưới liên kết sang tin khác".into(),
        Clue::CloseBehindTitle => "ngay sau tiêu đề".into(),
        Clue::FarBehindTitle => "cách xa phía sau tiêu đề".into(),
        Clue::FarBeforeTitle => "cách xa phía trước tiêu đề".into(),
        Clue::BeforeTitle => "đứng trước tiêu đề, nơi thường ghi ngày truy cập".into(),
        Clue::PageHead => "ở đầu trang, nơi thường ghi ngày truy cập".into(),
        Clue::FarBehindHead => "cách xa đầu trang".into(),
        Clue::WeekdayWithoutTime => "có thứ trong tuần mà không có giờ".into(),
        Clue::WeekdayOfVisit => "có thứ trong tuần, như ngày truy cập".into(),
        Clue::TimeFrom(by) => format!("giờ lấy từ dữ liệu cho máy {}", quoted(by)),
        Clue::TimeFromLine => "giờ lấy từ dòng khác ghi cùng ngày".into(),
        Clue::OnlyMachines => "chỉ dữ liệu cho máy có ghi, nơi nhiều cổng ghi lần cập nhật cuối".into(),
        Clue::FirstParagraph => "là đoạn đầu tiên".into(),
        Clue::BehindTitle { blocks, last_line } => {
            format!("là phần chữ phía sau tiêu đề, {blocks} khối, đến dòng {last_line}")
        }
        Clue::SourceLabel => "có nhãn nguồn tin".into(),
        Clue::AuthorLabel => "có nhãn tác giả".into(),
        Clue::NameBesideTime => "là tên đứng cạnh tiêu đề và thời gian đăng".into(),
        Clue::NumberLabel => "có nhãn số/ký hiệu".into(),
        Clue::AbstractLabel => "có nhãn trích yếu".into(),
        Clue::ReadFrom => "là nơi đã đọc trang".into(),
        Clue::PictureInText => "là ảnh trong nội dung".into(),
        Clue::PictureWithoutAddress => "là ảnh trong nội dung, không có địa chỉ".into(),
    }
}
