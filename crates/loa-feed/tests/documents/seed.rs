//! The seed page's article and one of its documents, and a site to publish them on.

use jiff::civil::date;
use loa_domain::{AreaId, Article, ArticleId, Attachment, Category, CategorySlug, Content, Document, FeedName, Image};
use loa_feed::{AreaLabel, Entry, Feed, FeedHead, Site, TagAuthority, Tombstone, Window};

pub fn site() -> Site {
    Site {
        tag: TagAuthority::new("loa.dienbiendong.gov.vn", date(2026, 1, 1)).unwrap(),
        base: "https://loa.dienbiendong.gov.vn/".parse().unwrap(),
        title: "Cổng thông tin huyện Điện Biên Đông".into(),
        publisher: "Ủy ban nhân dân huyện Điện Biên Đông".into(),
        language: "vi".into(),
        ttl_minutes: 15,
        hub: None,
        calendar: loa_domain::Calendar::new(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap()),
    }
}

pub fn article() -> Article {
    let posted = "2023-11-16T08:02:22+07:00".parse().unwrap();
    Article {
        id: ArticleId::new("4-san-pham-ocop").unwrap(),
        revision: 1,
        url: "https://dienbiendong.gov.vn/tin/4-san-pham-ocop".parse().unwrap(),
        title: "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP".into(),
        summary:
            "Tại huyện Điện Biên Đông, chương trình \"Mỗi xã một sản phẩm\" đang được cấp ủy, chính quyền các cấp \
                  tích cực triển khai. Đến nay, huyện đã có 04 sản phẩm đạt chuẩn OCOP cấp tỉnh từ 3 sao trở lên."
                .into(),
        content_html:
            "<p>4 sản phẩm gồm: lạc đỏ Na Son, bí xanh Tìa Dình, khoai sọ Phì Nhừ và thịt lợn khô. Hợp tác xã là \
                       “mắt xích” quan trọng &amp; bền vững.</p><p>Nếp tan Luân Giói./.</p>"
                .into(),
        language: "vi".into(),
        category: Category { slug: CategorySlug::new("kinh-te").unwrap(), label: "Kinh tế".into() },
        areas: vec![AreaId::new("na-son-2023").unwrap(), AreaId::new("tia-dinh-2023").unwrap()],
        source_name: "Nguyễn Thịnh-huyện Điện Biên Đông".into(),
        images: vec![Image {
            url: "https://dienbiendong.gov.vn/anh/occop.jpg?a=1&b=2".parse().unwrap(),
            media_type: String::new(),
            bytes: 0,
            alt: "Sản phẩm OCOP".into(),
        }],
        attachments: Vec::new(),
        published_at: posted,
        modified_at: posted,
    }
}

pub fn document() -> Document {
    let file = |name: &str, media_type: &str, bytes| Attachment {
        url: format!("https://dienbiendong.gov.vn/vb/{name}").parse().unwrap(),
        media_type: media_type.into(),
        bytes,
        title: String::new(),
    };
    Document {
        id: ArticleId::new("1184/KL-UBND").unwrap(),
        revision: 1,
        number: "1184/KL-UBND".into(),
        kind: "Kết luận Thanh tra".into(),
        issuer: String::new(),
        issued_on: Some(date(2023, 11, 8)),
        title: "Công tác quản lý, ngân sách xã đối với UBND xã Mường Luân, Chiềng Sơ".into(),
        url: "https://dienbiendong.gov.vn/vb/1184".parse().unwrap(),
        areas: vec![AreaId::new("muong-luan-2023").unwrap()],
        attachments: vec![file("1184.pdf", "application/pdf", 1_380_000), file("phu-luc.docx", "", 0)],
        published_at: "2023-11-15T17:00:00Z".parse().unwrap(),
    }
}

pub fn entry(content: Content) -> Entry {
    let areas = content.areas().iter().map(|id| AreaLabel { id: id.clone(), name: format!("Xã {id}") }).collect();
    Entry { article: content.id().into(), content, areas, portal: None }
}

pub fn entries() -> Vec<Entry> {
    vec![entry(Content::Document(document())), entry(Content::Article(article()))]
}

pub fn stone(id: &str, at: &str) -> Tombstone {
    Tombstone { article: id.parse().unwrap(), at: at.parse().unwrap(), reason: "Đăng nhầm".into(), tag: None }
}

pub fn head() -> FeedHead {
    FeedHead {
        name: FeedName::All, title: "Tất cả tin".into(), description: "Mọi tin bài và văn bản.".into()
    }
}

pub fn feed(entries: &[Entry], stones: &[Tombstone]) -> Feed {
    Feed::assemble(&site(), head(), entries, stones, Window::default())
}
