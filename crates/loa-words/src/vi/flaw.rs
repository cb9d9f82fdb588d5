//! Why an event is not taken, in Vietnamese. Whoever reads it tells the producer, so each sentence says what, where, and what
//! to do.

use loa_domain::{AddressFault, EventType, Flaw, HeaderType, HtmlExcess, IdFault, JsonType, Quoted, ServerWords};

/// What is wrong, and what to do. One list, so that it is seen whole.
pub(super) fn flaw(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Batch => "Nhiều sự kiện được gửi trong một lô; hãy gửi từng sự kiện riêng.".into(),
        Flaw::EventFormat { media_type } => {
            format!("Không nhận sự kiện ở dạng {}; hãy gửi dạng `application/cloudevents+json`.", quoted(media_type))
        }
        Flaw::NoMarks => {
            "Đây không phải sự kiện CloudEvents: kiểu nội dung không phải `application/cloudevents+json`, không có \
                          header `cloudEvents:` nào, cũng không có `specversion`."
                .into()
        }
        Flaw::ContentType { media_type } => format!(
            "Đây không phải sự kiện CloudEvents: kiểu nội dung là {} và không có header `cloudEvents:` nào.",
            quoted(media_type)
        ),
        Flaw::EventTooLarge { bytes, max } => {
            format!("Sự kiện có {bytes} byte, vượt mức {max} byte cho phép; hãy gửi ảnh và tệp bằng địa chỉ.")
        }
        Flaw::Charset { charset } => {
            format!("Kiểu nội dung ghi bảng mã {}; sự kiện phải dùng UTF-8.", quoted(charset))
        }
        Flaw::NoAttribute { header } => format!(
            "Header {} không phải thuộc tính của sự kiện CloudEvents ở chế độ nhị phân; hãy bỏ hoặc đổi tên.",
            quoted(header)
        ),
        Flaw::Contradiction { header } => format!(
            "Header {} có giá trị khác với chính thuộc tính đó dưới tiền tố khác; hãy chỉ gửi một lần.",
            quoted(header)
        ),
        Flaw::HeaderType { header, found } => format!(
            "Header {} là {}; thuộc tính của sự kiện phải là chữ, số nguyên, đúng/sai hoặc thời điểm.",
            quoted(header),
            header_type(*found)
        ),
        Flaw::Base64 => "Dữ liệu nằm trong `data_base64`; hãy gửi dữ liệu là một đối tượng JSON trong `data`.".into(),
        Flaw::NoId { message_id: None } => "Thiếu `id`: hãy gửi header `cloudEvents:id`.".into(),
        Flaw::NoId { message_id: Some(id) } => format!(
            "Thiếu `id`: hãy gửi header `cloudEvents:id`; mã tin {} trong hàng đợi không thay được cho nó.",
            quoted(id)
        ),
        Flaw::DataFormat { media_type } => {
            format!("Dữ liệu có kiểu {}; hãy gửi `application/json`.", quoted(media_type))
        }
        Flaw::EmptyBody => "Nội dung trống; cần có JSON.".into(),
        Flaw::ByteOrderMark => {
            "Nội dung bắt đầu bằng dấu thứ tự byte (BOM) mà JSON không cho phép; hãy gửi UTF-8 không có dấu này.".into()
        }
        Flaw::Compressed => "Nội dung đang ở dạng nén (gzip); hãy gửi JSON không nén.".into(),
        Flaw::NotUtf8 { said } => {
            format!("Nội dung không phải UTF-8; hãy ghi lại bằng UTF-8.{}", detail(said))
        }
        Flaw::Markup => "Nội dung bắt đầu bằng `<`: đây là trang web hoặc XML, trong khi cần JSON.".into(),
        Flaw::CutShort { said } => format!("Nội dung bị cắt ngang; hãy gửi đầy đủ.{}", detail(said)),
        Flaw::HalfSurrogate { said } => format!(
            "Nội dung không phải JSON: có mã `\\u` chỉ là một nửa của cặp thay thế; hãy viết đủ hai nửa, hoặc viết chính ký tự \
             đó.{}",
            detail(said)
        ),
        Flaw::ControlCharacter { said } => format!(
            "Nội dung không phải JSON: trong chữ có ký tự điều khiển; hãy viết bằng mã thay thế như `\\n`.{}",
            detail(said)
        ),
        Flaw::NumberOutOfRange { said } => format!(
            "Nội dung không phải JSON: có số quá lớn; hãy gửi số nhỏ hơn hoặc gửi dưới dạng chữ.{}",
            detail(said)
        ),
        Flaw::NotJson { said } => format!("Nội dung không phải JSON.{}", detail(said)),
        Flaw::TooDeep { max } => {
            format!("Các đối tượng và danh sách lồng nhau quá {max} tầng; hãy gửi dữ liệu ít tầng hơn.")
        }
        Flaw::TooManyValues { max } => {
            format!("Nội dung có hơn {max} giá trị; hãy bỏ những phần không thuộc bài viết.")
        }
        Flaw::DuplicateName { name } => {
            format!("Tên {} có hai lần trong cùng một đối tượng; hãy gửi một lần.", quoted(name))
        }
        Flaw::WrongType { name, found, expected } => {
            let what = name.as_ref().map_or_else(|| "Sự kiện".to_owned(), |name| format!("Trường `{name}`"));
            format!("{what} là {}, trong khi cần {}.", json_type(*found), json_type(*expected))
        }
        Flaw::NotAnArticle => "Tin bài gửi lên phải là một đối tượng JSON.".into(),
        Flaw::Missing { name } => format!("Trường `{name}` bị thiếu hoặc để trống; hãy gửi trường này."),
        Flaw::TooManyBytes { name, bytes, chars_max } => {
            format!("Trường `{name}` có {bytes} byte, dài hơn mức {chars_max} ký tự cho phép; hãy rút ngắn.")
        }
        Flaw::TooManyChars { name, chars, max } => {
            format!("Trường `{name}` có {chars} ký tự, vượt mức {max} ký tự cho phép; hãy rút ngắn.")
        }
        Flaw::TooManyItems { name, items, max } => {
            format!("Trường `{name}` có {items} mục, vượt mức {max} mục cho phép; hãy gửi ít hơn.")
        }
        Flaw::OutOfRange { name, number, min, max } => {
            format!("Trường `{name}` là {number}, không phải số nguyên từ {min} đến {max}.")
        }
        Flaw::NotAnInstant { name, text } => format!(
            "Trường `{name}` là {}, không phải thời điểm theo RFC 3339 có múi giờ; hãy viết như `2023-11-16T08:02:22+07:00`.",
            quoted(text)
        ),
        Flaw::NoSuchInstant { name, text } => {
            format!("Trường `{name}` là {}, một thời điểm không có thật.", quoted(text))
        }
        Flaw::InstantOutside { name, text, first, last } => format!(
            "Trường `{name}` là {}, nằm ngoài các năm {first} đến {last}; có vẻ đó là ngày mặc định.",
            quoted(text)
        ),
        Flaw::NotADate { name, text, first, last } => format!(
            "Trường `{name}` là {}, không phải một ngày (viết dạng năm-tháng-ngày) từ năm {first} đến năm {last}.",
            quoted(text)
        ),
        Flaw::Address { name, text, fault } => {
            format!("Trường `{name}` là {}, {}.{}", quoted(text), address(fault), of_library(fault))
        }
        Flaw::SpecVersion { text } => {
            format!("Trường `specversion` là {}; chỉ nhận CloudEvents 1.0.", quoted(text))
        }
        Flaw::EventId { text, max } => {
            format!("Trường `id` là {}; mã sự kiện phải gồm 1 đến {max} ký tự ASCII nhìn thấy được.", quoted(text))
        }
        Flaw::Source { text, max } => format!(
            "Trường `source` là {}; nguồn sự kiện phải là địa chỉ (URI) đầy đủ của cổng, không quá {max} byte ASCII.",
            quoted(text)
        ),
        Flaw::EventType { text } => {
            let known = EventType::ALL.map(|known| format!("`{}`", known.as_str())).join(", ");
            format!("Loại sự kiện {} không có trong quy ước ({known}).", quoted(text))
        }
        Flaw::SubjectDiffers { subject, data } => {
            format!("Trường `subject` của sự kiện là {}, nhưng dữ liệu lại nói về {}.", quoted(subject), quoted(data))
        }
        Flaw::ArticleId { text, fault } => format!("Mã tin {} không dùng được: {}.", quoted(text), id(*fault)),
        Flaw::NoPublication => {
            "Thiếu `published_at`, và cũng không có `time` của sự kiện hay `issued_on` để thay.".into()
        }
        Flaw::Slug { text } => format!(
            "Trường `slug` là {}, không chuyển được thành phần địa chỉ chỉ gồm a-z, 0-9 và dấu gạch nối.",
            quoted(text)
        ),
        Flaw::Language { text } => {
            format!("Trường `language` là {}, không phải mã ngôn ngữ như `vi` hoặc `en`.", quoted(text))
        }
        Flaw::MediaType { text } => {
            format!("Trường `media_type` là {}, không phải kiểu tệp như `image/jpeg`.", quoted(text))
        }
        Flaw::NamelessArea => "Mỗi địa bàn cần có `id`, hoặc `code` cùng với `date`.".into(),
        Flaw::BodyTooLarge { bytes, max } => {
            format!("Trường `content_html` có {bytes} byte, vượt mức {max} byte cho phép; hãy rút ngắn.")
        }
        Flaw::TooManyTags { tags, max } => {
            format!("Trường `content_html` có {tags} thẻ HTML, vượt mức {max} thẻ cho phép; hãy giản lược.")
        }
        Flaw::BodyTooCostly { excess: found } => format!("Trường `content_html` có {}.", excess(*found)),
        Flaw::BodyGrows { bytes, max } => format!(
            "Trường `content_html` thành {bytes} byte sau khi sửa các thẻ lồng sai và viết đủ địa chỉ, vượt mức {max} byte cho \
             phép."
        ),
        Flaw::CapitalsGone { name } => format!(
            "Trường `{name}` là tiếng Việt viết bằng mã cũ VISCII, và các chữ hoa đến đây thành ký tự điều khiển, không giữ được; \
             hãy chuyển sang Unicode rồi gửi lại."
        ),
        Flaw::EncodedTwice { name } => format!(
            "Trường `{name}` là UTF-8 bị mã hóa thêm một lần (ví dụ `áº` thay cho `ạ`); hãy gửi lại như ban đầu."
        ),
        Flaw::MixedEncoding { name, encoding } => format!(
            "Trường `{name}` trông như tiếng Việt viết bằng mã cũ {}, nhưng không chắc toàn bộ đều như vậy; hãy chuyển sang \
             Unicode rồi gửi lại.",
            encoding.as_str()
        ),
        Flaw::RevisionTooHigh { revision, max } => format!(
            "Trường `revision` là {revision}, cao hơn mức {max} mà mọi cách đánh số lần sửa có thể đạt tới, nên không còn chỗ \
             cho lần sửa sau. Hãy gửi số lần sửa, hoặc thời điểm sửa tính bằng micro giây; hoặc gửi qua HTTP mà không có \
             `revision`, Loa sẽ tự đánh số."
        ),
        Flaw::UnknownSource { source } => format!(
            "Nguồn sự kiện {} không phải của cổng nào trong hệ thống này; hãy thêm cổng bằng `loa portals add`, rồi chạy lại tin \
             bằng `loa dead-letters redrive`.",
            quoted(source)
        ),
        Flaw::RetiredSource { source, portal } => format!(
            "Nguồn sự kiện {} là của cổng `{portal}`, đã ngừng đăng; những gì cổng này đăng trước đây vẫn còn, và những gì đã \
             xảy ra trước lúc ngừng (theo `time` của sự kiện) vẫn được nhận.",
            quoted(source)
        ),
        Flaw::AnotherArticle { address, id } => format!(
            "Trang cho biết địa chỉ của mình là {}, nơi đã có một tin khác hẳn về tiêu đề, thời gian và nội dung (`{id}`). Nếu \
             trang này là bản đã sửa, hãy nhập với `--same`; nếu cổng ghi địa chỉ này cho mọi trang, hãy bỏ `link \
             rel=canonical` và `og:url` khỏi trang và cho biết địa chỉ đúng bằng `--address`.",
            quoted(address)
        ),
        Flaw::AnotherText { id } => format!(
            "Đã có tin cùng tiêu đề và thời gian nhưng nội dung khác (`{id}`). Nếu trang này là bản đã sửa, hãy nhập với \
             `--same`; nếu là tin khác, hãy cho biết địa chỉ bằng `--address`."
        ),
        Flaw::NothingOfIt { id } => format!(
            "Theo địa chỉ hoặc theo chính trang này thì đây là tin `{id}`, nhưng tiêu đề, thời gian và nội dung đều khác hẳn. Nếu \
             là bản đã sửa, hãy nhập với `--same`; nếu cổng dẫn tin đã xóa sang tin khác, hãy gỡ tin `{id}`."
        ),
        Flaw::NotYetPosted { at } => format!(
            "Trang ghi thời gian đăng là {at}, chưa tới; hãy xem ngày và tháng có bị đảo không, viết theo ngày/tháng/năm rồi nhập \
             lại."
        ),
    }
}

