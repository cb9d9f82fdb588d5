//! The command line: every command and option, as clap reads them.
//!
//! Only the shape stands here. `cmd/` has one file for each command and does the work.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// Carries a government portal's articles to everyone who asked for them: feeds, e-mail digests, webhooks.
#[derive(Debug, Parser)]
#[command(name = "loa", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Configuration file (TOML); otherwise LOA_CONFIG, otherwise the defaults
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
        /// Files, or folders of files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Only read and report; publish nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Publish an article or document from a JSON file (`-`: standard input)
    Publish {
        /// The file
        file: PathBuf,
    },
    /// Withdraw an article or document
    Withdraw {
        /// Its id
        id: String,
        /// Why, for readers
        #[arg(long)]
        reason: String,
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
            Self::Up(_) => "up",
            Self::Intake => "intake",
            Self::Feed => "feed",
            Self::Digest { .. } => "digest",
            Self::Push => "push",
            Self::Console => "console",
            Self::Migrate => "migrate",
            Self::Check { .. } => "check",
            Self::Topology(_) => "topology",
            Self::Import { .. } => "import",
            Self::Publish { .. } => "publish",
            Self::Withdraw { .. } => "withdraw",
            Self::Replay { .. } => "replay",
            Self::Backup { .. } => "backup",
            Self::Restore(_) => "restore",
            Self::Journey { .. } => "journey",
            Self::Subscribers(_) => "subscribers",
            Self::Endpoints(_) => "endpoints",
            Self::Hub(_) => "hub",
            Self::DeadLetters(_) => "dead-letters",
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

/// `loa dead-letters …`
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// List them with their reasons, and what no queue took
    List {
        /// Only of this queue: archive, feed, digest, push, or unrouted
        #[arg(long)]
        queue: Option<String>,
    },
    /// Show one message, whole
    Show {
        /// A letter as the list names it (`feed/3f9a2c1b4d5e`), or a message id
        letter: String,
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
