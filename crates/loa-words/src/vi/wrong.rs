//! What is wrong although every dependency is up, in Vietnamese.

use crate::{
    Words,
    catalogue::{replay, seconds_since},
};
use jiff::Timestamp;
use loa_domain::{Fault, LedgerName, Missing};

/// What is wrong, and what to do.
pub(super) fn fault(words: &dyn Words, fault: &Fault, now: Timestamp) -> String {
    let ago = |since: &Timestamp| words.span(seconds_since(*since, now));
    let ever = |since: &Option<Timestamp>| {
        since.as_ref().map_or("từ trước tới nay".to_owned(), |since| format!("đã {}", ago(since)))
    };
    match fault {
        Fault::NotReceived { outlet, missing, dead } => format!(
            "Kênh {} chưa nhận được {} (ví dụ tin {}, sự kiện {}), tin lâu nhất đã {}, và hàng đợi {} không còn giữ chúng: liên kết \
             bị mất, hàng đợi bị xóa sạch hoặc tạo lại, hoặc có bên khác lấy tin. {} Gửi lại bằng lệnh `{}`.",
            words.outlet(*outlet),
            count_of(missing),
            missing.article,
            missing.event,
            ago(&missing.since),
            outlet.queue_name(),
            dead_letters(*dead),
            replay(*outlet, missing.since)
        ),
        Fault::Late { outlet, missing } => format!(
            "Kênh {} còn {} chờ (ví dụ tin {}), tin lâu nhất đã {}; có thể chúng còn trong hàng đợi {} hoặc đang được xử lý: kiểm \
             tra dịch vụ có đang chạy không.",
            words.outlet(*outlet),
            count_of(missing),
            missing.article,
            ago(&missing.since),
            outlet.queue_name()
        ),
        Fault::AuditBehind { outlet, since } => format!(
            "Chưa rõ kênh {} đã nhận đủ tin hay chưa: việc đối soát đang chạy, còn phần lưu trong {} gần đây; sau khi nhập tin cũ \
             hoặc khôi phục, việc này mất vài phút.",
            words.outlet(*outlet),
            ago(since)
        ),
        Fault::NotAudited { outlet, since: None } => format!(
            "Không rõ kênh {} đã nhận đủ tin hay chưa: chưa đối soát lần nào. Kiểm tra `loa intake` có chạy và có đọc được sổ của \
             kênh này không.",
            words.outlet(*outlet)
        ),
        Fault::NotAudited { outlet, since: Some(since) } => format!(
            "Không rõ kênh {} đã nhận đủ tin hay chưa: đã {} không ai đối soát. Kiểm tra `loa intake` có chạy và có đọc được sổ của \
             kênh này không.",
            words.outlet(*outlet),
            ago(since)
        ),
        Fault::AuditUnanswered { outlet, trouble } => format!(
            "Không rõ kênh {} đã nhận đủ tin hay chưa, vì có sổ không trả lời. {}",
            words.outlet(*outlet),
            words.trouble(trouble)
        ),
        Fault::QueueSilent { outlet, since } => format!(
            "Không có nhịp kiểm tra nào qua hàng đợi {} {}, và trong đó cũng không có: các liên kết bị mất (lệnh `loa migrate` tạo \
             lại), có bên khác lấy tin, hoặc dịch vụ của nó đang giữ tin.",
            outlet.queue_name(),
            ever(since)
        ),
        Fault::BindingSilent { outlet, binding, since } => format!(
            "Liên kết {binding} của hàng đợi {} không chuyển gì {}: `loa topology check` cho biết vì sao, `loa migrate` tạo lại \
             nếu đã mất; sau đó `loa check` chỉ ra lệnh phát lại cho kênh còn thiếu.",
            outlet.queue_name(),
            ever(since)
        ),
        Fault::HeartbeatsAhead { outlet, seconds } => format!(
            "Nhịp kiểm tra của hàng đợi {} đến từ tương lai, lệch {}: chỉnh lại đồng hồ các máy (NTP). Trong lúc đó không biết \
             nhịp đã cũ bao lâu.",
            outlet.queue_name(),
            words.span(*seconds)
        ),
        Fault::OtherInstallation { installation, host, since } => format!(
            "Một hệ thống khác ({installation}{}) dùng chung vhost đã {}: mỗi hệ thống cần một vhost riêng, nếu không sẽ lấy mất \
             tin của nhau.",
            if host.is_empty() { String::new() } else { format!(", máy {host}") },
            ago(since)
        ),
        Fault::ClockAhead { host } => format!(
            "Đồng hồ của {} chạy trước đồng hồ máy này, hoặc máy này chạy chậm: chỉnh lại đồng hồ các máy (NTP).",
            if host.is_empty() { "máy gửi nhịp kiểm tra".to_owned() } else { format!("máy {host}") }
        ),
        Fault::TopologyDiffers { thing, differences, mend } => format!(
            "Trên máy chủ hàng đợi, {} không đúng như Loa cần: {}. Cách sửa: {}.",
            super::topology::thing(thing),
            super::topology::differences(differences),
            super::topology::mend(mend)
        ),
        Fault::TopologyUnknown { thing, why } => format!(
            "Không rõ {} trên máy chủ hàng đợi có đúng như Loa cần hay không: {}.",
            super::topology::thing(thing),
            super::topology::not_known(why)
        ),
        Fault::Unrouted { count } => format!(
            "{count} tin lạc trong loa.unrouted: không hàng đợi nào nhận khóa định tuyến của chúng, chưa kênh phát nào có tin. Xem \
             bằng `loa dead-letters list --queue unrouted`, phát lại bằng `loa dead-letters redrive TIN --key KHÓA`."
        ),
        Fault::SetAside { count, since, article, why } => format!(
            "{count} tin phải để riêng, tin lâu nhất đã {} (ví dụ tin {article}): hàng đợi không nhận chúng như hiện có, chưa \
             kênh phát nào có tin. Hệ thống tự thử lại theo chu kỳ, và tin đi được khi giới hạn của hàng đợi được nâng. Lý do \
             của tin đó: {}.",
            ago(since),
            words.not_carried(why)
        ),
        Fault::BackFilesHeld { since, queue, ready } => format!(
            "Tin cũ nhập hàng loạt phải chờ đã {}, vì {queue} còn {ready} tin trở lên chưa nhận. Tin mới vẫn đi. Khi kênh phát nhận \
             kịp, tin cũ tự đi tiếp và không mất gì.",
            ago(since)
        ),
        Fault::Store { ledger, trouble } => {
            format!("Tiến trình này không đọc được {}. {}", words.ledger(*ledger), words.trouble(trouble))
        }
        Fault::UnreadableRows { ledger, count, examples } => unreadable(words, *ledger, *count, examples),
        Fault::LongLog { ledger, file, bytes } => format!(
            "Tệp nhật ký ghi trước {file}-wal của {} đã lớn tới {} MB: có chương trình đọc sổ mà không kết thúc (một phiên `sqlite3` \
             để quên, một lệnh chép bị treo). Lệnh `fuser {file}` cho biết ai đang mở; hãy kết thúc chương trình đó, tệp sẽ tự thu \
             lại và không mất gì.",
            words.ledger(*ledger),
            bytes / 1_000_000
        ),
        Fault::NoIdentity { missing } => format!(
            "Hệ thống chưa được khai báo là của cổng nào nên chưa nhận, chưa đăng và chưa gửi gì: hãy chạy `loa init`, hoặc, nếu hệ \
             thống đã chạy trước khi nâng cấp, đặt lại đúng các giá trị khi đó (xem `docs/operating/identity.md`); còn thiếu: {}.",
            missing.join(", ")
        ),
        Fault::Watched { source, address, failed, warnings } => {
            let odd = warnings.iter().map(|warning| words.watch_warning(warning, now)).collect();
            super::watched::source(source, address, failed.as_ref(), odd)
        }
    }
}

fn unreadable(words: &dyn Words, ledger: LedgerName, count: u64, examples: &[String]) -> String {
    let more = if count > examples.len() as u64 { "; …" } else { "" };
    let sentence = format!(
        "{count} dòng của {} không đọc được và được để riêng, các dòng khác vẫn chạy tiếp. Hãy chạy phiên bản mới nhất đã ghi sổ \
         này; nếu vẫn không được, khôi phục sổ từ bản sao lưu (xem `docs/operating/backup-and-restore.md`).",
        words.ledger(ledger)
    );
    words.with_detail(&sentence, &format!("{}{more}", examples.join("; ")))
}

fn count_of(missing: &Missing) -> String {
    format!("{} tin{}", missing.count, if missing.or_more { " hoặc hơn" } else { "" })
}

fn dead_letters(dead: Option<u64>) -> String {
    match dead {
        Some(0) => "Hàng đợi không có tin hỏng.".into(),
        Some(dead) => format!("Hàng đợi có {dead} tin hỏng, có thể trong đó có các tin này."),
        None => "Hiện không đếm được tin hỏng.".into(),
    }
}
