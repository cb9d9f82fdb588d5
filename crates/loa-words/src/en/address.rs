//! Why an address may not be called, in English.

use loa_domain::AddressRefusal;
use std::net::IpAddr;

/// A clause; `section` of the configuration allows what is refused.
pub(super) fn refusal(refusal: &AddressRefusal, section: &str) -> String {
    match refusal {
        AddressRefusal::NotAUrl { said } => format!("the address is not a URL: {said}"),
        AddressRefusal::TooLong { bytes_max } => format!("the address is longer than {bytes_max} bytes"),
        AddressRefusal::Scheme { scheme } => format!("the address begins with {}:, not with https:", scheme.escaped()),
        AddressRefusal::PlainHttp { host } => format!(
            "plain http is only for hosts that the configuration allows ({section}.allow_hosts, {section}.allow_networks); {} is \
             not",
            host.escaped()
        ),
        AddressRefusal::Userinfo => "the address holds a user name or password".into(),
        AddressRefusal::NoHost => "the address has no host".into(),
        AddressRefusal::NoPort => "the address has port 0, at which nobody can listen".into(),
        AddressRefusal::NotPublic { address } => {
            format!("{address} is not a public address and not allowed by the configuration ({section}.allow_networks)")
        }
        AddressRefusal::NoPublicAddress { host, addresses } => format!(
            "{} has no public address ({}) and is not allowed by the configuration ({section}.allow_hosts)",
            host.escaped(),
            listed(addresses)
        ),
    }
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
