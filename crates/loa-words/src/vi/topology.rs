//! What stands at the broker, in Vietnamese: how it is, what differs, and what mends it. Clauses, which stand after a thing's
//! name.

use loa_domain::{
    BrokerPolicy, HarmfulKey, ManagementFailure, PolicyHarm, PolicyMend, Remake, TopologyBinding, TopologyDifference,
    TopologyDoubt, TopologyMend, TopologyNotAsked, TopologyNotKnown, TopologyOutcome, TopologyRemark, TopologyState,
    TopologyThing,
};

/// Why something cannot be told over AMQP.
const NEEDS_CONFIGURE: &str = "người dùng này thiếu quyền `configure`, và chưa đặt `bus.rabbitmq.management_url`";

pub(super) fn thing(thing: &TopologyThing) -> String {
    match thing {
        TopologyThing::Exchange { name } => format!("điểm phân phối {name}"),
        TopologyThing::ExchangeOfType { name, exchange_type } => {
            format!("điểm phân phối {name} (kiểu `{exchange_type}`)")
        }
        TopologyThing::Queue { name } => format!("hàng đợi {name}"),
        TopologyThing::Binding { binding, queue } => {
            format!("liên kết của hàng đợi {queue} với {}", bound(binding))
        }
        TopologyThing::BindingsOf { queue } => format!("các liên kết của hàng đợi {queue}"),
        TopologyThing::PoliciesOn { queue } => format!("các chính sách trên hàng đợi {queue}"),
        TopologyThing::Bindings => "các liên kết".into(),
        TopologyThing::Policies => "các chính sách".into(),
        TopologyThing::ManagementApi => "API quản trị của RabbitMQ".into(),
    }
}

pub(super) fn state(state: &TopologyState) -> String {
    match state {
        TopologyState::Right => "đúng như Loa cần".into(),
        TopologyState::Noted { remark } => noted(remark),
        TopologyState::Absent => "không có, và không cần có".into(),
        TopologyState::NotAsked { why } => format!("chưa xem được: {}", not_asked(why)),
        TopologyState::NotKnown { why } => format!("không rõ: {}", not_known(why)),
        TopologyState::Wrong { differences: all, .. } => differences(all),
    }
}

pub(super) fn outcome(outcome: &TopologyOutcome) -> String {
    match outcome {
        TopologyOutcome::There => "đã có".into(),
        TopologyOutcome::Made => "vừa tạo".into(),
        TopologyOutcome::Renewed { messages } => {
            format!("đã làm mới: khi đầy thì từ chối, và giữ nguyên {messages} tin đang có")
        }
        TopologyOutcome::Unsure { doubt } => unsure(doubt),
    }
}

fn unsure(doubt: &TopologyDoubt) -> String {
    match doubt {
        TopologyDoubt::NotAskedBefore => "nay đã có; trước đó có hay không thì người dùng này không được phép hỏi".into(),
        TopologyDoubt::ShownByBindings => {
            "chưa xem được: người dùng này không được xem và không được tạo (`configure`); các liên kết còn đó cho thấy là có"
                .into()
        }
        TopologyDoubt::BoundOverAmqp => {
            "đã liên kết; trước đó đã liên kết hay chưa thì không hỏi được qua AMQP; hãy đặt `bus.rabbitmq.management_url` để biết"
                .into()
        }
        TopologyDoubt::BoundUnanswered { failure } => {
            format!("đã liên kết; trước đó đã liên kết hay chưa thì không rõ: {}", management(failure))
        }
        TopologyDoubt::MayNotBind { said } => {
            format!("không rõ: người dùng này không được tạo liên kết («{said}»), và không hỏi được cách nào khác qua AMQP")
        }
    }
}

fn noted(remark: &TopologyRemark) -> String {
    match remark {
        TopologyRemark::Mirroring { policies: all } => format!(
            "{} nhân bản hàng đợi kiểu cũ (`ha-mode`); không áp dụng cho hàng đợi nào của Loa, vì các hàng đợi này tự có bản sao; \
             RabbitMQ 4 không còn loại chính sách này: hãy bỏ trước khi nâng cấp",
            policies(all)
        ),
        TopologyRemark::OthersBindings { bindings: all } => {
            format!("đúng như Loa cần, bên cạnh còn liên kết của bên khác: {}", bindings(all))
        }
    }
}

