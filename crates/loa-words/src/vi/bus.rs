//! Why the bus does not work, in Vietnamese. Clauses.

use super::{flaw::quoted, topology::thing};
use loa_domain::{BusFact, DialFault, QueuesFileFault, ServerWords, TlsFault};

/// What brings queues back: what was on its way is in intake's archive.
const ANEW: &str = "hãy dừng mọi tiến trình `loa` đang dùng tệp, chuyển tệp này và các tệp `-wal`, `-shm` bên cạnh đi nơi khác, \
                    chạy `loa migrate`, rồi phát lại các tin đang trên đường bằng `loa replay --outlet feed`, `digest`, `push` (xem \
                    `docs/operating/backup-and-restore.md`)";
/// Who lets us make what is missing.
const IMPORT: &str = "hãy nhờ người quản trị máy chủ hàng đợi nhập nội dung do `loa topology print` in ra (`rabbitmqctl \
                      import_definitions FILE`), hoặc cấp quyền bằng";

/// What the adapter met. One list, so that it is seen whole.
pub(super) fn fact(fact: &BusFact) -> String {
    match fact {
        BusFact::ClosedByUs => "hệ thống này đã đóng kết nối".into(),
        BusFact::NotAnsweredYet => "máy chủ chưa trả lời lần nào".into(),
        BusFact::ConnectionLost => "kết nối đã bị ngắt".into(),
        BusFact::NotInTime => "không có trả lời kịp thời".into(),
        BusFact::ResourceAlarm => "máy chủ hàng đợi báo sắp hết bộ nhớ hoặc đĩa".into(),
        BusFact::QueueFull => "một hàng đợi đã đầy".into(),
        BusFact::ConsumerEnded { queue } => {
            format!("máy chủ hàng đợi đã ngừng giao tin từ {queue}; có thể hàng đợi này đã bị xóa")
        }
        BusFact::NotReached { place, fault } => format!("{place}: {}", dial(fault)),
        BusFact::Missing { thing: what } => format!("thiếu {}", thing(what)),
        BusFact::NoQueueFor { exchange, key } => {
            format!("tại điểm phân phối {}, không hàng đợi nào nhận khóa định tuyến {}", quoted(exchange), quoted(key))
        }
        BusFact::NoRightToMake { thing: what, or, command } => format!(
            "thiếu {}{}, và người dùng này không có quyền `configure` để tạo; {IMPORT} `{command}`",
            thing(what),
            or.as_ref().map_or_else(String::new, |other| format!(" hoặc {}", thing(other)))
        ),
        BusFact::NoRightToBind { thing: what, command } => format!(
            "không tạo được {}: cần quyền `write` với hàng đợi, quyền `read` với điểm phân phối, và được đọc khóa theo quyền chủ đề; \
             {IMPORT} `{command}`",
            thing(what)
        ),
        BusFact::NoRightToRenew { queue } => {
            format!("không làm mới được hàng đợi {queue}: `loa migrate` cần quyền `configure` với hàng đợi này một lần")
        }
        BusFact::OtherArguments { thing: what } => format!(
            "{} đã có nhưng khác tham số, phải làm trống và xóa rồi mới tạo đúng được; lệnh `loa topology check` cho biết cách làm",
            thing(what)
        ),
        BusFact::QueuesFile { file, fault } => queues_file(file, *fault),
    }
}

fn dial(fault: &DialFault) -> String {
    match fault {
        DialFault::NameNotInTime => "không tra được tên trong thời gian cho phép".into(),
        DialFault::NameUnknown { said } => format!("không tra được tên{}", words(said)),
        DialFault::NameWithoutAddress => "tên này không có địa chỉ nào".into(),
        DialFault::NotInTime { seconds } => format!("không trả lời trong {seconds} giây"),
        DialFault::Network { said } => format!("không kết nối được{}", words(said)),
        DialFault::Tls(fault) => tls(fault),
        DialFault::Password { said } => format!("không đọc được mật khẩu để đăng nhập{}", words(said)),
        DialFault::Refused { said } => format!("máy chủ từ chối{}", words(said)),
        DialFault::BrokeOff { said } => format!("máy chủ có trả lời nhưng không lập được kết nối{}", words(said)),
    }
}

fn tls(fault: &TlsFault) -> String {
    match fault {
        TlsFault::OwnFiles { said } => {
            format!("không dùng được chứng thư số hoặc khóa của hệ thống này{}", words(said))
        }
        TlsFault::NoCertificateName => "tên này không thể có trong chứng thư số".into(),
        TlsFault::Ended => "kết nối bị ngắt khi đang bắt tay TLS; hãy xem cổng này có bật TLS không".into(),
        TlsFault::UnknownIssuer => {
            "chứng thư số do bên không được tin cậy ký; hãy đặt `bus.rabbitmq.ca_file` là chứng thư của bên đó".into()
        }
        TlsFault::OtherName { names } if names.is_empty() => "chứng thư số dành cho tên khác".into(),
        TlsFault::OtherName { names } => format!("chứng thư số dành cho các tên khác: {names}"),
        TlsFault::Expired => "chứng thư số đã hết hạn".into(),
        TlsFault::NotTls => "cổng này không dùng TLS".into(),
        TlsFault::Failed { said } => format!("bắt tay TLS không thành{}", words(said)),
    }
}

fn queues_file(file: &str, fault: QueuesFileFault) -> String {
    match fault {
        QueuesFileFault::DiskFull => format!("đĩa chứa {file} đã đầy; hãy dọn chỗ"),
        QueuesFileFault::NotWritable => {
            format!("không được ghi vào {file}; hãy xem chủ sở hữu, quyền, và đĩa có gắn ở chế độ chỉ đọc không")
        }
        QueuesFileFault::Damaged => format!("tệp {file} đã hỏng: {ANEW}"),
        QueuesFileFault::NotQueues => format!("{file} không phải tệp hàng đợi, hoặc phần đầu đã bị ghi đè: {ANEW}"),
        QueuesFileFault::TableMissing => {
            format!("{file} thiếu bảng của Loa, có thể đã bị làm rỗng hoặc thay bằng tệp khác: {ANEW}")
        }
        QueuesFileFault::DiskError => {
            format!("không đọc hoặc không ghi được {file}; hãy kiểm tra đĩa và nhật ký hệ thống")
        }
        QueuesFileFault::CannotOpen => format!(
            "không mở được {file}; hãy xem tệp có ở đó không, và người dùng chạy Loa có quyền với tệp và thư mục của nó không"
        ),
        QueuesFileFault::Gone => {
            format!("{file} đã bị xóa, chuyển đi hoặc thay bằng tệp khác trong lúc đang dùng: {ANEW}")
        }
    }
}

fn words(said: &ServerWords) -> String {
    if said.is_empty() { String::new() } else { format!(" («{said}»)") }
}
