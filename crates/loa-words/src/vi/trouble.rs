//! Why a dependency is down, and what to do, in Vietnamese.

use loa_domain::TroubleKind;

/// How a ledger comes back.
const RESTORE: &str = "hãy dừng mọi tiến trình `loa` đang dùng nó rồi khôi phục sổ từ bản sao lưu bằng `loa restore` (xem \
                       `docs/operating/backup-and-restore.md`); trong lúc đó tin đến được giữ lại chờ";

/// Why a dependency is down, and what to do.
pub(super) fn kind(kind: TroubleKind, place: &str) -> String {
    let it = if place.is_empty() { "sổ" } else { place };
    match kind {
        TroubleKind::NotTried => "Chưa thử lần nào.".into(),
        TroubleKind::Defect => "Lỗi của Loa; xem nhật ký hệ thống và báo người phát triển.".into(),
        TroubleKind::BusConnecting => "Đang kết nối: máy chủ hàng đợi chưa trả lời.".into(),
        TroubleKind::BusBlocked => "Hàng đợi tạm không nhận tin; tin mới chờ phát ở phần tiếp nhận.".into(),
        TroubleKind::BusRefuses => {
            "Hàng đợi từ chối: hãy xem lại tên người dùng, mật khẩu, quyền, và có hàng đợi nào được tạo với tham số khác không."
                .into()
        }
        TroubleKind::BusAway => {
            "Không có kết nối với hàng đợi: kiểm tra máy chủ hàng đợi có chạy và có nối tới được không.".into()
        }
        TroubleKind::TopologyMissing => {
            "Thiếu hàng đợi hoặc điểm phân phối trên máy chủ hàng đợi: lệnh `loa migrate` tạo lại.".into()
        }
        TroubleKind::LedgerAway => "Sổ không trả lời: kiểm tra cơ sở dữ liệu có chạy và có nối tới được không.".into(),
        TroubleKind::LedgerBusy => "Sổ đang bận; hệ thống tự thử lại.".into(),
        TroubleKind::LedgerRefuses => {
            "Cơ sở dữ liệu từ chối đăng nhập, quyền, kết nối hoặc việc ghi; chi tiết kỹ thuật cho biết cụ thể.".into()
        }
        TroubleKind::MigrationDue => "Sổ chưa có bảng, hoặc cũ hơn phiên bản này: hãy chạy `loa migrate`.".into(),
        TroubleKind::RestoreUnfinished => {
            "Việc khôi phục sổ đã bắt đầu mà chưa xong: hãy chạy lại đúng lệnh `loa restore` đó.".into()
        }
        TroubleKind::DiskFull => {
            format!("Đĩa chứa {it} đã đầy: hãy dọn chỗ, sau đó hệ thống tự chạy tiếp.")
        }
        TroubleKind::DiskError => {
            format!("Không đọc hoặc không ghi được {it}: kiểm tra đĩa, nhật ký hệ thống và nhật ký cơ sở dữ liệu.")
        }
        TroubleKind::CannotOpen => format!(
            "Không mở được {it}: kiểm tra tệp có ở đó không, và người dùng chạy Loa có quyền đọc, ghi tệp và thư mục của nó không."
        ),
        TroubleKind::NotWritable => {
            format!("Không được ghi vào {it}: kiểm tra chủ sở hữu, quyền, và đĩa có đang gắn ở chế độ chỉ đọc không.")
        }
        TroubleKind::Damaged => format!("Dữ liệu hỏng ở {it}: {RESTORE}."),
        TroubleKind::IndexDamaged => format!(
            "Chỉ mục hỏng ở {it}: nếu các bảng còn nguyên, `REINDEX SCHEMA` tạo lại chỉ mục; trong lúc đó tin đến được giữ lại \
             chờ."
        ),
        TroubleKind::NotALedger => {
            format!("Không còn là sổ của Loa, đã bị làm rỗng, ghi đè hoặc thay bằng tệp khác: {it}; {RESTORE}.")
        }
        TroubleKind::FileGone => format!("Đã bị xóa hoặc chuyển đi trong lúc đang dùng: {it}; {RESTORE}."),
        TroubleKind::LogDeleted => format!(
            "Tệp nhật ký ghi trước của sổ đã bị xóa trong lúc đang dùng: {it}. Nội dung của nó đang được đưa vào sổ, sau đó hệ \
             thống tự chạy tiếp. Ai xóa các tệp như vậy phải thôi."
        ),
        TroubleKind::UnreadableRow => {
            "Có dòng trong sổ không đọc được và việc phải dừng chờ nó: hãy chạy phiên bản mới nhất đã ghi sổ này, hoặc khôi phục sổ \
             từ bản sao lưu bằng `loa restore` (xem `docs/operating/backup-and-restore.md`)."
                .into()
        }
    }
}