pub(super) fn quoted(text: &Quoted) -> String {
    format!("«{}»", text.escaped())
}

/// What a library said, where it said something.
pub(super) fn detail(said: &ServerWords) -> String {
    if said.is_empty() { String::new() } else { format!(" Chi tiết kỹ thuật: «{said}».") }
}

fn address(fault: &AddressFault) -> String {
    match fault {
        AddressFault::TooLong { max } => format!("dài quá {max} byte"),
        AddressFault::TooLongEncoded { max } => format!("dài quá {max} byte sau khi mã hóa"),
        AddressFault::Relative => "chỉ là một phần địa chỉ; địa chỉ phải bắt đầu bằng `https://` hoặc `http://`".into(),
        AddressFault::Unreadable { .. } => "không phải địa chỉ".into(),
        AddressFault::Scheme => "không bắt đầu bằng `https` hay `http`".into(),
        AddressFault::UserInfo => "có kèm tên người dùng hoặc mật khẩu; hãy bỏ phần đó".into(),
    }
}

fn of_library(fault: &AddressFault) -> String {
    match fault {
        AddressFault::Unreadable { said } => detail(said),
        AddressFault::TooLong { .. }
        | AddressFault::TooLongEncoded { .. }
        | AddressFault::Relative
        | AddressFault::Scheme
        | AddressFault::UserInfo => String::new(),
    }
}

