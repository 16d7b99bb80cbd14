//! Settings, from arguments and environment, validated before anything starts.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sqlx::sqlite::SqliteConnectOptions;

use crate::model::capture::CapturePoint;
use crate::model::finding::Verdict;

mod agent;
mod list;
mod nodes;
mod notify;
mod queries;
mod reading;

#[cfg(test)]
mod environment;

pub use agent::{Agent, WatchOptions};
pub use list::{List, iter as iter_lists, join as join_lists};
pub use nodes::{ClusterOption, ClusterSwitch, NodeOption, NodeSources};
pub use notify::{NotifySettings, Secret};
pub use queries::QuerySettings;
pub use reading::{name_option, read_config};

/// Finds out why UDP does not get through: who was asked, who answered, and
/// where the follow-up went.
#[derive(Debug, Parser)]
#[command(name = "replyscope", version, arg_required_else_help = true)]
pub struct Config {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service: pages and the JSON API
    Serve(Box<Serve>),
    /// Analyse captures, tcpdump text, connection tracking or terminal transcripts once, and print the report
    ///
    /// Exits with 0 when the input could be analysed, 1 when --fail-on matched, 2 on bad input.
    Analyze(Analyze),
    /// Run the agent of one node: facts from its kernel, and live captures (Linux)
    Agent(Box<Agent>),
    /// Print the OpenAPI document of the service, or of the agent
    Openapi(Openapi),
}

/// Which API is described.
#[derive(Debug, Args)]
pub struct Openapi {
    /// The agent's API instead of the service's
    #[arg(long, env = "REPLYSCOPE_AGENT", value_parser = FalseyValueParser::new())]
    pub agent: bool,
}

/// Settings of the service.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on
    #[arg(
        long,
        env = "REPLYSCOPE_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// Directory for captures and the database; created where missing
    #[arg(long, env = "REPLYSCOPE_DATA", value_name = "DIR", default_value = "replyscope-data")]
    pub data: PathBuf,
    /// Database, sqlite://FILE; without it, a file in the data directory
    #[arg(long, env = "REPLYSCOPE_DATABASE_URL", value_name = "URL", hide_env_values = true, value_parser = parse_database_url)]
    pub database_url: Option<SqliteConnectOptions>,
    /// Largest upload, in bytes
    #[arg(long, env = "REPLYSCOPE_UPLOAD_LIMIT_BYTES", value_name = "BYTES", default_value_t = 4 << 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub upload_limit_bytes: u64,
    /// Largest input after decompression, in bytes
    #[arg(long, env = "REPLYSCOPE_EXPANDED_LIMIT_BYTES", value_name = "BYTES", default_value_t = 16 << 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub expanded_limit_bytes: u64,
    /// Uploads that are analysed at the same moment; the others wait for a turn. Without it, one per processor
    #[arg(long, env = "REPLYSCOPE_CONCURRENT_ANALYSES", value_name = "COUNT")]
    pub concurrent_analyses: Option<NonZeroUsize>,
    /// Uploads that are open at the same time; more wait, and are refused after 30 s. Each takes the memory that its analysis needs: a few MiB, or some hundred for a capture of very many devices
    // Each has a thread of the runtime's blocking ones, of which there are 512.
    #[arg(long, env = "REPLYSCOPE_CONCURRENT_UPLOADS", value_name = "COUNT", default_value = "64", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrent_uploads: u16,
    /// Deletes analyses, their captures with them, that are older than so many days; without it, they stay
    #[arg(long, env = "REPLYSCOPE_KEEP_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub keep_days: Option<u32>,
    /// Connections at the same time; more wait
    #[arg(long, env = "REPLYSCOPE_CONNECTION_LIMIT", value_name = "COUNT", default_value = "512")]
    pub connection_limit: NonZeroUsize,
    /// How log lines look
    #[arg(long, env = "REPLYSCOPE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub sources: NodeSources,
    #[command(flatten)]
    pub queries: QuerySettings,
    #[command(flatten)]
    pub notify: NotifySettings,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Settings of one analysis on the command line.
