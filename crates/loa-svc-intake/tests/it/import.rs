//! The real page through the pipeline, twice.

use crate::House;
use loa_bus::Queue;
use loa_domain::Content;
use loa_svc_intake::Imported;

const SEED: &str = include_str!("seed.txt");

fn page(text: &str) -> loa_portal::PortalPage {
    loa_portal::read(text.as_bytes(), None).expect("a page")
}

fn taken(imported: &Imported) -> (u64, bool) {
    let receipt = imported.outcome.as_ref().unwrap_or_else(|refusal| panic!("{refusal}"));
    (receipt.revision, receipt.unchanged)
}

#[tokio::test]
async fn the_seed_page_goes_in_as_one_article_and_three_documents_and_once_only() {
    let house = House::new().await;
    let report = house.service.import_page(page(SEED), None).await.expect("imported");
    assert_eq!(taken(&report.article), (1, false));
    assert_eq!(report.article.title, "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP");
    assert_eq!(report.documents.iter().map(taken).collect::<Vec<_>>(), [(1, false); 3]);
    assert_eq!(report.other_items.len(), 10);
    house.relay().await;
    let events: Vec<_> = house.drain(Queue::Feed).await.iter().map(|message| house.decode(message)).collect();
    assert_eq!(events.len(), 4);
    let Some(Content::Article(article)) = events[0].content() else { panic!("{:?}", events[0]) };
    assert_eq!(article.published_at.to_string(), "2023-11-16T01:02:22Z");
    assert_eq!(article.source_name, "Nguyễn Thịnh-huyện Điện Biên Đông");
    let names: Vec<_> = article.areas.iter().map(|id| house.directory.get(id).expect("known").name.as_str()).collect();
    assert_eq!(
        {
            let mut names = names;
            names.sort_unstable();
            names
        },
        ["Luân Giói", "Na Son", "Phì Nhừ", "Tìa Dình"]
    );
    assert!(article.images[0].url.path().ends_with("/occop.jpg"), "{:?}", article.images);
    let Some(Content::Document(document)) = events[2].content() else { panic!("{:?}", events[2]) };
    assert_eq!(document.number, "47UBND -UBND-TTr");

    house.clock.advance(std::time::Duration::from_secs(86_400));
    let again = house.service.import_page(page(SEED), None).await.expect("imported");
    assert_eq!(taken(&again.article), (1, true));
    assert_eq!(again.documents.iter().map(taken).collect::<Vec<_>>(), [(1, true); 3]);
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn a_paper_listed_beside_two_articles_is_one_paper_and_does_not_change() {
    let house = House::new().await;
    house.service.import_page(page(SEED), None).await.expect("imported");
    let other = SEED.replace("4 sản phẩm", "5 sản phẩm").replace("16/11/2023 08", "18/11/2023 09");
    let report = house.service.import_page(page(&other), None).await.expect("imported");
    assert_eq!(taken(&report.article), (1, false));
    assert_eq!(report.documents.iter().map(taken).collect::<Vec<_>>(), [(1, true); 3]);
}

#[tokio::test]
async fn an_article_with_a_placeholder_date_keeps_the_time_of_its_first_import() {
    let house = House::new().await;
    let undated = SEED.replace("16/11/2023 08:02:22 AM", "01/01/1900");
    let report = house.service.import_page(page(&undated), None).await.expect("imported");
    assert_eq!(taken(&report.article), (1, false));
    assert!(report.assumed.iter().any(|sentence| sentence.contains("time of this import")), "{:?}", report.assumed);
    house.clock.advance(std::time::Duration::from_secs(86_400));
    let again = house.service.import_page(page(&undated), None).await.expect("imported");
    assert_eq!(taken(&again.article), (1, true));
}
