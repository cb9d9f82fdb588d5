//! The rules every mail keeps, checked on bytes by a foreign parser.

use crate::samples::{self, article, at, digest, directory, letterhead, news, recipient, settings};
use loa_domain::{Article, Content, EmailAddress, Frequency, ItemKind, RunKey, SubscriptionId};
use loa_mail::{Digest, Letterhead, MailItem, Message, Recipient, RenderError, Settings, SettingsError, Token};
use mail_parser::{MessageParser, MimeHeaders};

fn mail(digest: &Digest) -> Message {
    let letterhead = letterhead();
    let rendered = letterhead.render(digest, &directory()).unwrap();
    letterhead.compose(&rendered, &recipient(), 42, at()).unwrap()
}

fn head(message: &Message) -> String {
    let text = String::from_utf8(message.bytes.clone()).unwrap();
    text.split("\r\n\r\n").next().unwrap().to_owned()
}

#[test]
fn a_foreign_parser_reads_back_what_was_written() {
    let message = mail(&digest());
    let parsed = MessageParser::default().parse(&message.bytes).unwrap();
    assert_eq!(
        parsed.subject(),
        Some("Bản tin 17/11/2023: Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP và 3 tin khác")
    );
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Bản tin huyện Điện Biên Đông"), Some("ban-tin@tin.dienbiendong.example"))
    );
    assert_eq!(parsed.to().unwrap().as_list().unwrap().len(), 1);
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2023-11-17T00:00:05Z");
    assert_eq!(format!("<{}>", parsed.message_id().unwrap()), message.message_id);
    assert_eq!(message.envelope_from.as_str(), "bounce+42.0b6f3c1e9d2a47f58e1c3b5a7d9f0e24@tin.dienbiendong.example");
    // text first, HTML second, both UTF-8 in quoted-printable
    let kinds: Vec<_> = parsed.parts.iter().filter_map(|p| p.content_type()?.subtype()).collect();
    assert_eq!(kinds, ["alternative", "plain", "html"]);
    for part in &parsed.parts[1..] {
        assert_eq!(part.content_transfer_encoding(), Some("quoted-printable"));
        assert_eq!(part.content_type().unwrap().attribute("charset"), Some("utf-8"));
    }
}

#[test]
fn every_line_is_short_ascii_and_ends_in_crlf() {
    let message = mail(&digest());
    assert!(message.bytes.is_ascii());
    let text = String::from_utf8(message.bytes).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    for line in text.split("\r\n") {
        assert!(line.len() <= 120, "far below RFC 5322's 998: {line}");
        assert!(!line.contains("=?") || line.len() <= 76, "RFC 2047 §2: {line}");
    }
}

#[test]
fn the_headers_of_a_list_are_there_once_each_and_unsubscribe_is_never_encoded() {
    let head = head(&mail(&digest()));
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Auto-Submitted",
        "Precedence",
        "X-Auto-Response-Suppress",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ] {
        assert_eq!(head.split("\r\n").filter(|line| line.starts_with(&format!("{name}: "))).count(), 1, "{name}");
    }
    let token = recipient().token;
    assert!(head.contains(&format!(
        "List-Unsubscribe: <https://tin.dienbiendong.example/u/{0}>,\r\n <mailto:huy-dang-ky@tin.dienbiendong.example?subject=huy-dang-ky%20{0}>\r\n",
        token.as_str()
    )));
    assert!(head.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    assert!(head.contains("\r\n <ban-tin.tin.dienbiendong.example>\r\n"));
    assert!(format!("https://tin.dienbiendong.example/u/{}", token.as_str()).len() <= 70);
}

#[test]
fn a_retry_has_the_same_message_id_and_another_run_or_subscription_has_not() {
    let (letterhead, subscription) = (letterhead(), recipient().subscription);
    let id = letterhead.message_id(&samples::run(), &subscription);
    assert_eq!(mail(&digest()).message_id, id);
    let by_hand = RunKey { slot: "20231117T010203".into(), ..samples::run() };
    let others = [
        letterhead.message_id(&by_hand, &subscription),
        letterhead.message_id(&RunKey { frequency: Frequency::Weekly, ..samples::run() }, &subscription),
        letterhead.message_id(&samples::run(), &SubscriptionId::new("other").unwrap()),
    ];
    assert!(!others.contains(&id));
    assert!(id.starts_with("<daily-2023-11-17.") && id.ends_with("@tin.dienbiendong.example>"), "{id}");
}

