//! The command line: every command and option, as clap reads them.
//!
//! Only the shape stands here. `cmd/` has one file for each command and does the work.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// Carries a government portal's articles to everyone who asked for them: feeds, e-mail digests, webhooks.
#[derive(Debug, Parser)]
#[command(name = "loa", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Configuration file (TOML); otherwise LOA_CONFIG, otherwise loa.toml in this folder, otherwise the defaults
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print results as JSON, for machines
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole pipeline on the seed page, in a throw-away folder: no other server, no network
    Demo(ListenPlace),
    /// Ask whose installation this is, and write loa.toml; by options alone where nobody can be asked
    Init(Box<InitArguments>),
    /// Run everything in one process
    Up(ListenPlace),
    /// Run the intake service: HTTP API, outbox relay, archive
    Intake,
    /// Run the feed service
    Feed,
    /// Run the digest service; or, with a word behind it, preview and run digests
    #[command(args_conflicts_with_subcommands = true)]
    Digest {
        /// Instead of the service
        #[command(subcommand)]
        command: Option<Digests>,
    },
    /// Run the push service
    Push,
    /// Run the watch service, which looks at portals that cannot call us; or, with a word behind it, see to its sources
    #[command(args_conflicts_with_subcommands = true)]
    Watch {
        /// Instead of the service
        #[command(subcommand)]
        command: Option<Watches>,
    },
    /// Run the console service: front page, journeys
    Console,
    /// Make or update the ledgers' schema and the broker's topology; safe to repeat
    Migrate,
    /// Check configuration, reachability and completeness, one line each
    Check {
        /// Also ask each outlet for every event archived at or after this instant (RFC 3339); reads that much of the archive
        #[arg(long)]
        since: Option<jiff::Timestamp>,
    },
    /// The broker's exchanges, queues and bindings
    #[command(subcommand)]
    Topology(Topology),
    /// Put portal pages (text or HTML) into the pipeline
    Import {
        /// Files, folders of files, or addresses of pages (https://…), which are read as `loa watch` reads
        #[arg(required = true, value_name = "PATH|URL")]
        paths: Vec<PathBuf>,
        /// Where the page stands: its pictures and links begin there, and it is that address's article for ever. For one page
        #[arg(long, value_name = "URL")]
        address: Option<url::Url>,
        /// A page without an address is the article with its title and time, though its text is another
        #[arg(long)]
        same: bool,
        /// Show the whole article as it would be published, and why; publish nothing, write no file
        #[arg(long)]
        dry_run: bool,
        /// Whose pages they are, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Publish an article or document from a JSON file (`-`: standard input)
    Publish {
        /// The file
        file: PathBuf,
        /// Whose it is, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Withdraw an article or document
    Withdraw {
        /// Its id
        id: String,
        /// Why, for readers
        #[arg(long)]
        reason: String,
        /// Whose it is, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Let a producer's revisions of an article begin at 1 again, after one that was far too high
    Renumber {
        /// Its id
        id: String,
        /// Whose it is, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Send archived events again, to one outlet; never repeats a mail or webhook that was sent
    Replay {
        /// Which outlet
        #[arg(long, value_enum)]
        outlet: Outlet,
        /// Only events archived at or after this instant (RFC 3339)
        #[arg(long)]
        since: Option<jiff::Timestamp>,
        /// Only this article's
        #[arg(long)]
        article: Option<String>,
        /// Whose article it is, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Copy all ledgers (and embedded queues) into a new folder, while everything runs
    Backup {
        /// A folder that is not there yet
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Bring a ledger back from a copy, and make it whole; never repeats a mail or webhook that was sent
    Restore(RestoreArguments),
    /// Tell what each outlet did with an article
    Journey {
        /// Its id
        id: String,
        /// Whose it is, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
    },
    /// Subscribers of e-mail digests
    #[command(subcommand)]
    Subscribers(Subscribers),
    /// Endpoints of webhooks
    #[command(subcommand)]
    Endpoints(Endpoints),
    /// Subscriptions of feed readers at the WebSub hub
    #[command(subcommand)]
    Hub(HubCommand),
    /// Messages that could not be processed
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Who publishes: the home portal of the settings, and others beside it
    #[command(subcommand)]
    Portals(PortalsCommand),
    /// Tokens of the HTTP API
    #[command(subcommand)]
    Token(Tokens),
    /// Print the description of the HTTP API (OpenAPI 3.1, JSON)
    Openapi,
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// The word on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Init(_) => "init",
            Self::Up(_) => "up",
            Self::Intake => "intake",
            Self::Feed => "feed",
            Self::Digest { .. } => "digest",
            Self::Push => "push",
            Self::Watch { .. } => "watch",
            Self::Console => "console",
            Self::Migrate => "migrate",
            Self::Check { .. } => "check",
            Self::Topology(_) => "topology",
            Self::Import { .. } => "import",
            Self::Publish { .. } => "publish",
            Self::Withdraw { .. } => "withdraw",
            Self::Renumber { .. } => "renumber",
            Self::Replay { .. } => "replay",
            Self::Backup { .. } => "backup",
            Self::Restore(_) => "restore",
            Self::Journey { .. } => "journey",
            Self::Subscribers(_) => "subscribers",
            Self::Endpoints(_) => "endpoints",
            Self::Hub(_) => "hub",
            Self::DeadLetters(_) => "dead-letters",
            Self::Portals(_) => "portals",
            Self::Token(_) => "token",
            Self::Openapi => "openapi",
            Self::Completions { .. } => "completions",
        }
    }
}

/// `loa topology …`
#[derive(Debug, Subcommand)]
pub enum Topology {
    /// Print them as RabbitMQ's definitions (JSON), for the broker's administrator to import
    Print,
    /// Hold the broker's against what they should be, policies too; each difference with the line that mends it
    Check,
}

/// Where a process of its own lives.
#[derive(Debug, Clone, Args)]
pub struct ListenPlace {
    /// Address to listen on; overrides `up.listen`
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Folder of ledgers and queues; overrides `data_dir`
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `loa init`. What is not given is asked on a terminal. Secrets have no option: they go into files.
#[derive(Debug, Clone, Default, Args)]
pub struct InitArguments {
    /// The portal's name, as people read it: "Cổng thông tin điện tử xã Na Son"
    #[arg(long)]
    pub name: Option<String>,
    /// The portal's address: `https://nason.example/`
    #[arg(long, value_name = "URL")]
    pub address: Option<String>,
    /// A commune (name, code or id), former district or province whose news this is; several times for several
    #[arg(long = "area", value_name = "AREA")]
    pub areas: Vec<String>,
    /// Articles have no areas
    #[arg(long, conflicts_with = "areas")]
    pub no_areas: bool,
    /// A domain of yours, which ids of entries are made from (RFC 4151). Never changes
    #[arg(long, value_name = "DOMAIN")]
    pub id_domain: Option<String>,
    /// A day on which that domain was yours: 2026-01-01; today unless said. Never changes
    #[arg(long, value_name = "DAY")]
    pub tag_date: Option<String>,
    /// The CloudEvents `source` of events; the portal's address unless said. Never changes
    #[arg(long, value_name = "URI")]
    pub source: Option<String>,
    /// Where readers will reach Loa: `https://tin.nason.example/`; unless said, this machine alone
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The mail server that takes our mail: its name or address
    #[arg(long, value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Its port; unless said 25 on this machine, 587 elsewhere
    #[arg(long, value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// How the connection is encrypted; unless said none on this machine, starttls elsewhere (tls at port 465)
    #[arg(long, value_name = "HOW", value_parser = ["none", "starttls", "tls"])]
    pub smtp_tls: Option<String>,
    /// The user's name there; no login unless said
    #[arg(long, value_name = "USER")]
    pub smtp_user: Option<String>,
    /// A file with that user's password, which Loa reads when it sends
    #[arg(long, value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// The sender of mails: ban-tin@nason.example; `ban-tin` at the domain for ids unless said
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// Replace a file that is there; it is kept under another name
    #[arg(long)]
    pub force: bool,
}

/// `loa restore`
#[derive(Debug, Clone, Args)]
pub struct RestoreArguments {
    /// Which ledger
    #[arg(value_enum)]
    pub ledger: Ledger,
    /// The copy, of a folder made by `loa backup`; without it, `feed` is made anew from the archive
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// When the copy was made (RFC 3339), if it does not say so itself
    #[arg(long, value_name = "INSTANT")]
    pub since: Option<jiff::Timestamp>,
    /// Go on although it is not known what went out: something may be sent twice
    #[arg(long)]
    pub incomplete: bool,
}

/// What can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ledger {
    /// Articles, outbox, archive
    Intake,
    /// Feeds
    Feed,
    /// Subscriptions and digests
    Digest,
    /// Endpoints and webhooks
    Push,
    /// Tokens
    Access,
    /// What went out, for restoring digest and push
    Receipts,
    /// Sources that are looked at, and what they have named
    Watch,
    /// Embedded queues
    Bus,
}

impl Ledger {
    /// Its word: the name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Feed => "feed",
            Self::Digest => "digest",
            Self::Push => "push",
            Self::Access => "access",
            Self::Receipts => "receipts",
            Self::Watch => "watch",
            Self::Bus => "bus",
        }
    }
}

/// The three ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Outlet {
    /// Feeds
    Feed,
    /// E-mail digests
    Digest,
    /// Webhooks
    Push,
}

