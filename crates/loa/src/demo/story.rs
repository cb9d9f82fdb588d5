//! The demo's story: an editor publishes two articles, corrects one and withdraws the other.
//!
//! After each step it waits until every outlet has done its part, and prints what that was. It
//! publishes by HTTP and by the intake service, and reads feeds, mails and webhooks from outside.

use super::portal::ProvincialPortal;
use crate::{cmd, output::tell, wire::App};
use anyhow::{Context, ensure};
use loa_domain::{ArticleKey, EmailAddress, Frequency, Wish};
use loa_testkit::smtp::Catcher;
use loa_words::Language;
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// The page as the portal of Điện Biên Đông showed it.
const SEED: &str = include_str!("../../../loa-portal/fixtures/seed.txt");
/// The id that the importer gives its article.
pub const SEED_ID: &str = "dien-bien-dong-4-san-pham-duoc-chung-nhan-ocop-20231116-080222";
/// The second article: one that the seed page names.
const SECOND_ID: &str = "kham-benh-nhan-dao-20240122";
/// What the correction corrects.
const BEFORE: &str = "21 hộ dân";
/// What it reads afterwards.
const AFTER: &str = "23 hộ dân";
/// The longest wait for an outlet; usually it is a fraction of a second.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// What the story is told with.
pub struct Story {
    /// The services.
    pub app: Arc<App>,
    /// Caught mails.
    pub mailbox: Arc<Catcher>,
    /// The portal.
    pub portal: Arc<ProvincialPortal>,
    /// Where we are reached.
    pub base: String,
    /// The CMS's token.
    pub editor: String,
    /// An operator's token.
    pub operator: String,
}

impl Story {
    /// Tells it, from publishing to "look here".
    pub async fn tell(&self) -> anyhow::Result<()> {
        tell!("Loa demo: a real page of the portal of Điện Biên Đông, through the whole pipeline.\n");
        self.subscribe().await?;

        let before = self.mails();
        tell!("1. The editor publishes: the seed page is imported");
        self.import(SEED).await?;
        self.publish_second().await?;
        self.outlets(Expect { feed: "4 sản phẩm được chứng nhận OCOP", webhooks: 5 }).await?;
        self.digest("the morning's digests", before).await?;

        let before = self.mails();
        tell!("\n2. The editor corrects the article: \"{BEFORE}\" becomes \"{AFTER}\"");
        self.import(&SEED.replace(BEFORE, AFTER)).await?;
        self.outlets(Expect { feed: AFTER, webhooks: 6 }).await?;
        self.digest("the next digests: what was sent before is marked as an update", before).await?;

        let before = self.mails();
        tell!("\n3. The editor withdraws the second article");
        let receipt = self.app.intake_service().await?.withdraw(SECOND_ID, "Đăng nhầm thời gian tổ chức").await?;
        tell!("   intake   {} is withdrawn as revision {}", receipt.id, receipt.revision);
        self.outlets(Expect { feed: "at:deleted-entry", webhooks: 7 }).await?;
        self.gone().await?;
        self.digest("a correction, to exactly those who had received it", before).await?;
        self.journey().await?;
        self.look_here();
        Ok(())
    }

    /// Three readers: a commune's office, a resident of everything, and one who wants mail at once.
    async fn subscribe(&self) -> anyhow::Result<()> {
        let service = self.app.digest_service().await?;
        let today = self.app.world.now().to_zoned_datetime(self.app.zone.clone()).date();
        for (email, area, frequency) in [
            ("van-phong@nason.example", Some("Na Son"), Frequency::Daily),
            ("bi-thu@tiadinh.example", Some("Tìa Dình"), Frequency::Daily),
            ("ba-con@dienbiendong.example", None, Frequency::Immediate),
        ] {
            let areas = match area {
                Some(name) => BTreeSet::from([self.app.directory.by_name(name, today)?.id.clone()]),
                None => BTreeSet::new(),
            };
            let wish = Wish { areas, categories: BTreeSet::new() };
            service
                .add_subscriber(EmailAddress::parse(email)?, wish, frequency)
                .await
                .context("cannot add a subscriber")?;
            tell!(
                "   subscriber  {email}: {}, {}",
                area.unwrap_or("all areas"),
                Language::English.words().frequency(frequency)
            );
        }
        tell!("   endpoint    {} (the stand-in provincial portal)\n", self.portal.url());
        Ok(())
    }

    /// Imports a page; tells the whole report the first time, and only what changed afterwards.
    async fn import(&self, page: &str) -> anyhow::Result<()> {
        let page = loa_portal::read(page.as_bytes(), None, &self.app.zone)
            .map_err(|error| anyhow::anyhow!(Language::English.words().page_error(&error)))
            .context("the seed page")?;
        // the second time it is mended, and says so
        let options = loa_svc_intake::ImportOptions { is_same: true, portal: None };
        let report = self.app.intake_service().await?.import_page(page, options).await?;
        let article = report.article.as_ref().context("the seed page is an article's")?;
        match &article.outcome {
            Ok(receipt) if receipt.revision > 1 => {
                tell!(
                    "   intake   {} is now revision {}; the three documents beside it: no change",
                    article.id,
                    receipt.revision
                );
            }
            _ => {
                for line in cmd::import::tell(&report, Language::English.words()).lines() {
                    tell!(" {line}");
                }
            }
        }
        ensure!(article.id.as_str() == SEED_ID, "the importer calls the seed article {}", article.id);
        Ok(())
    }

