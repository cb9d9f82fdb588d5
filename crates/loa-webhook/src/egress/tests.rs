//! The tables of the egress guard; the addresses follow the test list of the Svix server and RFC 6890.

use super::*;

fn policy(hosts: &[&str], networks: &[&str]) -> EgressPolicy {
    EgressPolicy {
        allow_hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
        allow_networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        plain_http: false,
    }
}

/// What the policy says about an address as somebody typed it in.
fn check(policy: &EgressPolicy, text: &str) -> Result<(), AddressRefusal> {
    policy.check_url(&parse_url(text)?)
}

#[test]
fn public_addresses_are_allowed() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "203.162.0.181",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2405:4800::1",
        "::ffff:8.8.8.8",
    ] {
        assert!(allowed(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn every_reserved_range_is_refused() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255", // IPv4
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", // inside IPv6
        "64:ff9b::7f00:1",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::a00:1", // NAT64
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1", // 6to4
        "2001::1",
        "2001:0:7f00:1::",
        "2001:10::1",
        "2001:20::1", // Teredo and other assignments
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "2405:4800::5efe:7f00:1",
        "2405:4800::200:5efe:a00:1", // ISATAP
    ] {
        assert!(!allowed(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn every_spelling_of_loopback_is_seen_through() {
    for text in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://0/",
        "https://①②⑦.0.0.1/",
        "https://127.0.0.1./",
        "https://127%2e0%2e0%2e1/",
        "https://[0:0:0:0:0:0:0:1]:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[64:ff9b::169.254.169.254]/",
    ] {
        let refusal = check(&EgressPolicy::default(), text);
        assert!(matches!(refusal, Err(AddressRefusal::NotPublic { .. })), "{text}: {refusal:?}");
    }
}

#[test]
fn a_zone_id_or_a_broken_address_is_not_a_url() {
    for text in [
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1",
        "https://",
        "nonsense",
        "https://256.256.256.256/",
    ] {
        assert!(matches!(check(&EgressPolicy::default(), text), Err(AddressRefusal::NotAUrl { .. })), "{text}");
    }
}

#[test]
fn only_https_without_user_names() {
    let none = EgressPolicy::default();
    assert_eq!(check(&none, "https://so.dienbien.gov.vn/webhooks?a=b"), Ok(()));
    assert_eq!(check(&none, "https://8.8.8.8:8443/"), Ok(()));
    assert_eq!(check(&none, "https://u:p@so.dienbien.gov.vn/"), Err(AddressRefusal::Userinfo));
    assert_eq!(check(&none, "https://u@so.dienbien.gov.vn/"), Err(AddressRefusal::Userinfo));
    assert_eq!(
        check(&none, "http://so.dienbien.gov.vn/"),
        Err(AddressRefusal::PlainHttp { host: "so.dienbien.gov.vn".into() })
    );
    for text in ["ftp://x.example/", "file:///etc/passwd", "javascript:alert(1)", "gopher://x.example/"] {
        assert!(matches!(check(&none, text), Err(AddressRefusal::Scheme { .. })), "{text}");
    }
    assert_eq!(
        check(&none, &format!("https://x.example/{}", "a".repeat(2_048))),
        Err(AddressRefusal::TooLong { bytes_max: 2_048 })
    );
}

#[test]
fn a_network_allowed_by_name_may_be_called_even_over_http() {
    let wan = policy(&[], &["10.20.0.0/16", "fd00:1::/32", "127.0.0.1"]);
    for text in [
        "https://10.20.3.4/",
        "http://10.20.3.4/",
        "https://[::ffff:10.20.3.4]/",
        "http://[fd00:1::5]/",
        "http://127.0.0.1:9/",
    ] {
        assert_eq!(check(&wan, text), Ok(()), "{text}");
    }
    for text in ["https://10.21.0.1/", "https://127.0.0.2/", "https://[fd00:2::1]/"] {
        assert!(matches!(check(&wan, text), Err(AddressRefusal::NotPublic { .. })), "{text}");
    }
    assert!(matches!(check(&wan, "http://8.8.8.8/"), Err(AddressRefusal::PlainHttp { .. })));
}

#[test]
fn a_host_allowed_by_name_may_be_anything_and_its_neighbours_may_not() {
    let named = policy(&["cong.noibo", "*.trucvan.gov.vn"], &[]);
    for text in ["http://cong.noibo/", "http://CONG.noibo./", "http://a.trucvan.gov.vn/", "http://b.a.trucvan.gov.vn/"]
    {
        assert_eq!(check(&named, text), Ok(()), "{text}");
    }
    for text in
        ["http://cong.noibo.evil.example/", "http://xcong.noibo/", "http://trucvan.gov.vn/", "http://xtrucvan.gov.vn/"]
    {
        assert!(matches!(check(&named, text), Err(AddressRefusal::PlainHttp { .. })), "{text}");
    }
}

#[test]
fn of_a_names_addresses_only_the_allowed_are_kept() {
    let addresses = |list: &[&str]| -> Vec<IpAddr> { list.iter().map(|a| a.parse().unwrap()).collect() };
    let none = EgressPolicy::default();
    assert_eq!(
        none.keep_allowed("x.example", addresses(&["10.0.0.1", "8.8.8.8"]), |a| *a),
        Ok(addresses(&["8.8.8.8"]))
    );
    let refused = none.keep_allowed("x.example", addresses(&["10.0.0.1", "::1"]), |a| *a);
    assert_eq!(
        refused,
        Err(AddressRefusal::NoPublicAddress {
            host: "x.example".into(),
            addresses: vec!["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()]
        })
    );
    let named = policy(&["x.example"], &[]);
    assert_eq!(named.keep_allowed("x.example", addresses(&["10.0.0.1"]), |a| *a), Ok(addresses(&["10.0.0.1"])));
}
