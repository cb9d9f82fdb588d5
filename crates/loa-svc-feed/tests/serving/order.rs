//! Promise 2 of README.md at the readers' side: whatever the order, the batches and the repeats, the same bytes under the same tags.

use crate::house::{FORMATS, House};
use loa_domain::{
    AreaId, Article, ArticleId, Category, CategorySlug, Change, Content, Document, Event, EventKey, EventType,
};
use loa_testkit::build::{article, published, withdrawn};

/// How many ways the same events arrive in.
const WAYS: usize = 24;

/// A sequence without chance: the same shuffles on every machine.
struct Shuffler(u64);

impl Shuffler {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap()
    }

    fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
        items
    }
}

fn live(article: Article, event_id: &str) -> Event {
    let event = published(article);
    Event { key: EventKey { id: event_id.to_owned(), ..event.key.clone() }, ..event }
}

/// A withdrawal under an id of its own: the builders number by revision, and one id is one event.
fn gone(id: &str, revision: u64) -> Event {
    let event = withdrawn(id, revision);
    Event { key: EventKey { id: format!("{}-gone", event.key.id), ..event.key.clone() }, ..event }
}

fn categorised(article: Article, slug: &str, label: &str) -> Article {
    Article { category: Category { slug: CategorySlug::new(slug).unwrap(), label: label.into() }, ..article }
}

pub fn document(id: &str, revision: u64) -> Event {
    let base = published(article(id, revision));
    let content = Content::Document(Document {
        id: ArticleId::new(id).unwrap(),
        revision,
        number: format!("{revision}/KL-UBND"),
        kind: "Kết luận".into(),
        issuer: "UBND".into(),
        issued_on: None,
        title: format!("Văn bản, bản {revision}"),
        url: "https://dienbiendong.example/vb".parse().unwrap(),
        areas: vec![AreaId::new("pu-nhi").unwrap()],
        attachments: Vec::new(),
        published_at: "2023-11-16T01:02:22Z".parse().unwrap(),
    });
    Event { event_type: EventType::DocumentIssued, change: Change::Live(Box::new(content)), ..base }
}

/// Everything that ever made an order matter: edits that move and rename, ties in time, equal revisions of careless
/// producers, two producers who number their events alike, withdrawals before, after and at the revision they withdraw.
fn events() -> Vec<Event> {
    let area = |id: &str| vec![AreaId::new(id).unwrap()];
    let elsewhere =
        |event: Event| Event { key: EventKey { source: "https://tinh.example/".into(), ..event.key.clone() }, ..event };
    let mut second = gone("c", 2);
    second.key.id = "c-2-again".into();
    if let Change::Withdrawn(withdrawal) = &mut second.change {
        withdrawal.reason = "Lý do khác".into();
    }
    vec![
        published(article("a", 1)),
        published(Article { areas: area("pu-nhi"), ..article("a", 2) }),
        published(categorised(article("a", 3), "kinh-te", "Kinh tế")),
        published(article("b", 1)),
        live(Article { title: "Bản tin b, viết lại".into(), ..article("b", 1) }, "b-1-other"),
        elsewhere(live(Article { title: "Bản tin b, của tỉnh".into(), ..article("b", 1) }, "b-1-other")),
        published(article("c", 1)),
        published(article("c", 2)),
        gone("c", 2),
        second,
        published(article("d", 1)),
        gone("d", 2),
        published(categorised(article("d", 3), "tin-tuc", "Tin tức – sự kiện")),
        gone("e", 5),
        published(article("e", 4)),
        published(categorised(article("f", 1), "tin-tuc", "TIN TỨC")),
        published(categorised(article("g", 1), "kinh-te", "Kinh tế – xã hội")),
        gone("g", 1),
        document("v", 1),
        document("v", 2),
        gone("w", 1),
    ]
}

/// All that a reader can get, with its tag.
async fn read(house: &House) -> Vec<(String, String, String)> {
    let mut paths = vec!["/feeds".to_owned(), "/feeds.opml".to_owned()];
    for feed in
        ["all", "documents", "category-tin-tuc", "category-kinh-te", "area-na-son", "area-na-son-moi", "area-pu-nhi"]
    {
        paths.push(format!("/feeds/{feed}"));
        paths.extend(FORMATS.iter().map(|format| format!("/feeds/{feed}.{format}")));
    }
    paths.extend(["a", "b", "c", "d", "e", "f", "g", "v", "w"].iter().map(|id| format!("/a/{id}")));
    let mut documents = Vec::new();
    for path in paths {
        let answer = house.get(&path).await;
        documents.push((path, format!("{} {}", answer.status, answer.header("etag")), answer.text()));
    }
    documents
}

#[tokio::test]
async fn any_order_of_the_same_events_gives_the_same_bytes() {
    let (events, mut shuffler) = (events(), Shuffler(1));
    let mut first: Option<Vec<(String, String, String)>> = None;
    for way in 0..WAYS {
        let house = House::new().await;
        let mut arriving = if way == 0 { events.clone() } else { shuffler.shuffled(&events) };
        for _ in 0..shuffler.below(10) {
            arriving.push(events[shuffler.below(events.len())].clone());
        }
        // some readers are there from the beginning: feeds are cached, and written anew with each batch
        let watched = way % 2 == 0;
        if watched {
            read(&house).await;
        }
        let mut rest = &arriving[..];
        while !rest.is_empty() {
            let (batch, after) = rest.split_at((1 + shuffler.below(5)).min(rest.len()));
            house.service.accept(batch).await.unwrap();
            if watched {
                house.step().await.unwrap();
            }
            rest = after;
        }
        house.step().await.unwrap();
        let documents = read(&house).await;
        let expected = first.get_or_insert_with(|| documents.clone());
        let order: Vec<String> =
            arriving.iter().map(|event| format!("{} {}", event.key.source, event.key.id)).collect();
        for (document, expected) in documents.iter().zip(expected.iter()) {
            assert_eq!(document, expected, "way {way}: {order:#?}");
        }
    }
}