#[derive(Debug, Args)]
pub struct Analyze {
    /// Facts about addresses: what `ip addr`, `ip route` or `kubectl get pod,node,svc` printed, or a device list; `sysctl -a` and `lsmod`, too; may be repeated, or several separated by commas
    #[arg(long, env = "REPLYSCOPE_INVENTORY", value_name = "FILE")]
    pub inventory: Vec<List<PathBuf>>,
    /// A capture and where it was taken: device, host, pod or unknown, such as pod@node3/eth0=FILE; may be repeated, or several separated by commas
    #[arg(long = "point", env = "REPLYSCOPE_POINT", value_name = "POINT[@NODE[/IFACE]]=FILE")]
    pub points: Vec<List<PointedFile>>,
    /// Captures (pcap, pcapng, snoop or ERF; plain, compressed, or in ZIP and tar archives), packets that tcpdump or another program printed or logged, what conntrack printed, terminal transcripts; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "points")]
    pub files: Vec<PathBuf>,
    /// How the report is written
    #[arg(long, env = "REPLYSCOPE_FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How many devices the report tells of, worst first: a number, or all; without it text has 50, HTML 200 and JSON all
    #[arg(long, env = "REPLYSCOPE_DEVICES", value_name = "COUNT|all", value_parser = parse_devices)]
    pub devices: Option<DeviceCount>,
    /// Exit with 1 if the report's verdict is this or worse: symmetric, one_way, tolerated, inconclusive, unanswered, rejected, broken
    #[arg(long, env = "REPLYSCOPE_FAIL_ON", value_name = "VERDICT", value_parser = parse_verdict)]
    pub fail_on: Option<Verdict>,
    /// The report's title; without it, the captures' names
    #[arg(long, env = "REPLYSCOPE_TITLE")]
    pub title: Option<String>,
    /// Whether text comes in colours
    #[arg(long, env = "REPLYSCOPE_COLOUR", alias = "color", value_enum, default_value_t = Colour::Auto)]
    pub colour: Colour,
    /// Whether standard error shows how far the analysis is
    #[arg(long, env = "REPLYSCOPE_PROGRESS", value_enum, default_value_t = ShowProgress::Auto)]
    pub progress: ShowProgress,
    /// Show no progress, whatever --progress says; errors are still told
    #[arg(long, short, env = "REPLYSCOPE_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
    /// Largest input after decompression, in bytes
    #[arg(long, env = "REPLYSCOPE_EXPANDED_LIMIT_BYTES", value_name = "BYTES", default_value_t = 64 << 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub expanded_limit_bytes: u64,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Html,
}

/// Whether text comes in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal that shows them, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

/// How many devices a report tells of, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceCount {
    Worst(NonZeroUsize),
    All,
}

impl DeviceCount {
    /// The most devices that the report may tell of.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::Worst(count) => count.get(),
            Self::All => usize::MAX,
        }
    }
}

/// Whether standard error shows how far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowProgress {
    /// A bar, where standard error is a terminal
    Auto,
    /// Lines from time to time where it is none
    Always,
    Never,
}

/// A capture and where it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointedFile {
    pub point: CapturePoint,
    pub file: PathBuf,
}

impl FromStr for PointedFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (point, file) = text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or(
            "expected a capture point, '=' and a file, such as pod@node3/eth0=capture.pcap",
        )?;
        let point: CapturePoint = point.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { point, file: PathBuf::from(file) })
    }
}

fn parse_verdict(text: &str) -> Result<Verdict, String> {
    Verdict::find_token(&text.replace('-', "_")).ok_or_else(|| {
        let known: Vec<_> = Verdict::WORST_FIRST.iter().map(|one| one.as_token()).collect();
        format!("expected one of {}", known.join(", "))
    })
}

fn parse_devices(text: &str) -> Result<DeviceCount, String> {
    if text == "all" {
        return Ok(DeviceCount::All);
    }
    text.parse().map(DeviceCount::Worst).map_err(|_| "expected a number from 1, or all".to_owned())
}