/// `loa subscribers …`
#[derive(Debug, Subcommand)]
pub enum Subscribers {
    /// Add a mailbox, or change what it wishes for
    Add {
        /// E-mail address
        email: String,
        /// An area (name or id); several times for several; none: all areas
        #[arg(long = "area", value_name = "AREA")]
        areas: Vec<String>,
        /// A category's slug; several times for several; none: all categories
        #[arg(long = "category", value_name = "SLUG")]
        categories: Vec<String>,
        /// How often
        #[arg(long, value_enum, default_value_t = Frequency::Daily)]
        frequency: Frequency,
    },
    /// List mailboxes with their wishes
    List,
}

/// How often a subscriber wants mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Frequency {
    /// As soon as something matches
    Immediate,
    /// Once a day
    Daily,
    /// Once a week
    Weekly,
}

impl From<Frequency> for loa_domain::Frequency {
    fn from(frequency: Frequency) -> Self {
        match frequency {
            Frequency::Immediate => Self::Immediate,
            Frequency::Daily => Self::Daily,
            Frequency::Weekly => Self::Weekly,
        }
    }
}

/// `loa endpoints …`
#[derive(Debug, Subcommand)]
pub enum Endpoints {
    /// Add an endpoint; prints its signing secret, once
    Add {
        /// Address that webhooks are posted to
        url: String,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
        /// An event type it wants; several times for several; none: all
        #[arg(long = "event", value_name = "TYPE")]
        event_types: Vec<String>,
    },
    /// List endpoints
    List,
    /// Send a signed test webhook and tell the answer
    Test {
        /// The endpoint's id
        id: String,
    },
    /// Make a new signing secret; prints it, once
    RotateSecret {
        /// The endpoint's id
        id: String,
        /// End the secrets so far at once, instead of signing with both until `retire-secrets`
        #[arg(long)]
        at_once: bool,
    },
    /// End a rotation: only the newest secret stays
    RetireSecrets {
        /// The endpoint's id
        id: String,
    },
    /// Let an endpoint have its deliveries again
    Enable {
        /// The endpoint's id
        id: String,
    },
    /// Hold an endpoint's deliveries back
    Disable {
        /// The endpoint's id
        id: String,
        /// Why, for operators
        #[arg(long, default_value = "by operator")]
        reason: String,
    },
}

