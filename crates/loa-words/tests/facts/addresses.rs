//! Why an address may not be called.

use crate::{every_variant_is_tried, said, said_well};
use loa_domain::{AddressRefusal, EgressSettings};

#[test]
fn why_an_address_may_not_be_called_is_said_in_both_languages_with_the_settings_that_allow_it() {
    let host = || "zqhost.example".into();
    let refusals = [
        AddressRefusal::NotAUrl { said: "zqinvalid port of the address".into() },
        AddressRefusal::TooLong { bytes_max: 2_048 },
        AddressRefusal::Scheme { scheme: "zqftp".into() },
        AddressRefusal::PlainHttp { host: host() },
        AddressRefusal::Userinfo,
        AddressRefusal::NoHost,
        AddressRefusal::NoPort,
        AddressRefusal::NotPublic { address: "10.0.0.1".parse().unwrap() },
        AddressRefusal::NoPublicAddress { host: host(), addresses: vec!["10.0.0.1".parse().unwrap()] },
    ];
    for settings in [EgressSettings::Push, EgressSettings::Hub, EgressSettings::Watch] {
        let said = said(&refusals, |words, refusal| words.address_refusal(refusal, settings));
        every_variant_is_tried(include_str!("../../../loa-domain/src/address_refusal.rs"), "AddressRefusal", &said);
        said_well(&said);
        let section = format!("{}.allow_", settings.as_str());
        let named = |sentence: &str| sentence.contains(&section);
        assert_eq!(said.iter().filter(|one| named(&one.vietnamese) && named(&one.english)).count(), 3);
    }
}
