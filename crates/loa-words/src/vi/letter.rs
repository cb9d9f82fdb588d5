//! Why a message is among the dead letters, and what to do about it, in Vietnamese.

use super::flaw::flaw;
use loa_domain::{Advice, DeadCause, MessagePart, NotCarried, Quoted, StayReason};

/// Why it is dead.
pub(super) fn cause(cause: &DeadCause) -> String {
    match cause {
        DeadCause::Flaw(found) => flaw(found),
        DeadCause::DeliveryLimit => "Tin bị trả lại quá nhiều lần, tới giới hạn giao của hàng đợi.".into(),
        DeadCause::Broker { said } => {
            format!("Máy chủ hàng đợi đã chuyển tin vào đây. Nguyên văn lý do: «{said}».")
        }
        DeadCause::NotRouted { key, bindings } => {
            format!("Không hàng đợi nào nhận khóa định tuyến «{}»; các hàng đợi nhận `{bindings}`.", key.escaped())
        }
        DeadCause::Unsaid => "Có bên đã chuyển tin vào đây mà không ghi lý do.".into(),
        DeadCause::Unreadable { said } => {
            format!("Tệp hàng đợi không còn đọc được tin này. Chi tiết kỹ thuật: «{said}».")
        }
    }
}

/// Why it stays.
pub(super) fn stays(why: &StayReason) -> String {
    match why {
        StayReason::NotRouted { key, bindings } => {
            cause(&DeadCause::NotRouted { key: key.clone(), bindings: bindings.clone() })
        }
        StayReason::NotCarried(why) => format!("Hàng đợi không nhận tin này như hiện có: {}.", not_carried(why)),
    }
}

/// What to do.
pub(super) fn advice(advice: &Advice) -> String {
    match advice {
        Advice::PortalUnknown { source } => format!(
            "Đây là sự kiện hợp lệ của một cổng{} mà hệ thống này không biết, hoặc đã ngừng đăng. Lệnh `loa portals list` cho biết \
             các cổng đã có; `loa portals add` thêm cổng, và mọi tiến trình biết ngay sau vài giây.",
            beside(source.as_ref())
        ),
        Advice::OncePortalIsThere { letter } => {
            format!("Khi đã có cổng, hãy chạy lại bằng `loa dead-letters redrive {letter}`.")
        }
        Advice::IfNobodys { letter } => {
            format!("Nếu tin không thuộc nơi nào được đăng ở đây, hãy xóa bằng `loa dead-letters discard {letter}`.")
        }
        Advice::ServiceAtFault { queue, message } => format!(
            "Đây không phải lỗi của nơi gửi: dịch vụ đọc hàng đợi `{queue}` đã thử nhiều lần mà không nhận được. Nhật ký của dịch \
             vụ ghi lý do (tìm theo mã tin «{}»).",
            message.escaped()
        ),
        Advice::OnceMended { letter } => {
            format!("Khi nguyên nhân đã hết, hãy chạy lại bằng `loa dead-letters redrive {letter}`.")
        }
        Advice::ProducerSendsAgain { source } => format!(
            "Nơi gửi{} cần gửi lại cho đúng; xin báo cho họ sai gì và ở vị trí nào. Sự kiện gửi lại được dùng cùng mã, vì sự kiện \
             này chưa được nhận.",
            beside(source.as_ref())
        ),
        Advice::OnceCorrected { letter } => {
            format!("Khi sự kiện đúng đã đến, hãy xóa tin này bằng `loa dead-letters discard {letter}`.")
        }
        Advice::IfOurs { letter } => format!(
            "Nếu lỗi ở phía hệ thống này (phiên bản cũ, giới hạn, danh mục địa bàn), hãy sửa rồi chạy lại bằng `loa dead-letters \
             redrive {letter}`."
        ),
        Advice::WholeMessage { id } => {
            format!("Dùng `--id={id} --all` thay cho tên để làm với mọi bản của tin này ở các hàng đợi khác.")
        }
        Advice::NoOutlet { source } => format!(
            "Chưa kênh phát nào có tin này. Nơi gửi{} cần gửi với khóa định tuyến đúng quy ước (xem `docs/asyncapi.yaml`).",
            beside(source.as_ref())
        ),
        Advice::UnderKey { letter, key } => {
            format!("Để đưa tin đến mọi kênh phát ngay, hãy chạy `loa dead-letters redrive {letter} --key {key}`.")
        }
        Advice::NoEvent { flaw: found, position, letter } => {
            let position = position.escaped();
            format!(
                "Tin này cũng không phải sự kiện đúng quy ước{}. {} Nếu không ai cần đến, hãy xóa bằng `loa dead-letters discard \
                 {letter}`.",
                if position.is_empty() { String::new() } else { format!(" (tại `{position}`)") },
                flaw(found)
            )
        }
    }
}

fn beside(source: Option<&Quoted>) -> String {
    source.map_or_else(String::new, |source| format!(" («{}»)", source.escaped()))
}

/// Why the bus does not take a message as it is.
pub(super) fn not_carried(why: &NotCarried) -> String {
    match why {
        NotCarried::TooLong { part, bytes, bytes_max } => {
            format!("{} dài {bytes} byte, trong khi chỉ chuyển được tối đa {bytes_max} byte", message_part(*part))
        }
        NotCarried::TooLargeForBroker { bytes, said } => format!(
            "máy chủ hàng đợi từ chối tin dài {bytes} byte này; cần nâng giới hạn `max_message_size` của máy chủ («{said}»)"
        ),
        NotCarried::Unreadable => "không đọc được dòng của tin này trong sổ; nhật ký hệ thống ghi rõ hơn".into(),
        NotCarried::Told { said } => format!("nguyên văn «{said}»"),
    }
}

fn message_part(part: MessagePart) -> &'static str {
    match part {
        MessagePart::Body => "thân tin",
        MessagePart::RoutingKey => "khóa định tuyến",
        MessagePart::MessageId => "mã tin",
        MessagePart::ContentType => "kiểu nội dung",
        MessagePart::HeaderName => "tên của một header",
        MessagePart::Headers => "các header cộng lại",
    }
}
