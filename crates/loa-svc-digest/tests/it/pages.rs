//! What subscribers see and do, and what mail scanners cannot do.

use crate::rig::Rig;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use loa_domain::{Frequency, SubscriptionState};
use loa_http::ClientAddress;
use loa_mail::Token;
use loa_store::{Confirmations, DigestViews, Subscription};
use loa_testkit::smtp::{Fault, Stage};

const FORM: &str = "email=nguoi-dan%40example.vn&frequency=daily&area=na-son-03203-2025";

async fn state(rig: &Rig, subscription: &Subscription) -> SubscriptionState {
    rig.ledger.by_token(&subscription.token_hash).await.unwrap().unwrap().state
}

async fn only_subscription(rig: &Rig) -> Subscription {
    let mut subscribers = rig.ledger.subscribers("", 10).await.unwrap();
    assert_eq!(subscribers.len(), 1);
    subscribers.remove(0).subscriptions.remove(0)
}

#[tokio::test]
async fn opening_a_link_changes_nothing_whoever_opens_it() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let active = rig.add("a@example.vn", Frequency::Daily).await;
    rig.post("/subscribe", FORM).await;
    let key = rig.link("nguoi-dan@example.vn", "confirm").replace("/confirm/", "");
    let pending = rig.ledger.by_key(&Token::parse(&key).unwrap().hash(), rig.now()).await.unwrap().unwrap();
    assert_eq!(pending.state, SubscriptionState::Pending);
    for link in [&active.token, &pending.token, &key] {
        for page in ["confirm", "u", "manage"] {
            let path = format!("/{page}/{link}");
            for method in [Method::GET, Method::HEAD] {
                let answer = rig.ask(method.clone(), &path, "", "").await;
                assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
                assert_eq!(answer.body.is_empty(), method == Method::HEAD);
            }
            // a scanner that posts what it finds, without pressing the button
            for body in ["", "x=1", "List-Unsubscribe=maybe"] {
                assert_eq!(rig.post(&path, body).await.status, StatusCode::OK);
            }
            for method in [Method::PUT, Method::DELETE] {
                assert_eq!(rig.ask(method, &path, "", "").await.status, StatusCode::METHOD_NOT_ALLOWED);
            }
        }
    }
    assert_eq!(state(&rig, &active).await, SubscriptionState::Active);
    assert_eq!(state(&rig, &pending).await, SubscriptionState::Pending);
}

