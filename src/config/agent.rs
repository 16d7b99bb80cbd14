//! Settings of a node's agent.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::{List, LogFormat, name_option};

/// Settings of a node's agent.
#[derive(Debug, Args)]
pub struct Agent {
    /// Address and port to listen on; without TLS a loopback address
    #[arg(
        long,
        env = "REPLYSCOPE_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8790"
    )]
    pub listen: SocketAddr,
    /// The node's name, as the cluster has it; without it, the host's name
    #[arg(long, env = "REPLYSCOPE_NODE_NAME", value_name = "NAME")]
    pub node_name: Option<String>,
    /// File with the bearer tokens that are taken, one a line, read at the start
    #[arg(
        long,
        env = "REPLYSCOPE_TOKENS",
        value_name = "FILE",
        required_unless_present = "tls_client_authority"
    )]
    pub tokens: Option<PathBuf>,
    /// File with the agent's certificate and those between it and its root, in PEM
    #[arg(long, env = "REPLYSCOPE_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// File with the key of the certificate, in PEM
    #[arg(long, env = "REPLYSCOPE_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// File with the authority that signs clients' certificates, in PEM; clients without one are refused
    #[arg(
        long,
        env = "REPLYSCOPE_TLS_CLIENT_AUTHORITY",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    pub tls_client_authority: Option<PathBuf>,
    /// Listen beyond loopback without TLS: tokens and captures can then be read on the way
    #[arg(long, env = "REPLYSCOPE_WITHOUT_TLS", value_parser = FalseyValueParser::new())]
    pub without_tls: bool,
    /// Interface that may be captured, or the beginning of names with *; may be repeated; without it, all
    #[arg(long, env = "REPLYSCOPE_INTERFACE", value_name = "NAME")]
    pub interface: Vec<List<String>>,
    /// Allow captures of every packet, for those who ask for everything
    #[arg(long, env = "REPLYSCOPE_ALLOW_EVERYTHING", value_parser = FalseyValueParser::new())]
    pub allow_everything: bool,
    /// Captures at the same time, up to 32 MiB of kernel memory each
    #[arg(long, env = "REPLYSCOPE_CONCURRENT_CAPTURES", value_name = "COUNT", default_value = "4")]
    pub concurrent_captures: NonZeroU32,
    /// The longest capture, in seconds
    #[arg(long, env = "REPLYSCOPE_CAPTURE_SECONDS", value_name = "SECONDS", default_value = "600")]
    pub capture_seconds: NonZeroU32,
    /// The largest capture, in packets
    #[arg(
        long,
        env = "REPLYSCOPE_CAPTURE_PACKETS",
        value_name = "COUNT",
        default_value = "10000000"
    )]
    pub capture_packets: NonZeroU64,
    /// The largest capture, in bytes
    #[arg(
        long,
        env = "REPLYSCOPE_CAPTURE_BYTES",
        value_name = "BYTES",
        default_value = "2147483648"
    )]
    pub capture_bytes: NonZeroU64,
    /// Where kube-proxy tells its mode (its metrics address)
    #[arg(
        long,
        env = "REPLYSCOPE_KUBE_PROXY",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:10249"
    )]
    pub kube_proxy: SocketAddr,
    /// Connections at the same time; more wait
    #[arg(long, env = "REPLYSCOPE_CONNECTION_LIMIT", value_name = "COUNT", default_value = "64")]
    pub connection_limit: NonZeroUsize,
    #[command(flatten)]
    pub watch: WatchOptions,
    /// How log lines look
    #[arg(long, env = "REPLYSCOPE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Agent {
    /// Whether what it says about TLS fits together.
    ///
    /// # Errors
    ///
    /// Says what does not.
    pub fn check_tls(&self) -> Result<(), String> {
        let has_tls = self.tls_certificate.is_some();
        // Not a rule of the parser: a switch that the environment turns off is given, too.
        if has_tls && self.without_tls {
            let [one, other] = ["--without-tls", "--tls-certificate"].map(name_option);
            return Err(format!("{one} and {other} contradict each other"));
        }
        if !has_tls && !self.without_tls && !self.listen.ip().is_loopback() {
            return Err(format!(
                "{}: {} is no loopback address and there is no TLS: give --tls-certificate and --tls-key, or --without-tls where the network is trusted",
                name_option("--listen"),
                self.listen
            ));
        }
        Ok(())
    }
}