fn parse_database_url(text: &str) -> Result<SqliteConnectOptions, String> {
    let (scheme, _) = text.split_once(':').unwrap_or(("", text));
    match scheme {
        "sqlite" => SqliteConnectOptions::from_str(text).map_err(|error| error.to_string()),
        "postgres" | "postgresql" => {
            Err("PostgreSQL is not supported yet; use sqlite://FILE, or leave the option out"
                .to_owned())
        }
        _ => Err("expected sqlite://FILE, such as sqlite:///var/lib/replyscope/reports.sqlite"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
        let arguments = std::iter::once(&"replyscope").chain(arguments);
        Config::try_parse_from(arguments).map(|config| config.command)
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Config::command().debug_assert();
    }

    #[test]
    fn the_service_listens_on_loopback_unless_told() {
        let Command::Serve(serve) = parse(&["serve"]).unwrap() else { panic!("not serve") };
        assert_eq!(serve.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(serve.upload_limit_bytes, 4 * 1024 * 1024 * 1024);
        assert!(serve.database_url.is_none());
        let Command::Serve(serve) = parse(&["serve", "--listen", "[::1]:0"]).unwrap() else {
            panic!("not serve")
        };
        assert!(serve.listen.is_ipv6());
    }

    #[test]
    fn an_analysis_takes_files_and_points() {
        let arguments = [
            "analyze",
            "--point",
            "pod@node3/eth0=a=b.pcap, host=d.pcap,",
            "--fail-on",
            "one-way",
            "c.pcap",
            "-",
        ];
        let Command::Analyze(analyze) = parse(&arguments).unwrap() else { panic!("not analyze") };
        let points: Vec<_> = iter_lists(&analyze.points).collect();
        assert_eq!(points.len(), 2);
        assert_eq!(points[0].file, PathBuf::from("a=b.pcap"));
        assert_eq!(points[0].point.to_string(), "pod@node3/eth0");
        assert_eq!(analyze.files, [PathBuf::from("c.pcap"), PathBuf::from("-")]);
        assert_eq!(analyze.fail_on, Some(Verdict::OneWay));
    }

    #[test]
    fn devices_are_counted_or_all() {
        for (text, most) in [("1", 1), ("250", 250), ("all", usize::MAX)] {
            let parsed = parse(&["analyze", "--devices", text, "a.pcap"]).unwrap();
            let Command::Analyze(analyze) = parsed else { panic!("not analyze") };
            assert_eq!(analyze.devices.map(DeviceCount::most), Some(most), "{text}");
        }
    }

    #[test]
    fn progress_is_shown_unless_told() {
        let cases: [(&[&str], ShowProgress, bool); 4] = [
            (&[], ShowProgress::Auto, false),
            (&["--progress", "never"], ShowProgress::Never, false),
            (&["--progress", "always"], ShowProgress::Always, false),
            (&["-q"], ShowProgress::Auto, true),
        ];
        for (options, progress, quiet) in cases {
            let arguments = [&["analyze", "a.pcap"], options].concat();
            let Command::Analyze(analyze) = parse(&arguments).unwrap() else {
                panic!("no analyze")
            };
            assert_eq!((analyze.progress, analyze.quiet), (progress, quiet), "{options:?}");
        }
    }

    #[test]
    fn bad_settings_are_refused_with_a_reason() {
        let cases: [(&[&str], &str); 10] = [
            (&["analyze"], "FILE"),
            (&["analyze", "--point", "moon=a.pcap"], "is not a capture point"),
            (&["analyze", "--point", "pod"], "expected a capture point, '=' and a file"),
            (&["analyze", "--fail-on", "bad", "a.pcap"], "expected one of broken"),
            (&["analyze", "--devices", "0", "a.pcap"], "expected a number from 1, or all"),
            (&["analyze", "--devices", "many", "a.pcap"], "expected a number from 1, or all"),
            (&["serve", "--listen", "here"], "invalid socket address"),
            (&["serve", "--database-url", "postgres://db/x"], "PostgreSQL is not supported yet"),
            (&["serve", "--database-url", "x.db"], "expected sqlite://FILE"),
            (&["serve", "--concurrent-analyses", "0"], "zero"),
        ];
        for (arguments, expected) in cases {
            let error = parse(arguments).unwrap_err().to_string();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }
}