/// `loa hub …`
#[derive(Debug, Subcommand)]
pub enum HubCommand {
    /// List subscriptions: topic, callback, until when, what came of the last call
    List {
        /// Only of this topic (the feed's address)
        #[arg(long)]
        topic: Option<String>,
        /// Only of callbacks at this host
        #[arg(long)]
        host: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only after the subscription with this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// End a subscription; its subscriber is told
    Remove {
        /// The subscription's id
        id: String,
    },
}

/// `loa digest …`; alone it is the service.
#[derive(Debug, Subcommand)]
pub enum Digests {
    /// Show the digest that a wish would get now
    Preview {
        /// An area (name or id); several times for several; none: all
        #[arg(long = "area", value_name = "AREA")]
        areas: Vec<String>,
        /// A category's slug; several times for several; none: all
        #[arg(long = "category", value_name = "SLUG")]
        categories: Vec<String>,
    },
    /// Send what is owed now, without waiting for the schedule
    Run {
        /// Only this frequency
        #[arg(long, value_enum)]
        frequency: Option<Frequency>,
    },
}

/// `loa watch …`; alone it is the service.
#[derive(Debug, Subcommand)]
pub enum Watches {
    /// Add a source: a feed, a sitemap, or a list page. What it names already is known, and told to nobody
    Add {
        /// Where it is
        url: url::Url,
        /// A name for it; otherwise that of its host
        #[arg(long)]
        name: Option<String>,
        /// Whose articles it names, by the portal's slug; the home portal's unless said
        #[arg(long, value_name = "SLUG")]
        portal: Option<String>,
        /// What it is; otherwise it is looked at now
        #[arg(long, value_enum)]
        kind: Option<WatchKind>,
        /// Publish also what is there already and was published at or after this instant (RFC 3339)
        #[arg(long, value_name = "INSTANT")]
        since: Option<jiff::Timestamp>,
        /// Seconds between two looks (1 to 604,800); otherwise `watch.every_seconds`
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=604_800))]
        every: Option<u64>,
        /// How it is read
        #[command(flatten)]
        selectors: SelectorArguments,
    },
    /// List sources with how they are: when they were looked at, errors, what is odd
    List,
    /// Show what a source would give, before it is added; writes nothing
    Test {
        /// Where it is
        url: url::Url,
        /// So many of its articles are read (0 to 20)
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=20))]
        pages: u8,
        /// How it is read
        #[command(flatten)]
        selectors: SelectorArguments,
    },
    /// Look at a source now, due or not
    Run {
        /// Its name; none: all of them
        name: Option<String>,
    },
    /// Remove a source; its articles stay published
    Remove {
        /// Its name
        name: String,
    },
}