fn id(fault: IdFault) -> String {
    match fault {
        IdFault::Empty => "để trống".into(),
        IdFault::TooLong { max } => format!("dài quá {max} byte"),
        IdFault::Character { character } => {
            format!("có ký tự U+{:04X} không được phép", u32::from(character))
        }
        IdFault::Dots => "có đoạn chỉ gồm dấu chấm nên không đứng được trong địa chỉ".into(),
    }
}

/// What a text has too much of, behind *có*.
pub(super) fn excess(excess: HtmlExcess) -> String {
    match excess {
        HtmlExcess::Attributes(count) => {
            format!("{count} thuộc tính trong một thẻ, hoặc trong đoạn mã trông như một thẻ, quá mức cho phép")
        }
        HtmlExcess::Depth(max) => {
            format!("quá {max} phần tử lồng trong nhau; hãy đóng từng thẻ, hoặc dùng HTML ít tầng hơn")
        }
        HtmlExcess::Names(max) => format!("quá {max} tên phần tử và thuộc tính khác nhau; cần HTML đúng"),
        HtmlExcess::Steps => {
            "các thẻ lồng sai đến mức sửa lại quá tốn kém; hãy đóng thẻ ngay trong phần tử đã mở".into()
        }
        HtmlExcess::Growth => "các thẻ để ngỏ, khi sửa lại sẽ dài hơn nhiều lần; hãy đóng từng thẻ".into(),
    }
}

/// What the header of a message is.
pub(super) fn header_type(found: HeaderType) -> &'static str {
    match found {
        HeaderType::NotUtf8 => "chữ không phải UTF-8",
        HeaderType::FarInstant => "thời điểm AMQP sau năm 9999",
        HeaderType::Float => "số thập phân dấu phẩy động",
        HeaderType::Decimal => "số thập phân AMQP",
        HeaderType::Array => "mảng AMQP",
        HeaderType::Table => "bảng AMQP",
        HeaderType::Bytes => "mảng byte AMQP",
        HeaderType::Void => "không có giá trị (AMQP)",
    }
}

fn json_type(found: JsonType) -> &'static str {
    match found {
        JsonType::Null => "giá trị trống (null)",
        JsonType::Boolean => "giá trị đúng/sai",
        JsonType::Number => "số",
        JsonType::WholeNumber => "số nguyên",
        JsonType::Text => "chữ",
        JsonType::List => "danh sách",
        JsonType::Object => "đối tượng",
    }
}