/// Devices that the agent judges all the time.
#[derive(Debug, Args)]
pub struct WatchOptions {
    /// Address of a device to be judged all the time; may be repeated
    #[arg(long = "watch", env = "REPLYSCOPE_WATCH", value_name = "DEVICE")]
    pub devices: Vec<List<IpAddr>>,
    /// File with devices to be judged all the time: one address a line, or a device list; read at the start
    #[arg(long = "watch-file", env = "REPLYSCOPE_WATCH_FILE", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Interface at which they are watched, or the beginning of names with *; may be repeated; without it, those that lead to the devices
    #[arg(long = "watch-interface", env = "REPLYSCOPE_WATCH_INTERFACE", value_name = "NAME")]
    pub interfaces: Vec<List<String>>,
    /// Seconds of packets that each analysis looks at; one begins four times in that time
    #[arg(
        long = "watch-window-seconds",
        env = "REPLYSCOPE_WATCH_WINDOW_SECONDS",
        value_name = "SECONDS",
        default_value = "60",
        value_parser = clap::value_parser!(u32).range(4..=3_600)
    )]
    pub window_seconds: u32,
    /// Packets that are kept for that; older ones make room
    #[arg(
        long = "watch-packets",
        env = "REPLYSCOPE_WATCH_PACKETS",
        value_name = "COUNT",
        default_value = "200000"
    )]
    pub packets: NonZeroU64,
    /// Bytes that are kept for that; older packets make room
    #[arg(
        long = "watch-bytes",
        env = "REPLYSCOPE_WATCH_BYTES",
        value_name = "BYTES",
        default_value = "67108864"
    )]
    pub bytes: NonZeroUsize,
    /// Seconds after which a verdict that nothing confirmed is forgotten
    #[arg(
        long = "watch-stale-seconds",
        env = "REPLYSCOPE_WATCH_STALE_SECONDS",
        value_name = "SECONDS",
        default_value = "3600"
    )]
    pub stale_seconds: NonZeroU32,
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use clap::Parser;

    use super::super::{Command, Config, join_lists};

    fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
        let arguments = ["replyscope", "agent"].iter().chain(arguments);
        Config::try_parse_from(arguments).map(|config| config.command)
    }

    #[test]
    fn an_agent_needs_a_way_to_know_its_clients() {
        let tls: &[&str] = &["--tls-certificate", "a.pem", "--tls-key", "k.pem"];
        let cases: [(&[&[&str]], Option<&str>); 6] = [
            (&[&["--tokens", "t"]], None),
            (&[&["--tokens", "t"], tls], None),
            (&[tls, &["--tls-client-authority", "ca.pem"]], None),
            (&[], Some("--tokens")),
            (&[tls], Some("--tokens")),
            (&[&["--tokens", "t", "--tls-certificate", "a.pem"]], Some("--tls-key")),
        ];
        for (arguments, expected) in cases {
            let found = parse(&arguments.concat()).err().map(|error| error.to_string());
            match expected {
                None => assert_eq!(found, None, "{arguments:?}"),
                Some(part) => {
                    assert!(found.is_some_and(|text| text.contains(part)), "{arguments:?}");
                }
            }
        }
    }

    #[test]
    fn an_agent_beyond_loopback_has_tls_or_is_told_to_go_without() {
        let tls: &[&str] = &["--tls-certificate", "a.pem", "--tls-key", "k.pem"];
        let cases: [(&[&[&str]], Option<&str>); 6] = [
            (&[], None),
            (&[tls, &["--listen", "192.0.2.1:8790"]], None),
            (&[&["--listen", "[2001:db8::1]:8790", "--without-tls"]], None),
            (&[&["--listen", "192.0.2.1:8790"]], Some("no loopback address")),
            (&[&["--listen", "[2001:db8::1]:8790"]], Some("no loopback address")),
            (&[&["--without-tls"], tls], Some("contradict each other")),
        ];
        for (arguments, expected) in cases {
            let arguments = [&[&["--tokens", "t"][..]], arguments].concat().concat();
            let Command::Agent(agent) = parse(&arguments).unwrap() else { panic!("not agent") };
            let found = agent.check_tls().err();
            assert_eq!(found.is_some(), expected.is_some(), "{arguments:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }

    #[test]
    fn devices_to_watch_are_addresses() {
        for list in ["192.0.2.7,2001:db8::7", "192.0.2.7, 2001:db8::7,\n"] {
            let command = parse(&["--tokens", "t", "--watch", list, "--watch", ""]).unwrap();
            let Command::Agent(agent) = command else { panic!("not agent") };
            let expected: [IpAddr; 2] =
                ["192.0.2.7", "2001:db8::7"].map(|text| text.parse().unwrap());
            assert_eq!(join_lists(agent.watch.devices), expected, "{list:?}");
            assert_eq!(agent.watch.window_seconds, 60);
        }
        for arguments in [["--watch", "switch1"], ["--watch-window-seconds", "3"]] {
            assert!(parse(&[&["--tokens", "t"][..], &arguments].concat()).is_err());
        }
    }

    #[test]
    fn interfaces_may_be_repeated_or_listed() {
        let command =
            parse(&["--tokens", "t", "--interface", "eth0, cali*", "--interface", "lo"]).unwrap();
        let Command::Agent(agent) = command else { panic!("not agent") };
        assert!(agent.listen.ip().is_loopback());
        assert_eq!(join_lists(agent.interface), ["eth0", "cali*", "lo"]);
    }
}