/// CSS selectors of a source.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectorArguments {
    /// CSS selector of the links on the list, or of elements that hold one each
    #[arg(long, value_name = "CSS")]
    pub links: Option<String>,
    /// CSS selector of the title on an article's page
    #[arg(long, value_name = "CSS")]
    pub title: Option<String>,
    /// CSS selector of its time of posting
    #[arg(long, value_name = "CSS")]
    pub time: Option<String>,
    /// CSS selector of its text
    #[arg(long, value_name = "CSS")]
    pub body: Option<String>,
    /// CSS selector of its source
    #[arg(long, value_name = "CSS")]
    pub source: Option<String>,
}

impl From<SelectorArguments> for loa_domain::Selectors {
    fn from(arguments: SelectorArguments) -> Self {
        let SelectorArguments { links, title, time, body, source } = arguments;
        Self { links, title, time, body, source }
    }
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WatchKind {
    /// RSS, Atom, JSON Feed, or WordPress's /wp-json/wp/v2/posts
    Feed,
    /// A sitemap, or an index of sitemaps
    Sitemap,
    /// A page of links
    Listing,
}

impl From<WatchKind> for loa_domain::WatchKind {
    fn from(kind: WatchKind) -> Self {
        match kind {
            WatchKind::Feed => Self::Feed,
            WatchKind::Sitemap => Self::Sitemap,
            WatchKind::Listing => Self::Listing,
        }
    }
}

/// `loa dead-letters …`
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// List them with their reasons, and what no queue took
    List {
        /// Only of this queue: archive, feed, digest, push, or unrouted
        #[arg(long)]
        queue: Option<String>,
    },
    /// Show one message, whole, or all of them
    Show {
        /// A letter as the list names it (`feed/3f9a2c1b4d5e`), or a message id
        #[arg(required_unless_present = "all")]
        letter: Option<String>,
        /// All of them, by one look at each queue
        #[arg(long, conflicts_with = "letter")]
        all: bool,
        /// With --all: only of this queue: archive, feed, digest, push, or unrouted
        #[arg(long, requires = "all")]
        queue: Option<String>,
    },
    /// Give messages a second chance
    Redrive {
        /// Which
        #[command(flatten)]
        which: Letters,
        /// Publish what no queue took under this routing key, to every queue bound for it
        #[arg(long, value_name = "ROUTING_KEY")]
        key: Option<String>,
    },
    /// Delete messages for good
    Discard {
        /// Which
        #[command(flatten)]
        which: Letters,
    },
}