#[tokio::test]
async fn one_click_ends_the_subscription_in_both_forms_and_as_often_as_it_comes() {
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click".to_owned()),
        (
            "multipart/form-data; boundary=X",
            "--X\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--X--\r\n".to_owned(),
        ),
    ] {
        let rig = Rig::new().await;
        let subscription = rig.add("a@example.vn", Frequency::Daily).await;
        let path = format!("/u/{}", subscription.token);
        for _ in 0..3 {
            let answer = rig.ask(Method::POST, &path, kind, &body).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert!(answer.headers.get(header::LOCATION).is_none() && answer.headers.get(header::SET_COOKIE).is_none());
            assert_eq!(state(&rig, &subscription).await, SubscriptionState::Unsubscribed);
        }
        for unknown in ["/u/AAAAAAAAAAAAAAAAAAAAAA", "/u/x"] {
            assert_eq!(rig.ask(Method::POST, unknown, kind, &body).await.status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn a_person_unsubscribes_by_button_and_takes_it_back_by_a_mail_to_the_mailbox() {
    let rig = Rig::new().await;
    let subscription = rig.add("a@example.vn", Frequency::Daily).await;
    let path = format!("/u/{}", subscription.token);
    let page = rig.get(&path).await;
    assert!(page.body.contains("<button type=\"submit\">Hủy đăng ký</button>"), "{}", page.body);
    let done = rig.post(&path, "do=unsubscribe").await;
    assert!(done.body.contains("Đã hủy đăng ký") && done.body.contains("Đăng ký lại"));
    assert_eq!(state(&rig, &subscription).await, SubscriptionState::Unsubscribed);
    let back = rig.post(&format!("/confirm/{}", subscription.token), "do=confirm").await;
    assert!(back.body.contains("Xin kiểm tra hộp thư"), "{}", back.body);
    assert_eq!(state(&rig, &subscription).await, SubscriptionState::Pending, "the mailbox has not said so yet");
    let back = rig.post(&rig.link("a@example.vn", "confirm"), "do=confirm").await;
    assert!(back.body.contains("Đăng ký đã được xác nhận"));
    assert_eq!(state(&rig, &subscription).await, SubscriptionState::Active);
    assert_eq!(rig.get("/u/AAAAAAAAAAAAAAAAAAAAAA").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_was_forwarded_a_digest_can_end_a_subscription_and_nothing_else() {
    let rig = Rig::new().await;
    let subscription = rig.add("a@example.vn", Frequency::Daily).await;
    let forwarded = |page: &str| format!("/{page}/{}", subscription.token);
    // changes
    for body in ["do=change", "do=change&area=xa-dung-03208-2025", "do=confirm"] {
        rig.post(&forwarded("manage"), body).await;
    }
    let kept = only_subscription(&rig).await;
    assert_eq!((&kept.wish, kept.state), (&subscription.wish, SubscriptionState::Active));
    // takes back what its owner ended, with keys of before or without
    rig.post(&forwarded("manage"), "do=send").await;
    let old_key = rig.link("a@example.vn", "manage");
    rig.post(&forwarded("u"), "do=unsubscribe").await;
    for path in [forwarded("confirm"), old_key.replace("/manage/", "/confirm/"), old_key.clone()] {
        for body in ["do=confirm", "do=change", "do=send"] {
            rig.post(&path, body).await;
            assert_ne!(state(&rig, &subscription).await, SubscriptionState::Active, "{path} {body}");
        }
    }
    assert_eq!(rig.get(&old_key).await.status, StatusCode::NOT_FOUND);
    // and it ends, for ever
    rig.wind(400 * 86_400);
    let answer = rig.post(&forwarded("u"), "List-Unsubscribe=One-Click").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(state(&rig, &subscription).await, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn whoever_subscribes_gets_nothing_before_confirming_and_the_digest_after() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let answer = rig.post("/subscribe", FORM).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Xin kiểm tra hộp thư"));
    let mail = rig.mails().remove(0);
    assert_eq!(mail.subject(), "Xác nhận đăng ký nhận Bản tin huyện Điện Biên Đông");
    assert!(mail.text().contains("Địa bàn: Xã Na Son."), "{}", mail.text());
    assert!(mail.header("List-Unsubscribe").is_none(), "there is nothing to unsubscribe from");
    let link = mail.text().lines().find(|line| line.contains("/confirm/")).unwrap().to_owned();
    let path = link.strip_prefix("https://tin.dienbiendong.example").unwrap().to_owned();

    rig.wind(1);
    rig.publish("bai-1", 1).await;
    rig.at("2026-01-05T07:00:00+07:00").await;
    assert_eq!(rig.mails().len(), 1, "unconfirmed: no digest");

    let page = rig.get(&path).await;
    assert!(page.body.contains("Xác nhận đăng ký</button>") && page.body.contains("Xã Na Son"));
    assert!(rig.post(&path, "do=confirm").await.body.contains("Đăng ký đã được xác nhận"));
    assert_eq!(only_subscription(&rig).await.state, SubscriptionState::Active);
    rig.wind(1);
    let mut event = loa_testkit::build::published(crate::rig::article_about("bai-2", "na-son-03203-2025"));
    event.reach = vec![crate::rig::area("na-son-03203-2025")];
    rig.accept(&[event]).await;
    rig.at("2026-01-06T07:00:00+07:00").await;
    let mails = rig.mails();
    assert_eq!(mails.len(), 2);
    assert!(
        mails[1].text().contains("bai-2") && !mails[1].text().contains("bai-1"),
        "nothing from before it was confirmed"
    );
}

#[tokio::test]
async fn the_form_answers_the_same_whatever_the_mailbox_is_and_does_the_same_before() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let known = rig.add("nguoi-dan@example.vn", Frequency::Daily).await;
    let mut answers = Vec::new();
    // known, unknown, then one that has had its share today
    for name in ["nguoi-dan", "nguoi-moi", "nguoi-moi", "nguoi-moi", "nguoi-moi", "nguoi-moi"] {
        let before = rig.catcher.sessions();
        let answer = rig.post("/subscribe", &FORM.replace("nguoi-dan", name)).await;
        answers.push((answer.status, answer.body, answer.headers, rig.catcher.sessions() - before));
    }
    for answer in &answers[1..] {
        assert_eq!(answer, &answers[0], "its status, page and headers, and one session with the mail server");
    }
    assert_eq!((rig.catcher.mails_to("nguoi-moi@example.vn").len(), rig.mails().len()), (3, 4));
    rig.catcher.misbehave(Fault::at(Stage::Greeting).reply("421 4.3.2 busy"));
    for name in ["nguoi-dan", "nguoi-moi", "nguoi-khac"] {
        let answer = rig.post("/subscribe", &FORM.replace("nguoi-dan", name)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{name}: an outage is everybody's");
    }
    // strangers change nothing
    let kept = rig.ledger.by_token(&known.token_hash).await.unwrap().unwrap();
    assert_eq!((kept.wish, kept.state), (known.wish.clone(), SubscriptionState::Active));
    let told = rig.catcher.mails_to("nguoi-dan@example.vn").remove(0);
    assert!(told.subject().contains("đã đăng ký"), "{}", told.subject());
    let manage = rig.link("nguoi-dan@example.vn", "manage");
    assert!(!manage.contains(&known.token), "a key of its own");
    assert_eq!(rig.link("nguoi-dan@example.vn", "u"), format!("/u/{}", known.token));
}

#[tokio::test]
async fn nobody_is_bombarded_through_the_form() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    for n in 0..10 {
        rig.wind(60);
        let form = FORM.replace("nguoi-dan", if n % 2 == 0 { "nguoi-dan" } else { "NGUOI-dan" });
        assert_eq!(rig.post("/subscribe", &form).await.status, StatusCode::OK);
    }
    assert_eq!(rig.mails().len(), 3);
    assert_eq!(rig.post("/subscribe", &format!("{FORM}&website=http://spam")).await.status, StatusCode::OK);
    rig.wind(86_400);
    rig.post("/subscribe", FORM).await;
    assert_eq!(rig.mails().len(), 4, "the next day it works again");
}

#[tokio::test]
async fn a_mailbox_with_many_tags_is_one_mailbox_and_the_form_goes_on_for_others() {
    let mut rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    for n in 0..130 {
        let form = format!("email=target%2B{n}%40example.vn&frequency=daily");
        assert_eq!(rig.post("/subscribe", &form).await.status, StatusCode::OK);
        if n == 65 {
            rig.restart().await; // the ledger knows, too
        }
    }
    assert_eq!(rig.mails().len(), 3);
    assert_eq!(rig.post("/subscribe", "email=x%40example.vn&frequency=daily").await.status, StatusCode::OK);
    assert_eq!(rig.mails().len(), 4);
}

#[tokio::test]
async fn one_client_uses_up_its_own_share_and_is_told() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let ask = async |client: &str, n: usize| {
        let form = format!("email=nguoi-{n}%40d{n}.vn&frequency=daily");
        let address: std::net::IpAddr = client.parse().unwrap();
        let request = Request::post("/subscribe").extension(ClientAddress(address));
        let answer = rig.send(request.body(Body::from(form)).unwrap()).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 3_600);
            assert!(answer.body.contains("quá nhiều yêu cầu"), "{}", answer.body);
        }
        answer.status
    };
    let mut taken = 0;
    for n in 0..130 {
        taken += usize::from(ask("203.0.113.7", n).await == StatusCode::OK);
    }
    assert_eq!((taken, rig.mails().len()), (30, 30));
    assert_eq!(ask("203.0.113.8", 200).await, StatusCode::OK, "the form goes on for others");
    assert_eq!(rig.mails().len(), 31);
}

#[tokio::test]
async fn a_confirmation_that_could_not_be_sent_does_not_use_up_the_mailboxs_allowance() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    rig.catcher.misbehave(Fault::at(Stage::MailFrom).reply("451 4.3.0 try again later"));
    for _ in 0..5 {
        rig.wind(60);
        rig.post("/subscribe", FORM).await;
    }
    rig.catcher.behave();
    rig.wind(60);
    assert_eq!(rig.post("/subscribe", FORM).await.status, StatusCode::OK);
    assert_eq!(rig.mails().len(), 1);
    let email = loa_domain::EmailAddress::parse("nguoi-dan@example.vn").unwrap();
    let now = rig.now();
    for _ in 0..2 {
        assert!(rig.ledger.allow_confirmation(&email, now, 3, now).await.unwrap(), "one was counted");
    }
    assert!(!rig.ledger.allow_confirmation(&email, now, 3, now).await.unwrap());
}

#[tokio::test]
async fn what_nobody_confirms_is_forgotten_within_days() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    rig.post("/subscribe", FORM).await;
    let link = rig.link("nguoi-dan@example.vn", "confirm");
    rig.at("2026-01-08T05:00:00+07:00").await;
    assert_eq!(rig.get(&link).await.status, StatusCode::OK);
    rig.at("2026-01-08T06:01:00+07:00").await;
    assert_eq!(rig.get(&link).await.status, StatusCode::NOT_FOUND);
    assert!(rig.ledger.subscribers("", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_that_a_stranger_wrote_goes_out_in_our_name() {
    const ADVERT: &str = "goi-0900-nhan-qua";
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    rig.publish("bai-1", 1).await;
    for form in [
        format!("email=a%40b.vn&frequency=daily&category={ADVERT}"),
        format!("email=a%40b.vn&frequency=daily&area={ADVERT}"),
        format!("email=a%40b.vn&frequency={ADVERT}"),
        format!("email={ADVERT}&frequency=daily"),
        format!("email={ADVERT}%40b.vn&frequency=hourly"),
        format!("email={ADVERT}%40b.vn&frequency=daily"),
        format!("email=a%40b.vn&frequency=daily&{ADVERT}={ADVERT}"),
    ] {
        let answer = rig.post("/subscribe", &form).await;
        assert!(!answer.body.contains(ADVERT) && !format!("{:?}", answer.headers).contains(ADVERT), "{form}");
    }
    for path in [format!("/confirm/{ADVERT}"), format!("/u/{ADVERT}"), format!("/manage/{ADVERT}")] {
        let answer = rig.get(&path).await;
        assert!(!answer.body.contains(ADVERT) && !format!("{:?}", answer.headers).contains(ADVERT), "{path}");
    }
    for mail in rig.mails() {
        assert!(!mail.subject().contains(ADVERT) && !mail.text().contains(ADVERT) && !mail.html().contains(ADVERT));
    }
    let known = rig.post("/subscribe", "email=c%40b.vn&frequency=daily&category=tin-tuc").await;
    assert_eq!(known.status, StatusCode::OK);
    assert!(rig.catcher.mails_to("c@b.vn").remove(0).text().contains("Chuyên mục: Tin tức."), "what is offered");
}

#[tokio::test]
async fn whoever_typed_into_our_own_form_finds_it_again() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    for (site, is_shown) in [("same-origin", true), ("cross-site", false), ("none", false)] {
        for form in [FORM, "email=nguoi-dan%40example.vn&frequency=hourly"] {
            let request = Request::post("/subscribe").header("sec-fetch-site", site).body(Body::from(form));
            let answer = rig.send(request.unwrap()).await;
            assert_eq!(answer.body.contains("nguoi-dan@example.vn"), is_shown, "{site} {form}");
        }
    }
}

#[tokio::test]
async fn a_robot_with_a_list_does_not_make_us_its_sender() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let mut withheld = 0;
    for n in 0..70 {
        let answer = rig.post("/subscribe", &format!("email=nguoi-{n}%40example.vn&frequency=daily")).await;
        withheld += usize::from(answer.status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!((rig.mails().len(), withheld), (60, 10), "clients whose address nobody knows share half of a minute's");
    rig.wind(60);
    assert_eq!(rig.post("/subscribe", "email=x%40example.vn&frequency=daily").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mailbox_is_found_among_neighbours() {
    let rig = Rig::new().await;
    for n in 0..150 {
        rig.add(&format!("a@b.va{n:03}"), Frequency::Daily).await;
    }
    rig.add("A@b.vn", Frequency::Daily).await;
    let find = async |text: &str| {
        let email = loa_domain::EmailAddress::parse(text).unwrap();
        rig.ledger.subscriber(&email).await.unwrap().map(|found| found.email.to_string())
    };
    assert_eq!(find("a@b.VN").await.as_deref(), Some("A@b.vn"));
    assert_eq!(find("a@b.vm").await, None);
    assert_eq!(find("z@z.zz").await, None);
}

#[tokio::test]
async fn a_form_with_a_mistake_comes_back_with_what_was_typed_and_a_sentence() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    for (form, says) in [
        ("email=%3Cscript%3E&frequency=daily", "Địa chỉ email chưa đúng"),
        ("email=a%40b.vn&frequency=hourly", "Xin chọn tần suất"),
        ("email=a%40b.vn&frequency=daily&area=ha-noi", "địa bàn không còn trong danh mục"),
        ("email=a%40b.vn&frequency=daily&category=%20", "chuyên mục không đúng"),
        ("", "Địa chỉ email chưa đúng"),
    ] {
        let answer = rig.post("/subscribe", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.body.contains(says), "{form}");
        assert!(!answer.body.contains("<script>"));
    }
    assert!(rig.mails().is_empty());
    assert!(rig.ledger.subscribers("", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn when_the_mail_server_is_away_the_form_says_so_and_a_second_try_works() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    rig.catcher.misbehave(Fault::at(Stage::Greeting).times(1).reply("421 4.3.2 busy"));
    let answer = rig.post("/subscribe", FORM).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("Chưa gửi được thư xác nhận"));
    assert_eq!(answer.headers["retry-after"], "30");
    assert_eq!(rig.post("/subscribe", FORM).await.status, StatusCode::OK);
    assert_eq!(rig.mails().len(), 1);
}

#[tokio::test]
async fn the_form_offers_the_areas_now_in_force_and_the_categories_there_are() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    rig.publish("bai-1", 1).await;
    let page = rig.get("/subscribe").await.body;
    assert!(page.contains("value=\"na-son-03203-2025\"> <span>Xã Na Son</span></label>"), "{page}");
    assert!(!page.contains("na-son-03205-2004"), "a commune that is no more is not offered");
    assert!(page.contains("value=\"tin-tuc\"> <span>Tin tức</span></label>"));
    assert!(page.contains("<html lang=\"vi\">") && page.contains("name=\"viewport\"") && !page.contains("<script"));
    // every field has a label
    assert_eq!(page.matches("<input").count(), page.matches("<label").count());
}

#[tokio::test]
async fn the_owner_of_a_mailbox_changes_what_it_gets() {
    let rig = Rig::new().await;
    rig.set("2026-01-05T06:00:00+07:00");
    let subscription = rig.add("a@example.vn", Frequency::Weekly).await;
    rig.publish("bai-1", 1).await;
    let by_digest = format!("/manage/{}", subscription.token);
    assert!(rig.get(&by_digest).await.body.contains("Gửi đường dẫn"));
    assert!(rig.post(&by_digest, "do=send").await.body.contains("Xin kiểm tra hộp thư"));
    let path = rig.link("a@example.vn", "manage");
    assert!(rig.get(&path).await.body.contains("hằng tuần"));
    let saved = rig.post(&path, "do=change&area=xa-dung-03208-2025&category=tin-tuc").await.body;
    assert!(saved.contains("Đã lưu") && saved.contains("value=\"xa-dung-03208-2025\" checked"), "{saved}");
    let kept = only_subscription(&rig).await;
    assert_eq!(kept.wish.key(), "areas=xa-dung-03208-2025;categories=tin-tuc");
    assert_eq!((kept.id, kept.token), (subscription.id, subscription.token));
}

#[tokio::test]
async fn no_page_tells_others_where_it_was_called_from_or_is_kept_by_a_cache_but_the_empty_form() {
    let rig = Rig::new().await;
    let subscription = rig.add("a@example.vn", Frequency::Daily).await;
    for path in ["/subscribe".to_owned(), format!("/u/{}", subscription.token), "/confirm/x".to_owned()] {
        let headers = rig.get(&path).await.headers;
        let kept = if path == "/subscribe" { "public, max-age=60" } else { "no-store" };
        assert_eq!(headers[header::CACHE_CONTROL], kept, "{path}");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
    }
}