fn not_asked(why: &TopologyNotAsked) -> String {
    let set_it = |is_api_set: &bool| if *is_api_set { "" } else { "; hãy đặt `bus.rabbitmq.management_url`" };
    match why {
        TopologyNotAsked::Forbidden { said } => format!("máy chủ hàng đợi báo «{said}»"),
        TopologyNotAsked::ExchangeNotTold => format!("đã có; kiểu và tham số thì không rõ: {NEEDS_CONFIGURE}"),
        TopologyNotAsked::QueueNotTold => format!("đã có; tham số thì không rõ: {NEEDS_CONFIGURE}"),
        TopologyNotAsked::Bindings { is_api_set } => format!(
            "không hỏi được qua AMQP; nhịp kiểm tra chứng tỏ liên kết của hàng đợi các dịch vụ{}",
            set_it(is_api_set)
        ),
        TopologyNotAsked::Policies { is_api_set } => format!("không hỏi được qua AMQP{}", set_it(is_api_set)),
    }
}

pub(super) fn not_known(why: &TopologyNotKnown) -> String {
    match why {
        TopologyNotKnown::Api { failure } => management(failure),
        TopologyNotKnown::PolicyInForce { policies: all } => format!(
            "máy chủ hàng đợi không cho biết chính sách nào đang áp dụng (có thể do đã tắt thống kê), và {} có thể gây hại",
            policies(all)
        ),
    }
}

fn management(failure: &ManagementFailure) -> String {
    match failure {
        ManagementFailure::Silent { url, said } => {
            format!("API quản trị tại {url} không trả lời (chi tiết kỹ thuật: «{said}»)")
        }
        ManagementFailure::Refused { url, user, commands: [tag, right] } => format!(
            "API quản trị tại {url} từ chối người dùng «{user}»: cần đúng mật khẩu, một thẻ và một quyền trên vhost, dù là quyền \
             rỗng (`{tag}`, `{right}`)"
        ),
        ManagementFailure::Status { url, status } => format!("API quản trị tại {url} trả lời mã {status}"),
        ManagementFailure::TooLong { url, bytes_max } => {
            format!("API quản trị tại {url} trả lời dài hơn {bytes_max} byte")
        }
        ManagementFailure::Stranger { url } => format!(
            "nơi trả lời tại {url} không phải API quản trị của RabbitMQ: hãy ghi đúng địa chỉ vào `bus.rabbitmq.management_url`, \
             kèm phần đường dẫn trước `/api` nếu có"
        ),
        ManagementFailure::OwnFiles { said } => {
            format!("không hỏi được API quản trị (chi tiết kỹ thuật: «{said}»)")
        }
    }
}

pub(super) fn differences(all: &[TopologyDifference]) -> String {
    all.iter().map(difference).collect::<Vec<_>>().join("; ")
}

fn difference(difference: &TopologyDifference) -> String {
    match difference {
        TopologyDifference::Missing => "không có".into(),
        TopologyDifference::ExchangeType { found, should } => format!("kiểu là «{found}» thay vì `{should}`"),
        TopologyDifference::Argument { name, found, should } => {
            format!("tham số `{name}` là «{found}» thay vì `{should}`")
        }
        TopologyDifference::ArgumentMissing { name, should } => {
            format!("tham số `{name}` chưa đặt, lẽ ra là `{should}`")
        }
        TopologyDifference::ArgumentTooMany { name, found } => {
            format!("tham số «{name}» là «{found}», lẽ ra không đặt")
        }
        TopologyDifference::Told { said } => format!("máy chủ hàng đợi báo «{said}»"),
        TopologyDifference::Unbound { bindings: all } => {
            format!("thiếu liên kết với {}; tin lẽ ra qua đó không đến được đây", bindings(all))
        }
        TopologyDifference::RenewalInterrupted { queue } => {
            format!("`loa migrate` bị ngắt khi đang làm mới hàng đợi {queue}; ở đây có thể còn tin của hàng đợi đó")
        }
        TopologyDifference::Policies { policies: all, harms } => {
            let how: Vec<String> = harms
                .iter()
                .map(|HarmfulKey { key, value, harm: does }| format!("`{key}` là «{value}» nên {}", harm(*does)))
                .collect();
            format!("{}: {}", policies(all), how.join("; "))
        }
    }
}