#[test]
fn nothing_that_an_editor_writes_becomes_a_header_or_markup() {
    let nasty = "Tin\r\nBcc: ai-do@example.vn\r\n\r\n<script>alert(1)</script> \u{1}\u{2} & \"ngoặc\"";
    let mut item = article("x", nasty);
    item.summary = "</p><img src=x onerror=y>".into();
    item.category.label = "<b>\r\nX: y".into();
    let message = mail(&Digest { items: vec![news(Content::Article(item))], ..digest() });
    let parsed = MessageParser::default().parse(&message.bytes).unwrap();
    assert!(parsed.bcc().is_none());
    assert_eq!(
        parsed.subject().unwrap(),
        "Bản tin 17/11/2023: Tin Bcc: ai-do@example.vn <script>alert(1)</script> & \"ngoặc\""
    );
    let html = parsed.body_html(0).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"), "{html}");
    assert!(html.contains("&lt;script&gt;"));
    // no control character of ours is left open, and no stranger can put one in
    assert!(!html.contains(['\u{1}', '\u{2}']));
    assert_eq!(html.matches(recipient().token.as_str()).count(), 2);
}

#[test]
fn both_parts_carry_the_same_items_and_links() {
    let message = mail(&digest());
    let parsed = MessageParser::default().parse(&message.bytes).unwrap();
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    let token = recipient().token;
    for common in [
        "https://dienbiendong.example/tin/4-san-pham-ocop",
        "https://dienbiendong.example/tep/danh-muc-ocop.pdf",
        "https://dienbiendong.example/van-ban/1184-kl-ubnd",
        "https://dienbiendong.example/tin/hop-thuong-ky",
        "Xã Phì Nhừ",
        "PDF, 1,2 MB",
        "16/11/2023",
        "Ban hành 14/11/2023",
        "cập nhật 16/11/2023",
        "Tin đã được gỡ.",
        "Lý do: đăng nhầm chuyên mục.",
        &format!("https://tin.dienbiendong.example/u/{}", token.as_str()),
        &format!("https://tin.dienbiendong.example/manage/{}", token.as_str()),
        "Xã Na Son, Xã Xa Dung",
    ] {
        assert!(text.contains(common), "text lacks {common}:\n{text}");
        assert!(html.contains(common), "HTML lacks {common}");
    }
    // a withdrawn article's address answers 410: it is named, not linked
    assert!(!text.contains("tin/thu-phi") && !html.contains("tin/thu-phi"));
    let order: Vec<_> = ["Tin mới (2)", "Tin được cập nhật (1)", "Đính chính: tin đã được gỡ (1)"]
        .map(|h| html.find(h).unwrap())
        .into();
    assert!(order.is_sorted());
}

#[test]
fn a_large_digest_stays_under_gmails_limit_and_counts_the_rest_alike_in_both_parts() {
    let long = |n: usize| Article {
        summary: "Nội dung tóm tắt khá dài của bản tin số này. ".repeat(12),
        areas: directory().iter().map(|area| area.id.clone()).collect(),
        ..article(&format!("tin-{n}"), &format!("Bản tin số {n}: {}", "tình hình kinh tế - xã hội ".repeat(6)))
    };
    let mut items: Vec<MailItem> = (0..400).map(|n| news(Content::Article(long(n)))).collect();
    items.push(MailItem {
        kind: ItemKind::Correction,
        content: Content::Article(article("go", "Tin bị gỡ")),
        reason: String::new(),
        portal: String::new(),
    });
    let letterhead = letterhead();
    let rendered = letterhead.render(&Digest { items, ..digest() }, &directory()).unwrap();
    let html = rendered.html_with("https://tin.dienbiendong.example/u/AAAAAAAAAAAAAAAAAAAAAA");
    let text = rendered.text_with("x");
    assert!(html.len() < 102 * 1024, "{}", html.len());
    let shown = html.matches("<h3>").count();
    assert_eq!(shown + rendered.hidden, 401);
    assert!(shown > 20, "{shown}");
    let rest = format!("và {} tin khác", rendered.hidden);
    assert!(html.contains(&rest) && text.contains(&rest));
    assert_eq!(text.matches("https://dienbiendong.example/tin/tin-").count(), shown - 1);
    assert!(html.contains("Tin bị gỡ"), "a correction is never the one that is cut");
    let message = letterhead.compose(&rendered, &recipient(), 1, at()).unwrap();
    assert!(message.bytes.len() < 2_000_000);
}