/// Which letters are meant.
#[derive(Debug, Clone, Args)]
pub struct Letters {
    /// Letters as the list names them: `feed/3f9a2c1b4d5e`
    #[arg(required_unless_present_any = ["ids", "all"], conflicts_with_all = ["ids", "all", "queue"])]
    pub letters: Vec<String>,
    /// The letter of this message; with --all every one of it, in whatever queue
    #[arg(long = "id", value_name = "MESSAGE")]
    pub ids: Vec<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// Only of this queue: archive, feed, digest, push, or unrouted
    #[arg(long)]
    pub queue: Option<String>,
}

/// `loa portals …`
#[derive(Debug, Subcommand)]
pub enum PortalsCommand {
    /// Add a portal; every running process knows it within seconds. Safe to repeat
    Add(NewPortal),
    /// List portals
    List,
    /// Show a portal
    Show {
        /// Its slug
        slug: String,
    },
    /// Let a portal publish no more; what it published stays
    Retire {
        /// Its slug
        slug: String,
    },
}

/// A portal to be added.
#[derive(Debug, clap::Args)]
pub struct NewPortal {
    /// Its short name in addresses and commands: `a-z`, `0-9` and `-`. Never changes
    pub slug: String,
    /// Its name, as people read it
    #[arg(long)]
    pub name: String,
    /// Its address
    #[arg(long, value_name = "URL")]
    pub url: url::Url,
    /// The CloudEvents `source` of its events; its address unless said. Never changes
    #[arg(long, value_name = "URI")]
    pub source: Option<String>,
    /// The name that its entries' ids are made from (RFC 4151); the host of its address unless said. Never changes
    #[arg(long, value_name = "DOMAIN")]
    pub tag_authority: Option<String>,
    /// A day on which that name was the portal's own, 2026-01-01. Never changes
    #[arg(long, value_name = "DAY")]
    pub tag_date: jiff::civil::Date,
    /// The area of what names none and shows none in its text
    #[arg(long, value_name = "AREA")]
    pub area: Option<String>,
}

/// `loa token …`
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Make a token; prints its secret, once
    Create {
        /// What it allows
        #[arg(long, value_enum)]
        scope: Scope,
        /// A short name for people; made up when not given
        #[arg(long)]
        name: Option<String>,
        /// Only for this portal, by its slug (`home`: the home portal); may be said several times
        #[arg(long = "portal", value_name = "SLUG")]
        portals: Vec<String>,
    },
    /// List tokens
    List,
    /// Make a token useless, at once
    Revoke {
        /// Its name
        name: String,
    },
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Publish and withdraw
    Publish,
    /// Everything an operator does
    Operate,
    /// Look, change nothing
    Read,
}

impl From<Scope> for loa_domain::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Publish => Self::Publish,
            Scope::Operate => Self::Operate,
            Scope::Read => Self::Read,
        }
    }
}
