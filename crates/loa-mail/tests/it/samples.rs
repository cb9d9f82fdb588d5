//! The seed page's article, a document and a withdrawn notice; a letterhead and a mailbox. Nothing random.

use jiff::{Timestamp, civil::date};
use loa_area::{AreaFile, Directory};
use loa_domain::{
    AreaId, Article, ArticleId, Attachment, Category, CategorySlug, Content, Document, EmailAddress, Frequency,
    ItemKind, RunKey, SubscriptionId, Wish,
};
use loa_mail::{Digest, Letterhead, MailItem, Recipient, Settings, Token, WishWords};

pub fn directory() -> Directory {
    Directory::load(&[
        AreaFile {
            label: "before",
            text: include_str!("../../../../config/areas/dien-bien-dong-before-2025-07-01.csv"),
        },
        AreaFile { label: "from", text: include_str!("../../../../config/areas/dien-bien-dong-from-2025-07-01.csv") },
    ])
    .unwrap()
}

pub fn settings() -> Settings {
    Settings {
        list_name: "Bản tin huyện Điện Biên Đông".into(),
        list_id: "ban-tin.tin.dienbiendong.example".into(),
        from: EmailAddress::parse("ban-tin@tin.dienbiendong.example").unwrap(),
        bounces: EmailAddress::parse("bounce@tin.dienbiendong.example").unwrap(),
        unsubscribe: Some(EmailAddress::parse("huy-dang-ky@tin.dienbiendong.example").unwrap()),
        public_url: "https://tin.dienbiendong.example/".parse().unwrap(),
        zone: jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
    }
}

pub fn letterhead() -> Letterhead {
    Letterhead::new(settings()).unwrap()
}

pub fn recipient() -> Recipient {
    Recipient {
        email: EmailAddress::parse("van-phong@nason.dienbien.example").unwrap(),
        subscription: SubscriptionId::new("0b6f3c1e9d2a47f58e1c3b5a7d9f0e24").unwrap(),
        token: Token::from_bytes([0x5a; 16]),
    }
}

pub fn at() -> Timestamp {
    "2023-11-17T00:00:05Z".parse().unwrap()
}

pub fn run() -> RunKey {
    RunKey { frequency: Frequency::Daily, on: date(2023, 11, 17), slot: String::new(), zone: "Asia/Ho_Chi_Minh".into() }
}

pub fn article(id: &str, title: &str) -> Article {
    Article {
        id: ArticleId::new(id).unwrap(),
        revision: 1,
        url: format!("https://dienbiendong.example/tin/{id}").parse().unwrap(),
        title: title.into(),
        summary: String::new(),
        content_html: "<p>…</p>".into(),
        language: "vi".into(),
        category: Category { slug: CategorySlug::new("tin-tuc").unwrap(), label: "Tin tức".into() },
        areas: Vec::new(),
        source_name: "Nguyễn Thịnh-huyện Điện Biên Đông".into(),
        images: Vec::new(),
        attachments: Vec::new(),
        published_at: "2023-11-16T08:02:22+07:00".parse().unwrap(),
        modified_at: "2023-11-16T08:02:22+07:00".parse().unwrap(),
    }
}

pub fn seed() -> Article {
    let directory = directory();
    let areas = directory.find("Na Son, Tìa Dình, Phì Nhừ và Luân Giói", date(2023, 11, 16));
    assert_eq!(areas.len(), 4);
    Article {
        summary: "Tại huyện Điện Biên Đông, chương trình \"Mỗi xã một sản phẩm\" đang được cấp ủy, chính quyền các \
                  cấp trên địa bàn tích cực triển khai với mục tiêu góp phần lan tỏa thương hiệu địa phương, tạo việc \
                  làm, nâng cao thu nhập cho người dân. Đến nay, huyện đã có 04 sản phẩm được công nhận đạt chuẩn \
                  OCOP cấp tỉnh từ 3 sao trở lên."
            .into(),
        areas,
        attachments: vec![Attachment {
            url: "https://dienbiendong.example/tep/danh-muc-ocop.pdf".parse().unwrap(),
            media_type: "application/pdf".into(),
            bytes: 1_254_000,
            title: "Danh mục sản phẩm OCOP năm 2023".into(),
        }],
        ..article("4-san-pham-ocop", "Điện Biên Đông: 4 sản phẩm được chứng nhận OCOP")
    }
}

pub fn document() -> Document {
    Document {
        id: ArticleId::new("1184-kl-ubnd").unwrap(),
        revision: 1,
        number: "1184/KL-UBND".into(),
        kind: "Kết luận Thanh tra".into(),
        issuer: "UBND huyện Điện Biên Đông".into(),
        issued_on: Some(date(2023, 11, 14)),
        title: "Công tác quản lý, ngân sách xã đối với UBND xã Mường Luân, Chiềng Sơ".into(),
        url: "https://dienbiendong.example/van-ban/1184-kl-ubnd".parse().unwrap(),
        areas: vec![AreaId::new("chieng-so-03211-2004").unwrap()],
        attachments: Vec::new(),
        published_at: "2023-11-15T09:00:00+07:00".parse().unwrap(),
    }
}

pub fn news(content: Content) -> MailItem {
    MailItem { kind: ItemKind::News, content, reason: String::new(), portal: String::new() }
}

/// Two news, an update, a correction.
pub fn digest() -> Digest {
    let updated = Article {
        revision: 2,
        summary: "Phiên họp dời sang 14 giờ cùng ngày.".into(),
        published_at: "2023-11-14T10:00:00+07:00".parse().unwrap(),
        modified_at: "2023-11-16T15:30:00+07:00".parse().unwrap(),
        ..article("hop-thuong-ky", "Thông báo phiên họp thường kỳ tháng 11")
    };
    let withdrawn = article("thu-phi", "Thông báo việc thu phí dịch vụ Mobile Banking");
    let wish = Wish {
        areas: ["na-son-03203-2025", "xa-dung-03208-2025"].map(|id| AreaId::new(id).unwrap()).into(),
        ..Wish::default()
    };
    Digest {
        run: run(),
        wish: WishWords::of(&wish, &directory(), |_| None),
        items: vec![
            news(Content::Article(seed())),
            news(Content::Document(document())),
            MailItem {
                kind: ItemKind::Update,
                content: Content::Article(updated),
                reason: String::new(),
                portal: String::new(),
            },
            MailItem {
                kind: ItemKind::Correction,
                content: Content::Article(withdrawn),
                reason: "đăng nhầm chuyên mục".into(),
                portal: String::new(),
            },
        ],
    }
}