    /// The second article comes by the API, as a CMS sends it.
    async fn publish_second(&self) -> anyhow::Result<()> {
        let article = json!({
            "id": SECOND_ID,
            "url": format!("{}tin/{SECOND_ID}", self.app.config.home_portal()?.url),
            "title": "Khám bệnh nhân đạo và phát thuốc cho người nghèo huyện Điện Biên Đông",
            "summary": "Đoàn thầy thuốc tình nguyện khám bệnh, phát thuốc miễn phí cho bà con xã Na Son và xã Phì Nhừ.",
            "content_html": "<p>Người dân mang theo căn cước và sổ khám bệnh (nếu có).</p>",
            "category": { "slug": "y-te", "label": "Y tế" },
            "source_name": "Phòng Y tế huyện",
            "published_at": "2024-01-22T08:00:00+07:00",
        });
        let url = format!("{}/v1/articles", self.base);
        let answer =
            client()?.post(url).bearer_auth(&self.editor).json(&article).send().await.context("POST /v1/articles")?;
        let status = answer.status();
        ensure!(
            status.as_u16() == 202,
            "POST /v1/articles answered {status}: {}",
            answer.text().await.unwrap_or_default()
        );
        tell!("   intake   POST /v1/articles: {SECOND_ID}: {status}");
        Ok(())
    }

    /// Waits until feed and portal have it.
    async fn outlets(&self, expect: Expect) -> anyhow::Result<()> {
        let url = format!("{}/feeds/all.atom", self.base);
        let (client, since) = (client()?, Instant::now());
        until("the feed", async || {
            let text = client.get(&url).send().await?.text().await?;
            Ok(text.contains(expect.feed))
        })
        .await?;
        tell!("   feed     visible after {} ms: {}/feeds/all", since.elapsed().as_millis(), self.base);
        until("the webhooks", async || Ok(self.portal.seen().len() >= expect.webhooks)).await?;
        let seen = self.portal.seen();
        for webhook in seen.iter().skip(expect.told_before()) {
            let verdict =
                webhook.fault.as_deref().map_or("signature verified".to_owned(), |fault| format!("REFUSED: {fault}"));
            tell!("   push     {} {} revision {}: {verdict}", webhook.event_type, webhook.subject, webhook.revision);
        }
        ensure!(seen.iter().all(|webhook| webhook.fault.is_none()), "the portal refused a webhook");
        Ok(())
    }

    /// How many mails there are so far.
    fn mails(&self) -> usize {
        self.mailbox.mails().len()
    }

    /// Sends what is owed to the daily subscribers, as the schedule does each morning. `before`: how many mails there were before
    /// the editor did anything, for those who want news at once may have it before this begins.
    async fn digest(&self, what: &str, before: usize) -> anyhow::Result<()> {
        // the digest outlet hears of an event when the others do, give or take; what it has not yet accepted would wait
        // for the next run, so the story gives it the moment
        let service = self.app.digest_service().await?;
        until("the digests", async || {
            service.run_now(Frequency::Daily).await.context("cannot run the digests")?;
            Ok(self
                .mailbox
                .mails()
                .iter()
                .any(|mail| mail.number > before && mail.to.iter().any(|to| to.contains("nason"))))
        })
        .await?;
        until("the immediate mail", async || {
            Ok(self
                .mailbox
                .mails()
                .iter()
                .any(|mail| mail.number > before && mail.to.iter().any(|to| to.contains("ba-con"))))
        })
        .await?;
        tell!("   digest   {what}:");
        for mail in self.mailbox.mails().iter().filter(|mail| mail.number > before) {
            tell!("            {:28} {}", mail.to.join(", "), mail.subject());
        }
        Ok(())
    }

    async fn gone(&self) -> anyhow::Result<()> {
        let status = client()?.get(format!("{}/a/{SECOND_ID}", self.base)).send().await?.status();
        tell!("   feed     {}/a/{SECOND_ID} answers {status}", self.base);
        ensure!(status.as_u16() == 410, "a withdrawn article answers 410");
        Ok(())
    }

    async fn journey(&self) -> anyhow::Result<()> {
        tell!("\n4. The article accounts for itself (loa journey {SEED_ID})");
        let app = &self.app;
        for line in cmd::journey::collect(app, &SEED_ID.parse::<ArticleKey>()?).await? {
            let words = Language::English.words();
            let at = line.at.to_zoned_datetime(app.zone.clone()).strftime("%H:%M:%S");
            let (outlet, step) = (words.outlet(line.outlet), words.step(&line.step));
            tell!("   {at}  {outlet:9} {step:10} {}", words.told(&line.step));
        }
        Ok(())
    }

    fn look_here(&self) {
        let base = &self.base;
        tell!("\nLook here (Ctrl-C ends it, and leaves nothing behind):");
        tell!("   front page               {base}/");
        tell!("   feeds                    {base}/feeds   and, for a reader, {base}/feeds/all.rss");
        tell!("   mails and webhooks       {base}/demo");
        tell!("   subscribe                {base}/subscribe");
        tell!("   the article's journey    {base}/console/articles/{SEED_ID}");
        tell!("                            (any user name; password: {})", self.operator);
    }
}

/// What every outlet is expected to show.
struct Expect {
    /// A text in the `all` feed.
    feed: &'static str,
    /// Webhooks in all.
    webhooks: usize,
}

impl Expect {
    fn told_before(&self) -> usize {
        if self.webhooks > 5 { self.webhooks - 1 } else { 0 }
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .context("cannot set up an HTTP client")
}

/// Waits until something is so; says what did not come.
async fn until(what: &str, so: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let since = Instant::now();
    while !so().await? {
        ensure!(since.elapsed() < WAIT_MAX, "{what} did not come within {} s", WAIT_MAX.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