#[test]
fn no_digest_is_empty() {
    let empty = Digest { items: Vec::new(), ..digest() };
    assert!(matches!(letterhead().render(&empty, &directory()), Err(RenderError::Empty)));
}

#[test]
fn one_rendering_serves_all_who_wished_the_same_and_only_links_differ() {
    let letterhead = letterhead();
    let rendered = letterhead.render(&digest(), &directory()).unwrap();
    let compose = |n: u8| {
        let token = Token::from_bytes([n; 16]);
        let recipient = Recipient {
            email: EmailAddress::parse(&format!("nguoi-{n}@example.vn")).unwrap(),
            subscription: SubscriptionId::new(format!("s-{n}")).unwrap(),
            token: token.clone(),
        };
        let message = letterhead.compose(&rendered, &recipient, 1, at()).unwrap();
        let parsed = MessageParser::default().parse(&message.bytes).unwrap();
        let bodies = format!("{}{}", parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert!(bodies.contains(token.as_str()));
        bodies.replace(token.as_str(), "TOKEN")
    };
    assert_eq!(compose(1), compose(2));
}

#[test]
fn every_part_is_composed_vietnamese() {
    let decomposed = article("nfd", "Đie\u{302}\u{323}n Bie\u{302}n");
    let message = mail(&Digest { items: vec![news(Content::Article(decomposed))], ..digest() });
    let parsed = MessageParser::default().parse(&message.bytes).unwrap();
    for text in [parsed.subject().unwrap(), &parsed.body_text(0).unwrap(), &parsed.body_html(0).unwrap()] {
        assert!(text.contains("Điện Biên"));
        assert_eq!(loa_domain::clean_text(text), text.replace("\r\n", "\n"));
    }
}

#[test]
fn settings_that_would_break_mails_are_refused_with_a_sentence() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        Letterhead::new(settings).unwrap_err()
    };
    assert_eq!(refused(|s| s.list_name = " \u{0} ".into()), SettingsError::NoName);
    assert!(matches!(refused(|s| s.list_id = "ban tin".into()), SettingsError::ListId(_)));
    assert!(matches!(refused(|s| s.public_url = "ftp://x/".parse().unwrap()), SettingsError::PublicUrl(_)));
    assert!(matches!(refused(|s| s.public_url = "https://x/?a=1".parse().unwrap()), SettingsError::PublicUrl(_)));
    assert!(matches!(
        refused(|s| s.public_url = "https://ban-tin.cong-thong-tin-dien-tu.dienbiendong.gov.vn/".parse().unwrap()),
        SettingsError::TooLong(_)
    ));
    assert_eq!(
        refused(|s| s.bounces = EmailAddress::parse("thu-tra-lai-tu-dong@tin.example").unwrap()),
        SettingsError::Bounces
    );
}

#[test]
fn a_subscription_id_that_has_no_place_in_an_address_still_gets_a_return_path() {
    let letterhead = letterhead();
    let rendered = letterhead.render(&digest(), &directory()).unwrap();
    let odd = Recipient { subscription: SubscriptionId::new("Đăng-Ký/1".repeat(3)).unwrap(), ..recipient() };
    let message = letterhead.compose(&rendered, &odd, i64::MAX, at()).unwrap();
    assert!(message.envelope_from.as_str().starts_with("bounce+9223372036854775807."));
}

#[test]
fn a_line_says_whose_it_is_where_several_portals_publish_and_only_there() {
    let item = news(Content::Article(article("tin-1", "Lịch cắt điện")));
    let shown = |portal: &str| {
        let items = vec![MailItem { portal: portal.into(), ..item.clone() }];
        let rendered = letterhead().render(&Digest { items, ..digest() }, &directory()).unwrap();
        let address = "https://tin.dienbiendong.example/u/AAAAAAAAAAAAAAAAAAAAAA";
        (rendered.html_with(address).to_string(), rendered.text_with(address).to_string())
    };
    let said = |text: &str| text.matches("Cổng thông tin").count();
    let ((html, text), (html_of_one, text_of_one)) = (shown("Cổng thông tin <xã Na Son>"), shown(""));
    assert_eq!((said(&html), said(&text)), (said(&html_of_one) + 1, said(&text_of_one) + 1));
    assert!(!html.contains("<xã") && text.contains("<xã Na Son>"), "names are text");
}
