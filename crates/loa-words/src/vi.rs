//! The Vietnamese catalogue. Its words are those of `GLOSSARY.md`. One file, so that whoever reads it over has all of it; only what is
//! wrong with an installation stands beside it.

mod address;
mod bus;
mod flaw;
mod letter;
mod page;
mod report;
mod topology;
mod trouble;
mod watched;
mod wrong;

use crate::{
    Alarm, BarePage, Connection, Notice, Trial, Words,
    catalogue::{counted, is_by_hand, unit},
};
use jiff::{Timestamp, civil::Date};
use loa_domain::{
    Account, AddressRefusal, Advice, Altered, Assumption, AttemptError, BusFact, Clue, DateFault, DeadCause,
    DeliveryState, Dependency, DisableReason, EgressSettings, Embedded, EndpointState, EventType, Fault, Flaw,
    Frequency, HeaderType, HubReason, HubState, JourneyStep, LedgerName, LeftOut, MailReason, MailState, NotCarried,
    Outlet, PageError, PageField, PauseReason, Remark, RunKey, RunState, Scope, SourceClue, StayReason,
    SubscriptionState, TopologyMend, TopologyOutcome, TopologyState, TopologyThing, TroubleKind, WatchFailure,
    WatchWarning, Worker,
};

/// The catalogue.
pub(crate) struct Vietnamese;

