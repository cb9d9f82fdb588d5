//! Why an address may not be called, in Vietnamese.

use loa_domain::AddressRefusal;
use std::net::IpAddr;

/// A clause; `section` of the configuration allows what is refused.
pub(super) fn refusal(refusal: &AddressRefusal, section: &str) -> String {
    match refusal {
        AddressRefusal::NotAUrl { said } => format!("không phải địa chỉ URL (chi tiết kỹ thuật: «{said}»)"),
        AddressRefusal::TooLong { bytes_max } => format!("địa chỉ dài hơn {bytes_max} byte"),
        AddressRefusal::Scheme { scheme } => {
            format!("địa chỉ bắt đầu bằng «{}:», không phải `https:`", scheme.escaped())
        }
        AddressRefusal::PlainHttp { host } => format!(
            "`http:` không mã hóa chỉ dùng cho máy mà cấu hình cho phép (`{section}.allow_hosts`, `{section}.allow_networks`); \
             «{}» không thuộc số đó",
            host.escaped()
        ),
        AddressRefusal::Userinfo => "địa chỉ có chứa tên người dùng hoặc mật khẩu".into(),
        AddressRefusal::NoHost => "địa chỉ không có tên máy".into(),
        AddressRefusal::NoPort => "địa chỉ dùng cổng 0, không máy nào nghe ở cổng đó".into(),
        AddressRefusal::NotPublic { address } => {
            format!("{address} không phải địa chỉ công khai và cấu hình không cho phép (`{section}.allow_networks`)")
        }
        AddressRefusal::NoPublicAddress { host, addresses } => format!(
            "«{}» không có địa chỉ công khai nào ({}) và cấu hình không cho phép (`{section}.allow_hosts`)",
            host.escaped(),
            listed(addresses)
        ),
    }
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
