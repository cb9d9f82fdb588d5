//! What leaves: encoded bytes, snapshotted whole, and routing keys.

use crate::{decode_bytes, decode_value, minimal, with};
use loa_domain::EventType;
use loa_event::{Parts, encode, encode_event, routing_key};
use serde_json::json;

#[test]
fn equal_parts_are_equal_bytes_in_a_fixed_order() {
    let data = minimal()["data"].clone();
    let parts = Parts {
        id: "e-1",
        source: "https://dienbiendong.gov.vn/",
        event_type: EventType::ArticlePublished,
        subject: "bai-1",
        time: "2023-11-16T01:02:22Z".parse().ok(),
        data: &data,
    };
    let bytes = encode(&parts);
    assert_eq!(bytes, encode(&parts));
    insta::assert_snapshot!(String::from_utf8(bytes).expect("UTF-8"));
}

#[test]
fn a_decoded_event_encodes_to_its_normal_form() {
    let mut event = with("/data/title", json!(" Lạc đỏ\nNa Son "));
    event["data"]["content_html"] = json!("<p onclick=x>Bí xanh <a href='/a'>Tìa Dình</a><script>x</script>");
    event["data"]["images"] = json!([{ "url": "https://a.vn/ảnh.jpg", "alt": "Ảnh" }]);
    event["data"]["unknown"] = json!(true);
    let event = decode_value(&event).expect("good");
    let again = decode_bytes(&encode_event(&event)).expect("good");
    assert_eq!((&again.change, &again.reach, &again.key), (&event.change, &event.reach, &event.key));
    let pretty: serde_json::Value = serde_json::from_slice(&again.original_bytes).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&pretty).expect("JSON"));
}

#[test]
fn a_routing_key_is_three_words_of_at_most_255_bytes() {
    let mut event = minimal();
    event["type"] = json!("vn.loa.document.issued.v1");
    event["data"] = json!({ "id": "bai-1", "revision": 1, "number": "1", "title": "t", "url": "https://a.vn/1",
        "issued_on": "2023-11-16", "kind": "Kết. luận # * ".repeat(20) });
    let key = routing_key(&decode_value(&event).expect("good"));
    assert!(key.len() <= 255 && key.split('.').count() == 3 && !key.contains(['#', '*', ' ']), "{key}");
    event["data"]["kind"] = json!("???");
    assert_eq!(routing_key(&decode_value(&event).expect("good")), "document.issued.none");
}
