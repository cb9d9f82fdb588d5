//! The real page through the pipeline, twice.

use crate::House;
use jiff::{civil::date, tz::TimeZone};
use loa_bus::Queue;
use loa_domain::{Assumption, Calendar, Content};
use loa_svc_intake::{ImportOptions, ImportReport, Imported};

const SEED: &str = include_str!("seed.txt");

fn zone() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone")
}

fn page(text: &str) -> loa_portal::PortalPage {
    loa_portal::read(text.as_bytes(), None, &zone()).expect("a page")
}

async fn import(house: &House, page: loa_portal::PortalPage) -> ImportReport {
    house.service.import_page(page, ImportOptions::default()).await.expect("imported")
}

fn article(report: &ImportReport) -> &Imported {
    report.article.as_ref().expect("an article's page")
}

fn taken(imported: &Imported) -> (u64, bool) {
    let receipt = imported.outcome.as_ref().unwrap_or_else(|refusal| panic!("{refusal}"));
    (receipt.revision, receipt.unchanged)
}

#[tokio::test]
async fn the_seed_page_goes_in_as_one_article_and_three_documents_and_once_only() {
    let house = House::new().await;
    let report = import(&house, page(SEED)).await;
    assert_eq!(taken(article(&report)), (1, false));
    assert_eq!(article(&report).title, "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP");
    assert_eq!(report.documents.iter().map(taken).collect::<Vec<_>>(), [(1, false); 3]);
    assert_eq!(report.other_items.len(), 10);
    house.relay().await;
    let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
    assert_eq!(events.len(), 4);
    let Some(Content::Article(published)) = events[0].content() else { panic!("{:?}", events[0]) };
    assert_eq!(published.published_at.to_string(), "2023-11-16T01:02:22Z");
    assert_eq!(published.source_name, "Nguyễn Thịnh-huyện Điện Biên Đông");
    let names: Vec<_> =
        published.areas.iter().map(|id| house.directory.get(id).expect("known").name.as_str()).collect();
    assert_eq!(
        {
            let mut names = names;
            names.sort_unstable();
            names
        },
        ["Luân Giói", "Na Son", "Phì Nhừ", "Tìa Dình"]
    );
    assert!(published.images.is_empty(), "a file's name is no address: {:?}", published.images);
    assert!(
        report.assumed.contains(&Assumption::PictureWithoutAddress { name: "occop.jpg".into() }),
        "{:?}",
        report.assumed
    );
    let Some(Content::Document(document)) = events[2].content() else { panic!("{:?}", events[2]) };
    assert_eq!(document.number, "47UBND -UBND-TTr");

    house.clock.advance(std::time::Duration::from_secs(86_400));
    let again = import(&house, page(SEED)).await;
    assert_eq!(taken(article(&again)), (1, true));
    assert_eq!(again.documents.iter().map(taken).collect::<Vec<_>>(), [(1, true); 3]);
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn papers_of_a_page_are_of_the_beginning_of_their_day_in_the_portals_zone() {
    for (zone, hour) in [("Asia/Ho_Chi_Minh", 17), ("America/New_York", 5)] {
        let days = Calendar::new(TimeZone::get(zone).expect("a zone"));
        let house = House::with_days(days.clone()).await;
        let mut dated = page(SEED);
        dated.documents.iter_mut().for_each(|paper| paper.issued_on = Some(date(2023, 11, 16)));
        import(&house, dated).await;
        house.relay().await;
        let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
        let papers: Vec<_> = events
            .iter()
            .filter_map(|event| match event.content() {
                Some(Content::Document(paper)) => Some(paper.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(papers.len(), 3);
        for paper in papers {
            assert_eq!(paper.published_at, days.day_begins(date(2023, 11, 16)), "{zone}");
            assert_eq!(paper.published_at.to_zoned_datetime(TimeZone::UTC).hour(), hour, "{zone}, in winter");
        }
    }
}

#[tokio::test]
async fn a_paper_listed_beside_two_articles_is_one_paper_and_does_not_change() {
    let house = House::new().await;
    import(&house, page(SEED)).await;
    let other = SEED.replace("4 sản phẩm", "5 sản phẩm").replace("16/11/2023 08", "18/11/2023 09");
    let report = import(&house, page(&other)).await;
    assert_eq!(taken(article(&report)), (1, false));
    assert_eq!(report.documents.iter().map(taken).collect::<Vec<_>>(), [(1, true); 3]);
}

#[tokio::test]
async fn an_article_with_a_placeholder_date_keeps_the_time_of_its_first_import() {
    let house = House::new().await;
    let undated = SEED.replace("16/11/2023 08:02:22 AM", "01/01/1900");
    let report = import(&house, page(&undated)).await;
    assert_eq!(taken(article(&report)), (1, false));
    assert!(report.assumed.iter().any(|one| matches!(one, Assumption::TimeOfImport { .. })), "{:?}", report.assumed);
    house.clock.advance(std::time::Duration::from_secs(86_400));
    let again = import(&house, page(&undated)).await;
    assert_eq!(taken(article(&again)), (1, true));
}

const ADDRESS: &str = "https://dienbiendong.dienbien.gov.vn/tin/ocop-2026";

/// A page as HTML, with its address or without.
fn html(address: Option<&str>, title: &str, time: &str, body: &str) -> loa_portal::PortalPage {
    let link = address.map_or_else(String::new, |address| format!("<link rel=canonical href=\"{address}\">"));
    page(&format!(
        "<html><head>{link}</head><body><h1>{title}</h1><p>Thời gian đăng: {time}</p><p>{body}</p></body></html>"
    ))
}

#[tokio::test]
async fn a_page_with_an_address_is_one_article_though_title_and_time_are_mended() {
    let house = House::new().await;
    let mut ids = std::collections::BTreeSet::new();
    for (revision, (title, time)) in [
        ("Bốn sản phẩm được chưng nhận OCOP", "20/11/2023 08:02"),
        ("Bốn sản phẩm được chứng nhận OCOP", "20/11/2023 08:02"),
        ("Bốn sản phẩm được chứng nhận OCOP", "20/11/2023 08:20"),
    ]
    .into_iter()
    .enumerate()
    {
        let report = import(&house, html(Some(ADDRESS), title, time, "Xã Na Son có bốn sản phẩm.")).await;
        assert_eq!(taken(article(&report)), (revision as u64 + 1, false));
        ids.insert(article(&report).id.clone());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    let other = import(&house, html(Some(&format!("{ADDRESS}-2")), "Thông báo", "20/11/2023", "Mất điện.")).await;
    assert!(!ids.contains(&article(&other).id));
}

#[tokio::test]
async fn a_page_takes_no_other_articles_place_by_saying_that_it_stands_there() {
    let house = House::new().await;
    const LIST: &str = "https://dienbiendong.example/tin-tuc";
    let first = import(&house, html(Some(LIST), "Họp dân", "19/11/2023 08:02", "Xã Na Son họp dân.")).await;
    assert_eq!(taken(article(&first)), (1, false));
    let other = || html(Some(LIST), "Mất điện", "18/11/2023 09:00", "Mất điện tại bản Một.");
    let refused = article(&import(&house, other()).await).outcome.clone().expect_err("another article").to_string();
    assert!(refused.contains("--same") && refused.contains("canonical"), "{refused}");
    // whoever says where the page stands, or that it is the same, is believed
    let told = house
        .service
        .import_page(other(), ImportOptions { is_same: true, ..ImportOptions::default() })
        .await
        .expect("imported");
    assert_eq!((taken(article(&told)), &article(&told).id), ((2, false), &article(&first).id));
    let text = "<h1>Nghỉ lễ</h1><p>17/11/2023 09:00</p><p>Ủy ban nghỉ lễ.</p>";
    let address = LIST.parse().expect("a URL");
    let given = loa_portal::read(text.as_bytes(), Some(&address), &zone()).expect("a page");
    assert_eq!(taken(article(&import(&house, given).await)), (3, false));
}

#[tokio::test]
async fn a_page_whose_time_of_posting_has_not_come_is_refused_and_its_papers_are_taken() {
    let house = House::new().await;
    let early = import(&house, page(&SEED.replace("16/11/2023 08:02:22 AM", "12/11/2024 08:02:22 AM"))).await;
    let refused = article(&early).outcome.as_ref().expect_err("it has not come").to_string();
    assert!(refused.contains("2024-11-12") && refused.contains("has not come yet"), "{refused}");
    assert_eq!(early.documents.iter().map(taken).collect::<Vec<_>>(), [(1, false); 3]);
    // a clock that is a little ahead, or in another zone
    let ahead = html(None, "Họp dân", "20/11/2023 18:00", "Xã Na Son họp dân.");
    assert_eq!(taken(article(&import(&house, ahead).await)), (1, false));
}

#[tokio::test]
async fn two_pages_of_one_title_and_day_are_two_articles_or_the_second_is_refused() {
    let house = House::new().await;
    let notice = |address: Option<&str>, body: &str| html(address, "Thông báo", "20/11/2023", body);
    let first = import(&house, notice(None, "Mất điện tại bản Một.")).await;
    assert_eq!(taken(article(&first)), (1, false));
    assert_eq!(taken(article(&import(&house, notice(None, "Mất điện tại bản Một.")).await)), (1, true));

    let second = import(&house, notice(None, "Mất nước tại bản Hai.")).await;
    let refusal = article(&second).outcome.as_ref().expect_err("another text").to_string();
    assert!(refusal.contains("--same") && refusal.contains("--address"), "{refusal}");

    let addressed = import(&house, notice(Some("https://dienbiendong.example/tb/2"), "Mất nước tại bản Hai.")).await;
    assert_eq!(taken(article(&addressed)), (1, false));
    assert_ne!(article(&addressed).id, article(&first).id);

    let options = ImportOptions { is_same: true, portal: None };
    let told =
        house.service.import_page(notice(None, "Mất điện tại bản Một và bản Hai."), options).await.expect("imported");
    assert_eq!((taken(article(&told)), &article(&told).id), ((2, false), &article(&first).id));
}

#[tokio::test]
async fn an_article_published_by_its_title_keeps_its_id_when_its_address_becomes_known() {
    let house = House::new().await;
    let body = "Xã Na Son họp dân.";
    let first = import(&house, html(None, "Họp dân", "20/11/2023 08:02", body)).await;
    let known = import(&house, html(Some(ADDRESS), "Họp dân", "20/11/2023 08:02", body)).await;
    assert_eq!(article(&known).id, article(&first).id);
    assert_eq!(taken(article(&known)), (2, false), "it has its address now");
    let unsaid = import(&house, html(None, "Họp dân", "20/11/2023 08:02", body)).await;
    assert_eq!(taken(article(&unsaid)), (2, true), "the address that is known stays");
}

#[tokio::test]
async fn a_document_whose_date_nobody_says_is_given_none() {
    let house = House::new().await;
    let report = import(&house, page(SEED)).await;
    assert_eq!(report.documents.len(), 3);
    house.relay().await;
    let messages = house.drain(Queue::Feed).await;
    for message in &messages[1..] {
        let event: serde_json::Value = serde_json::from_slice(&message.body).expect("JSON");
        assert_eq!(event.pointer("/data/published_at"), None, "{event}");
        assert!(event.pointer("/time").is_some(), "the event's own time stands in");
    }
}