impl Words for Vietnamese {
    fn outlet(&self, outlet: Outlet) -> &'static str {
        match outlet {
            Outlet::Intake => "Tiếp nhận",
            Outlet::Feed => "Nguồn tin",
            Outlet::Digest => "Bản tin thư",
            Outlet::Push => "Chuyển tiếp",
        }
    }

    fn ledger(&self, ledger: LedgerName) -> &'static str {
        match ledger {
            LedgerName::Of(Outlet::Intake) => "sổ tiếp nhận",
            LedgerName::Of(Outlet::Feed) => "sổ nguồn tin",
            LedgerName::Of(Outlet::Digest) => "sổ bản tin thư",
            LedgerName::Of(Outlet::Push) => "sổ chuyển tiếp",
            LedgerName::Access => "sổ mã truy cập",
            LedgerName::Receipts => "sổ biên nhận",
            LedgerName::Watch => "sổ theo dõi cổng",
        }
    }

    fn dependency(&self, dependency: Dependency) -> String {
        match dependency {
            Dependency::Queue(outlet) => format!("việc nhận tin từ hàng đợi {}", outlet.queue_name()),
            Dependency::Accepting(outlet) => {
                format!("việc ghi tin từ hàng đợi {} vào {}", outlet.queue_name(), self.ledger(LedgerName::Of(outlet)))
            }
            Dependency::Working(Worker::Of(outlet)) => {
                let work = match outlet {
                    Outlet::Intake => "phát tin",
                    Outlet::Feed => "viết nguồn tin",
                    Outlet::Digest => "gửi bản tin thư",
                    Outlet::Push => "chuyển tiếp",
                };
                format!("việc {work} theo {}", self.ledger(LedgerName::Of(outlet)))
            }
            Dependency::Working(Worker::Hub) => "việc báo tin mới của trạm WebSub".into(),
            Dependency::Working(Worker::Watch) => "việc theo dõi các cổng không tự gửi tin".into(),
            Dependency::Place(ledger) => format!("nơi lưu {}", self.ledger(ledger)),
            Dependency::Topology => "các hàng đợi và liên kết trên máy chủ hàng đợi".into(),
            Dependency::TopologyMade => "việc tạo các hàng đợi khi khởi động".into(),
            Dependency::LedgersMade => "việc tạo các sổ khi khởi động".into(),
            Dependency::LedgersRead => "việc đọc các sổ".into(),
        }
    }

    fn connection(&self, connection: Connection) -> &'static str {
        match connection {
            Connection::Up => "đã nối",
            Connection::Connecting => "đang nối",
            Connection::Blocked => "tạm không nhận tin",
            Connection::Refused => "bị từ chối",
            Connection::Down => "đã mất",
        }
    }

    fn subscription_state(&self, state: SubscriptionState) -> &'static str {
        match state {
            SubscriptionState::Pending => "chờ xác nhận",
            SubscriptionState::Active => "đang nhận tin",
            SubscriptionState::Unsubscribed => "đã hủy đăng ký",
            SubscriptionState::Suspended => "tạm dừng",
        }
    }

    fn run_state(&self, state: RunState) -> &'static str {
        match state {
            RunState::Planning => "đang lên danh sách",
            RunState::Sending => "đang gửi",
            RunState::Paused => "đang dừng",
            RunState::Ended => "đã xong",
        }
    }

    fn mail_state(&self, state: MailState) -> &'static str {
        match state {
            MailState::Planned => "chờ gửi",
            MailState::Submitting => "đang gửi",
            MailState::Sent => "đã gửi",
            MailState::Failed => "hỏng",
            MailState::Suppressed => "bỏ qua",
            MailState::Uncertain => "chưa rõ",
        }
    }

    fn endpoint_state(&self, state: &EndpointState) -> &'static str {
        match state {
            EndpointState::Enabled => "đang nhận",
            EndpointState::Disabled { .. } => "đang tắt",
        }
    }

    fn delivery_state(&self, state: DeliveryState) -> &'static str {
        match state {
            DeliveryState::Pending => "đang chờ chuyển",
            DeliveryState::Delivered => "đã chuyển",
            DeliveryState::Failed => "không chuyển được",
            DeliveryState::Superseded => "đã có bản mới hơn",
        }
    }

    fn hub_state(&self, state: HubState, owed: bool) -> &'static str {
        match (state, owed) {
            (HubState::Pending, _) => "chờ xác nhận",
            (HubState::Active, false) => "đang nhận",
            (HubState::Active, true) => "đang nhận, còn bản mới chưa báo",
        }
    }

    fn scope(&self, scope: Scope) -> &'static str {
        match scope {
            Scope::Publish => "đăng tin (publish)",
            Scope::Operate => "điều hành (operate)",
            Scope::Read => "chỉ xem (read)",
        }
    }

    fn event(&self, event_type: EventType) -> &'static str {
        match event_type {
            EventType::ArticlePublished => "tin bài mới",
            EventType::ArticleUpdated => "bản cập nhật của tin bài",
            EventType::ArticleWithdrawn => "yêu cầu gỡ tin bài",
            EventType::DocumentIssued => "văn bản mới",
            EventType::DocumentWithdrawn => "yêu cầu gỡ văn bản",
        }
    }

    fn frequency(&self, frequency: Frequency) -> &'static str {
        match frequency {
            Frequency::Immediate => "ngay khi có tin",
            Frequency::Daily => "hằng ngày",
            Frequency::Weekly => "hằng tuần",
        }
    }

    fn frequency_choice(&self, frequency: Frequency) -> &'static str {
        match frequency {
            Frequency::Immediate => "Ngay khi có tin",
            Frequency::Daily => "Hằng ngày, vào buổi sáng",
            Frequency::Weekly => "Hằng tuần",
        }
    }

    fn list_name(&self, portal: &str) -> String {
        format!("Bản tin {portal}")
    }

    fn date(&self, on: Date) -> String {
        on.strftime("%d/%m/%Y").to_string()
    }

    fn run(&self, run: &RunKey) -> String {
        let which = match run.frequency {
            Frequency::Immediate => "gửi ngay",
            Frequency::Daily | Frequency::Weekly => self.frequency(run.frequency),
        };
        let by_hand = if is_by_hand(run) { ", chạy bằng tay" } else { "" };
        format!("đợt thư {which} ({}{by_hand})", self.date(run.on))
    }

    fn account(&self, mails: &Account) -> String {
        let counts = counted(self, mails, "còn lại");
        if counts.is_empty() {
            "không có thư nào".into()
        } else {
            format!("dự kiến {} thư: {counts}", mails.planned)
        }
    }

    fn step(&self, step: &JourneyStep) -> &'static str {
        match step {
            JourneyStep::Submitted { .. } => "đã tiếp nhận",
            JourneyStep::Archived { .. } => "đã lưu",
            JourneyStep::Relayed => "đã phát",
            JourneyStep::Accepted => "đã nhận",
            JourneyStep::Withdrawn => "đã gỡ",
            JourneyStep::NotReceived => "chưa nhận được",
            JourneyStep::SetAside { .. } => "tạm để riêng",
            JourneyStep::Stale { .. } => "đến sau bản mới hơn",
            JourneyStep::IdUsedAgain => "mã sự kiện dùng lại",
            JourneyStep::Waiting => "chờ đến ngày đăng",
            JourneyStep::Planned { .. } => "đã lên danh sách gửi",
            JourneyStep::Mailed { .. } => "đã gửi thư",
            JourneyStep::Corrected { .. } => "đã đính chính",
            JourneyStep::Pending { .. } => self.delivery_state(DeliveryState::Pending),
            JourneyStep::Delivered { .. } => self.delivery_state(DeliveryState::Delivered),
            JourneyStep::Failed { .. } => self.delivery_state(DeliveryState::Failed),
            JourneyStep::Superseded { .. } => self.delivery_state(DeliveryState::Superseded),
        }
    }

    fn told(&self, step: &JourneyStep) -> String {
        let tried = |attempts: u32| match attempts {
            0 => "chưa thử lần nào".to_owned(),
            attempts => format!("đã thử {attempts} lần"),
        };
        match step {
            JourneyStep::Submitted { event_type } => format!("Đã tiếp nhận {}.", self.event(*event_type)),
            JourneyStep::Archived { event_type } => {
                format!("Đã lưu {} do hệ thống khác đưa vào hàng đợi.", self.event(*event_type))
            }
            JourneyStep::Relayed => "Hàng đợi đã xác nhận; tin đang đến các kênh phát.".into(),
            JourneyStep::Accepted => "Kênh phát đã nhận và ghi sổ bản này.".into(),
            JourneyStep::Withdrawn => "Kênh phát đã ghi nhận việc gỡ.".into(),
            JourneyStep::SetAside { why } => {
                format!("Hàng đợi không nhận bản này như hiện có ({}); sẽ thử lại theo chu kỳ.", self.not_carried(why))
            }
            JourneyStep::NotReceived => {
                "Kênh này chưa nhận được tin; lệnh `loa check` cho biết còn bao nhiêu tin như vậy và cách gửi lại."
                    .into()
            }
            JourneyStep::Stale { withdrawal: true } => {
                "Yêu cầu gỡ đến sau một bản mới hơn nên không thay đổi gì.".into()
            }
            JourneyStep::Stale { withdrawal: false } => "Bản này đến sau một bản mới hơn nên không thay đổi gì.".into(),
            JourneyStep::IdUsedAgain => {
                "Nơi gửi đã dùng mã sự kiện này cho nội dung khác; nội dung này vẫn được nhận theo số bản của nó."
                    .into()
            }
            JourneyStep::Waiting => "Tin ghi ngày đăng ở tương lai; từ thời điểm này mới được đưa ra.".into(),
            JourneyStep::Planned { run, correction: false, mails } | JourneyStep::Mailed { run, mails } => {
                format!("Có trong {}; {}.", self.run(run), self.account(mails))
            }
            JourneyStep::Planned { run, correction: true, mails } | JourneyStep::Corrected { run, mails } => {
                format!("Thông báo gỡ tin có trong {}; {}.", self.run(run), self.account(mails))
            }
            JourneyStep::Pending { delivery, endpoint, attempts } => {
                format!("Lượt chuyển tiếp {delivery} đến {endpoint}, {}.", tried(*attempts))
            }
            JourneyStep::Delivered { delivery, endpoint, attempts } => {
                format!("Nơi nhận {endpoint} đã nhận, sau {attempts} lần gửi (lượt chuyển tiếp {delivery}).")
            }
            JourneyStep::Failed { delivery, endpoint, attempts } => {
                format!("Lượt chuyển tiếp {delivery} đến {endpoint} không thành, {}.", tried(*attempts))
            }
            JourneyStep::Superseded { delivery, endpoint, attempts } => {
                format!(
                    "Nơi nhận {endpoint} đã có bản mới hơn; lượt chuyển tiếp {delivery} không gửi nữa, {}.",
                    tried(*attempts)
                )
            }
        }
    }

    fn span(&self, seconds: u64) -> String {
        let (figure, unit) = unit(seconds, ["giây", "phút", "giờ", "ngày"]);
        format!("{figure} {unit}")
    }

    fn mail_reason(&self, reason: MailReason) -> &'static str {
        match reason {
            MailReason::SubscriptionEnded => "Người nhận đã thôi đăng ký trước khi thư được gửi.",
            MailReason::NothingLeft => "Mọi tin trong thư đã được gỡ trước khi gửi.",
            MailReason::NotAnAddress => "Địa chỉ này không gửi thư được.",
            MailReason::MailboxRefused => "Máy chủ thư từ chối hẳn hộp thư này.",
            MailReason::PolicyRefused => "Máy chủ thư từ chối hộp thư này theo quy định của họ.",
            MailReason::TimeUp => "Đã hết thời hạn gửi.",
            MailReason::SendWindow => "Chờ đến khung giờ gửi thư.",
            MailReason::NotBegun => "Chưa kịp gửi trong lượt trước; đang chờ lượt sau.",
            MailReason::RunPaused => "Đợt thư đang tạm dừng.",
            MailReason::ServerUnreachable => "Không kết nối hoặc không đăng nhập được vào máy chủ thư.",
            MailReason::ServerBusy => "Máy chủ thư hẹn gửi lại sau.",
            MailReason::ConnectionLost => "Mất kết nối với máy chủ thư khi đang gửi.",
            MailReason::LostTwice => {
                "Hai lần bị gián đoạn khi đang gửi; thư có thể đã đến nơi nên không gửi lần thứ ba."
            }
            MailReason::NotedBefore => "Ghi chú của phiên bản trước.",
        }
    }

    fn pause_reason(&self, reason: PauseReason) -> &'static str {
        match reason {
            PauseReason::ServerRefuses => "Máy chủ thư không nhận thư do hệ thống này gửi.",
            PauseReason::PolicyRefusals => "Máy chủ thư từ chối liên tiếp nhiều hộp thư theo quy định của họ.",
            PauseReason::ReturnPath => "Địa chỉ nhận thư báo lỗi không hợp lệ; cần sửa cấu hình.",
            PauseReason::NotComposed => "Không soạn được thư. Đây là lỗi phần mềm; xem nhật ký hệ thống.",
            PauseReason::NotedBefore => "Ghi chú của phiên bản trước.",
        }
    }

    fn attempt_error(&self, error: AttemptError, status: Option<u16>) -> String {
        match (error, status) {
            (AttemptError::Http, Some(status @ 300..=399)) => format!(
                "Nơi nhận chuyển hướng sang địa chỉ khác (HTTP {status}); Loa không đi theo, hãy sửa địa chỉ nơi nhận."
            ),
            (AttemptError::Http, Some(status)) => format!("Nơi nhận trả lời HTTP {status}."),
            (AttemptError::Http, None) => "Nơi nhận trả lời không thành công.".into(),
            (AttemptError::Dns, _) => "Không tra được tên miền của nơi nhận.".into(),
            (AttemptError::Blocked, _) => {
                "Địa chỉ không được phép gọi tới: không phải https, hoặc là địa chỉ nội bộ. Nếu \
                đúng là nơi nhận này, hãy cho phép bằng push.allow_hosts hoặc push.allow_networks."
                    .into()
            }
            (AttemptError::Connect, _) => "Không kết nối được với nơi nhận.".into(),
            (AttemptError::Tls, _) => "Chứng thư số hoặc kết nối bảo mật (TLS) của nơi nhận có lỗi.".into(),
            (AttemptError::Timeout, _) => "Nơi nhận không trả lời trong thời gian cho phép.".into(),
            (AttemptError::Protocol, _) => "Kết nối bị ngắt, hoặc câu trả lời không phải HTTP.".into(),
            (AttemptError::Ours, _) => "Lỗi của Loa; xem nhật ký hệ thống.".into(),
        }
    }

    fn hub_reason(&self, reason: HubReason, status: Option<u16>) -> String {
        match (reason, status) {
            (HubReason::Confirmed, _) => "Bên đăng ký đã xác nhận yêu cầu.".into(),
            (HubReason::Taken, _) => "Bên đăng ký đã nhận bản mới nhất.".into(),
            (HubReason::DenialTold, _) => "Đã báo cho bên đăng ký rằng yêu cầu bị từ chối.".into(),
            (HubReason::Http, Some(status @ 300..=399)) => {
                format!("Bên đăng ký chuyển hướng sang địa chỉ khác (HTTP {status}); Loa không đi theo.")
            }
            (HubReason::Http, Some(status)) => format!("Bên đăng ký trả lời HTTP {status}."),
            (HubReason::Http, None) => "Bên đăng ký trả lời không thành công.".into(),
            (HubReason::NotTheChallenge, _) => "Bên đăng ký trả lời không đúng chuỗi thử thách đã gửi.".into(),
            (HubReason::Dns, _) => "Không tra được tên miền của bên đăng ký.".into(),
            (HubReason::Blocked, _) => {
                "Địa chỉ không được phép gọi tới: đây là địa chỉ nội bộ. Nếu đúng là bên đăng ký này, hãy cho phép bằng \
                 hub.allow_hosts hoặc hub.allow_networks."
                    .into()
            }
            (HubReason::Connect, _) => "Không kết nối được với bên đăng ký.".into(),
            (HubReason::Tls, _) => "Chứng thư số hoặc kết nối bảo mật (TLS) của bên đăng ký có lỗi.".into(),
            (HubReason::Timeout, _) => "Bên đăng ký không trả lời trong thời gian cho phép.".into(),
            (HubReason::Protocol, _) => "Kết nối với bên đăng ký bị ngắt, hoặc câu trả lời không phải HTTP.".into(),
            (HubReason::NetworkFull, _) => "Mạng của bên đăng ký đang được gọi nhiều hết mức cho phép.".into(),
            (HubReason::NetworkTooOften, _) => "Mạng của bên đăng ký vừa được hỏi quá nhiều lần.".into(),
            (HubReason::NeverRecorded, _) => "Đã gọi nhiều lần nhưng chưa lần nào ghi lại được kết quả.".into(),
            (HubReason::Ours, _) => "Lỗi của Loa; xem nhật ký hệ thống.".into(),
            (HubReason::NotedBefore, _) => "Ghi chú của phiên bản trước.".into(),
        }
    }

    fn disable_reason(&self, reason: DisableReason) -> &'static str {
        match reason {
            DisableReason::Gone => "Nơi nhận trả lời 410: không nhận nữa.",
            DisableReason::Operator => "Quản trị viên đã tắt.",
        }
    }

    fn trial(&self, trial: Trial) -> &'static str {
        match trial {
            Trial::Taken => "Nơi nhận đã nhận.",
            Trial::WouldRetry => "Với một lượt chuyển tiếp thật, Loa sẽ thử lại.",
            Trial::WouldGiveUp => "Với một lượt chuyển tiếp thật, Loa sẽ không thử lại nữa.",
            Trial::WouldDisable => "Với một lượt chuyển tiếp thật, Loa sẽ tắt nơi nhận này.",
        }
    }

    fn trouble_kind(&self, kind: TroubleKind, place: &str) -> String {
        trouble::kind(kind, place)
    }

    fn address_refusal(&self, refusal: &AddressRefusal, settings: EgressSettings) -> String {
        address::refusal(refusal, settings.as_str())
    }

    fn not_carried(&self, why: &NotCarried) -> String {
        letter::not_carried(why)
    }

    fn bus_fact(&self, fact: &BusFact) -> String {
        bus::fact(fact)
    }

    fn bus_facts(&self, facts: &[BusFact]) -> String {
        let facts: Vec<String> = facts.iter().map(bus::fact).collect();
        if facts.is_empty() { String::new() } else { format!("Cụ thể: {}.", facts.join("; ")) }
    }

    fn topology_thing(&self, thing: &TopologyThing) -> String {
        topology::thing(thing)
    }

    fn topology_state(&self, state: &TopologyState) -> String {
        topology::state(state)
    }

    fn topology_mend(&self, mend: &TopologyMend) -> String {
        topology::mend(mend)
    }

    fn topology_outcome(&self, outcome: &TopologyOutcome) -> String {
        topology::outcome(outcome)
    }

    fn watch_warning(&self, warning: &WatchWarning, now: Timestamp) -> String {
        watched::warning(self, warning, now)
    }

    fn fault(&self, fault: &Fault, now: Timestamp) -> String {
        wrong::fault(self, fault, now)
    }

    fn alarm(&self, alarm: &Alarm) -> String {
        match alarm {
            Alarm::LedgerAway(outlet) => {
                format!("Sổ «{}» không trả lời: phần này của trang đang thiếu.", self.outlet(*outlet))
            }
            Alarm::WatchAway => "Sổ theo dõi các cổng không trả lời: chưa biết tình trạng các nguồn tin.".to_owned(),
            Alarm::Down(dependency, trouble) => {
                format!("Không thông: {}. {}", self.dependency(*dependency), self.trouble(trouble))
            }
            Alarm::Bus(trouble) => self.trouble(trouble),
            Alarm::DeadLetters { queue, count } => format!(
                "{count} tin hỏng trong {queue}: xem lý do, báo nơi gửi sửa, rồi chạy lại bằng «loa dead-letters redrive»."
            ),
            Alarm::OutboxLate { waiting, oldest_seconds } => format!(
                "{waiting} tin chờ phát, tin lâu nhất đã chờ {}: kiểm tra kết nối với hàng đợi.",
                self.span(*oldest_seconds)
            ),
            Alarm::RunPaused { run, id, waiting, why } => format!(
                "Đang dừng {}, còn {waiting} thư chờ gửi. {} Khi nguyên nhân đã hết, cho gửi tiếp bằng POST /v1/digest-runs/{id}/resume.",
                self.run(run),
                self.pause(why)
            ),
            Alarm::RunUnbalanced(run) => {
                format!("Số liệu của {} không khớp: đây là lỗi phần mềm, hãy báo người phát triển.", self.run(run))
            }
            Alarm::DeliveriesFailed { count, or_more } => {
                let more = if *or_more { " trở lên" } else { "" };
                format!("{count}{more} lượt chuyển tiếp không thành: xem /v1/deliveries?state=failed.")
            }
            Alarm::EndpointDisabled { endpoint, reason, note } => {
                format!("Nơi nhận {endpoint} đang tắt. {}", self.disabled(*reason, note))
            }
        }
    }

    fn notice(&self, notice: Notice) -> &'static str {
        match notice {
            Notice::NotAnEmail => {
                "Địa chỉ email chưa đúng. Địa chỉ có dạng ten@vidu.vn, không dấu, không khoảng trắng."
            }
            Notice::NoFrequency => "Xin chọn tần suất nhận tin.",
            Notice::NoSuchArea => "Có địa bàn không còn trong danh mục. Xin chọn lại.",
            Notice::NoSuchCategory => "Có chuyên mục không đúng. Xin chọn lại.",
            Notice::TooManyChosen => "Xin chọn ít địa bàn và chuyên mục hơn; để trống là nhận tất cả.",
            Notice::ConfirmationNotSent => "Chưa gửi được thư xác nhận",
            Notice::MailServerBusy => "Máy chủ thư đang bận. Xin thử đăng ký lại sau ít phút.",
            Notice::AskedTooOften => {
                "Đã có quá nhiều yêu cầu từ mạng này hoặc đến nhà cung cấp thư này. Xin thử lại sau một giờ."
            }
            Notice::DeadLink => "Liên kết không dùng được",
            Notice::DeadLinkHelp => {
                "Địa chỉ này không đúng hoặc không còn dùng được. Xin mở lại liên kết trong thư mới nhất, hoặc đăng ký lại."
            }
            Notice::Unsubscribed => "Đã hủy đăng ký.",
            Notice::Busy => "Máy chủ đang bận. Xin thử lại sau ít phút.",
            Notice::Fault => "Máy chủ gặp lỗi. Xin thử lại sau.",
            Notice::HubIsForReaders => "Địa chỉ này dành cho các trình đọc tin, không phải trang để xem.",
            Notice::LettersGoneThrough => "Đang có người duyệt một hàng đợi dài. Xin xem lại sau một phút.",
            Notice::TestWebhook => "Đây là bản tin thử của Loa. Xin trả lời 2xx.",
            Notice::TokenNeeded => {
                "Cần mã truy cập (token) có quyền read, nhập vào ô mật khẩu; tên đăng nhập để tùy ý."
            }
        }
    }

    fn bare_page(&self, page: BarePage) -> (&'static str, &'static str) {
        match page {
            BarePage::NotFound => ("Không tìm thấy trang", "Địa chỉ này không có, hoặc đã được chuyển đi nơi khác."),
            BarePage::OnlyToLookAt => ("Không làm được việc này", "Địa chỉ này chỉ để xem."),
            BarePage::TooSlow => ("Hết thời gian chờ", "Yêu cầu đến quá chậm. Xin thử lại."),
            BarePage::TooLarge => ("Nội dung quá lớn", "Nội dung gửi lên vượt quá mức cho phép."),
            BarePage::Fault => ("Có lỗi ở máy chủ", "Lỗi đã được ghi lại. Xin thử lại sau ít phút."),
            BarePage::Unreadable => ("Không đọc được yêu cầu", "Địa chỉ hoặc nội dung gửi lên không đúng."),
        }
    }

    fn embedded(&self, embedded: Embedded) -> &'static str {
        match embedded {
            Embedded::Film => "Xem video",
            Embedded::Sound => "Nghe",
            Embedded::File => "Xem tệp",
            Embedded::Map => "Xem bản đồ",
            Embedded::Page => "Xem trang",
        }
    }

    fn remark(&self, remark: &Remark) -> String {
        match remark {
            Remark::UnknownArea(named) => format!("Danh mục không có địa bàn {named}."),
            Remark::UnknownCode { code, on } => {
                format!("Theo danh mục, không địa bàn nào có mã {code} vào ngày {}.", self.date(*on))
            }
            Remark::ChangedAhead { modified_at, shown } => {
                format!("`modified_at` là {modified_at}, ở tương lai; đến lúc đó, người theo dõi thấy {shown}.")
            }
            Remark::Altered { what, count } => {
                let (head, tail) = match what {
                    Altered::Embedded => ("", " trình phát, âm thanh, đoạn phim hoặc tệp nhúng đã thành liên kết"),
                    Altered::EmbeddedWithoutAddress => {
                        ("Đã bỏ ", " nội dung nhúng không có địa chỉ mà người đọc mở được")
                    }
                    Altered::UnseenFrames => ("Đã bỏ ", " khung nhúng không ai nhìn thấy"),
                    Altered::UnseenPictures => ("Đã bỏ ", " ảnh không ai nhìn thấy (bị ẩn hoặc cỡ một điểm)"),
                    Altered::PicturesWithoutAddress => {
                        ("Đã bỏ ", " ảnh không có địa chỉ tải về được; hãy gửi ảnh bằng địa chỉ")
                    }
                    Altered::Formulas => ("", " công thức đã thành chữ"),
                    Altered::Drawings => ("Đã bỏ ", " hình vẽ (svg, canvas), chỉ giữ chữ trong hình"),
                    Altered::FormFields => ("Đã bỏ ", " ô hoặc nút của biểu mẫu, chỉ giữ nội dung đã điền"),
                    Altered::Scripts => ("Đã bỏ ", " đoạn mã, khuôn mẫu hoặc tiêu đề trang"),
                    Altered::HiddenPassages => ("Đã bỏ ", " đoạn bị kiểu dáng ẩn đi, không người đọc nào nhìn thấy"),
                    Altered::DisguisedAddresses => ("Đã bỏ ", " địa chỉ có tên người dùng đứng trước tên máy chủ"),
                    Altered::UnusableAddresses => {
                        ("Đã bỏ ", " địa chỉ liên kết không phải http, https, mailto hay tel; chữ vẫn còn")
                    }
                    Altered::LostLetters => ("", " chữ đã hỏng từ trước khi đến đây (U+FFFD) và được giữ như vậy"),
                };
                format!("{head}{count}{tail}.")
            }
            Remark::Converted(encoding) => {
                format!("Văn bản viết bằng mã cũ {}, đã được chuyển sang Unicode.", encoding.as_str())
            }
            Remark::Unread { encoding, words } => {
                format!("{words} từ không đọc được theo mã {} và được giữ nguyên; xin kiểm tra.", encoding.as_str())
            }
            Remark::LooksOld { encoding, words } => {
                format!("{words} từ trông như viết bằng mã cũ {} và được giữ như vậy; xin kiểm tra.", encoding.as_str())
            }
        }
    }

    fn flaw(&self, flaw: &Flaw) -> String {
        flaw::flaw(flaw)
    }

    fn header_type(&self, found: HeaderType) -> &'static str {
        flaw::header_type(found)
    }

    fn page_error(&self, error: &PageError) -> String {
        page::error(error)
    }

    fn page_field(&self, field: PageField) -> &'static str {
        page::field(field)
    }

    fn clue(&self, clue: &Clue) -> String {
        page::clue(clue)
    }

    fn clues(&self, clues: &[Clue]) -> String {
        page::all(clues)
    }

    fn date_fault(&self, fault: &DateFault) -> String {
        page::date(fault)
    }

    fn left_out(&self, why: &LeftOut) -> String {
        report::left_out(why)
    }

    fn report_line(&self, line: usize, text: &str, why: &LeftOut) -> String {
        report::line(line, text, why)
    }

    fn evidence(&self, line: usize, clues: &[Clue], is_assumed: bool) -> String {
        report::evidence(line, clues, is_assumed)
    }

    fn source_clue(&self, clue: &SourceClue) -> String {
        report::source(clue)
    }

    fn assumption(&self, assumption: &Assumption) -> String {
        report::assumption(assumption)
    }

    fn watch_failure(&self, failure: &WatchFailure) -> String {
        watched::failure(failure)
    }

    fn dead_cause(&self, cause: &DeadCause) -> String {
        letter::cause(cause)
    }

    fn stay_reason(&self, why: &StayReason) -> String {
        letter::stays(why)
    }

    fn advice(&self, advice: &Advice) -> String {
        letter::advice(advice)
    }

    fn detail(&self, said: &str) -> String {
        format!("Chi tiết kỹ thuật: «{said}».")
    }

    fn verbatim(&self, said: &str) -> String {
        format!("Nguyên văn: «{said}».")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::{DeliveryId, EndpointId};

    #[test]
    fn a_journey_reads_like_an_officials_note() {
        let run = RunKey {
            frequency: Frequency::Daily,
            on: "2023-11-16".parse().unwrap(),
            slot: "manual-080222000".into(),
            zone: "Asia/Ho_Chi_Minh".into(),
        };
        let mails = Account { planned: 3, sent: 2, waiting: 1, ..Account::default() };
        let told = |step: JourneyStep| Vietnamese.told(&step);
        assert_eq!(
            told(JourneyStep::Mailed { run: run.clone(), mails }),
            "Có trong đợt thư hằng ngày (16/11/2023, chạy bằng tay); dự kiến 3 thư: 2 đã gửi, 1 còn lại."
        );
        assert_eq!(
            told(JourneyStep::Corrected { run: RunKey { slot: String::new(), ..run }, mails }),
            "Thông báo gỡ tin có trong đợt thư hằng ngày (16/11/2023); dự kiến 3 thư: 2 đã gửi, 1 còn lại."
        );
        assert_eq!(
            told(JourneyStep::Archived { event_type: EventType::DocumentIssued }),
            "Đã lưu văn bản mới do hệ thống khác đưa vào hàng đợi."
        );
        assert_eq!(
            told(JourneyStep::Pending {
                delivery: DeliveryId::new("d7").unwrap(),
                endpoint: EndpointId::new("ep_1").unwrap(),
                attempts: 0
            }),
            "Lượt chuyển tiếp d7 đến ep_1, chưa thử lần nào."
        );
    }

    #[test]
    fn a_span_has_one_unit() {
        let spans = [59, 61, 7_200, 200_000, 0].map(|seconds| Vietnamese.span(seconds));
        assert_eq!(spans, ["59 giây", "1 phút", "2 giờ", "2 ngày", "0 giây"]);
    }
}
