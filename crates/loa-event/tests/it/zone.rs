//! What a civil date of an event is: that of the installation's zone, and of no other.

use crate::{DIRECTORY, STRUCTURED, calendar, minimal, with};
use loa_domain::{AreaId, Content};
use loa_event::decode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Content of an event as an installation in this zone reads it.
fn read_in(zone: &str, event: &Value) -> Content {
    let body = event.to_string();
    let event = decode(STRUCTURED, &BTreeMap::new(), None, body.as_bytes(), &DIRECTORY, &calendar(zone));
    event.unwrap_or_else(|refusal| panic!("{refusal}")).content().expect("content").clone()
}

#[test]
fn the_areas_in_force_are_those_of_the_day_of_publication_in_the_zone() {
    // half past one on 1 July in Vietnam, and the evening before in London: between the two the code went to another commune
    let mut event = with("/data/published_at", json!("2025-06-30T18:30:00Z"));
    event["data"]["areas"] = json!([{ "code": "03208" }]);
    for (zone, area) in [
        ("Asia/Ho_Chi_Minh", "xa-dung-03208-2025"),
        ("Asia/Tokyo", "xa-dung-03208-2025"),
        ("Europe/London", "phi-nhu-03208-2004"),
        ("America/New_York", "phi-nhu-03208-2004"),
    ] {
        assert_eq!(read_in(zone, &event).areas(), [AreaId::new(area).expect("an id")], "{zone}");
    }
}

#[test]
fn a_paper_without_a_time_is_of_the_beginning_of_its_day_in_the_zone() {
    let mut event = minimal();
    event["type"] = json!("vn.loa.document.issued.v1");
    event["data"] = json!({ "id": "bai-1", "revision": 1, "number": "1184/KL-UBND", "title": "Kết luận",
        "url": "https://dienbiendong.gov.vn/vb/1", "issued_on": "2023-11-16" });
    for (zone, begins) in [
        ("Asia/Ho_Chi_Minh", "2023-11-15T17:00:00Z"),
        ("Etc/UTC", "2023-11-16T00:00:00Z"),
        ("America/New_York", "2023-11-16T05:00:00Z"),
    ] {
        assert_eq!(read_in(zone, &event).published_at().to_string(), begins, "{zone}");
    }
}

#[test]
fn what_is_taken_in_one_zone_is_taken_in_every_other() {
    for (at, is_taken) in [
        ("1989-12-31T23:59:59Z", false),
        ("1990-01-01T00:00:00Z", true),
        ("1990-01-01T00:00:00+07:00", false),
        ("2100-12-31T23:59:59Z", true),
        ("2101-01-01T06:59:59+07:00", true),
        ("2101-01-01T00:00:00Z", false),
    ] {
        let body = with("/data/published_at", json!(at)).to_string();
        for zone in ["Asia/Ho_Chi_Minh", "Pacific/Kiritimati", "Etc/GMT+12"] {
            let read = decode(STRUCTURED, &BTreeMap::new(), None, body.as_bytes(), &DIRECTORY, &calendar(zone));
            assert_eq!(read.is_ok(), is_taken, "{at} in {zone}");
        }
    }
}