fn harm(harm: PolicyHarm) -> &'static str {
    match harm {
        PolicyHarm::KeepsNoMore => "khi dài đến mức đó thì không nhận thêm, và tin cần giữ phải chờ ở nơi gửi",
        PolicyHarm::StopsPublishing => "khi dài đến mức đó thì việc phát tin cho mọi kênh dừng lại",
        PolicyHarm::DeletesWhatIsOld => "tin đang giữ bị xóa khi cũ đến chừng ấy mili giây",
        PolicyHarm::BuriesWhatIsOld => "tin chờ đến chừng ấy mili giây thì thành tin hỏng",
        PolicyHarm::DeletesTheQueue => {
            "sau chừng ấy mili giây không có bên nhận thì hàng đợi bị xóa cùng mọi tin trong đó"
        }
        PolicyHarm::DeletesWhatReturns => "tin được lấy ra chừng ấy lần mà chưa xử lý xong thì bị xóa",
        PolicyHarm::BuriesWhatReturns => "tin bị trả lại chừng ấy lần thì thành tin hỏng",
        PolicyHarm::DropsTheOldest => "khi đầy thì bỏ tin cũ nhất",
        PolicyHarm::LeadsAway => "tin rời hàng đợi bị chuyển đến nơi không ai tìm",
    }
}

pub(super) fn mend(mend: &TopologyMend) -> String {
    match mend {
        TopologyMend::Make { remake } => remade(*remake),
        TopologyMend::Renew => "chạy `loa migrate` để làm mới; những gì đang có được giữ nguyên".into(),
        TopologyMend::EndRenewal => "chạy `loa migrate` để làm tiếp từ chỗ dở cho xong".into(),
        TopologyMend::DeleteExchange { exchange, vhost, remake } => format!(
            "xóa điểm phân phối {exchange} của vhost «{vhost}» (trên trang quản trị của RabbitMQ, hoặc bằng `rabbitmqadmin delete \
             exchange`), rồi {} ngay",
            remade(*remake)
        ),
        TopologyMend::DeleteQueue { keeps, command, remake } => {
            let emptied = if *keeps {
                "chạy lại hoặc xóa những gì hàng đợi đang giữ"
            } else {
                "để dịch vụ nhận hết tin trong hàng đợi"
            };
            format!("{emptied}, sau đó `{command}`, rồi {}", remade(*remake))
        }
        TopologyMend::Policies { mends } => {
            let line = |PolicyMend { command, lays_over }: &PolicyMend| {
                let does = if *lays_over {
                    "đặt một chính sách không có tác dụng lên trên"
                } else {
                    "để chính sách không áp dụng cho hàng đợi của Loa"
                };
                format!("`{command}` {does}")
            };
            mends.iter().map(line).collect::<Vec<_>>().join("; ")
        }
    }
}

fn remade(remake: Remake) -> String {
    match remake {
        Remake::Migrate => "chạy `loa migrate`".into(),
        Remake::ReplayTo(outlet) => {
            format!("chạy `loa migrate`, sau đó `loa replay --outlet {}`", outlet.as_str())
        }
        Remake::ReplayToAll => {
            "chạy `loa migrate`, sau đó `loa replay --outlet feed`, và làm như vậy với `digest` và `push`".into()
        }
    }
}

fn policies(all: &[BrokerPolicy]) -> String {
    let one = |BrokerPolicy { name, pattern, is_operators }: &BrokerPolicy| {
        let kind = if *is_operators { "chính sách vận hành" } else { "chính sách" };
        format!("{kind} «{name}» (áp dụng cho `{pattern}`)")
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn bindings(all: &[TopologyBinding]) -> String {
    all.iter().map(bound).collect::<Vec<_>>().join(", ")
}

fn bound(TopologyBinding { exchange, key }: &TopologyBinding) -> String {
    if key.is_empty() {
        format!("điểm phân phối {exchange} theo mọi khóa")
    } else {
        format!("điểm phân phối {exchange} theo khóa `{key}`")
    }
}
