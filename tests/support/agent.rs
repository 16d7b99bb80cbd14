//! An agent on the node of a network, and requests to it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use replyscope::ingest::{self, Event, Limits};
use replyscope::model::capture::Direction;
use serde_json::Value;
use tokio::time::Instant;

use super::folder::Folder;
use super::netns::{Network, find_obstacle};

/// The network and a folder, or nothing where there can be none.
pub fn network(test: &str) -> Option<(Network, Folder)> {
    if let Some(obstacle) = find_obstacle() {
        eprintln!("SKIPPED {test}: {obstacle}");
        return None;
    }
    Some((Network::build(), Folder::new(test)))
}

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A running agent; dropped, it is killed.
pub struct Agent {
    pub child: Child,
    base: String,
    namespace: Vec<String>,
    folder: PathBuf,
    /// More arguments of curl.
    pub curl_options: Vec<String>,
}

/// What the agent answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Agent {
    /// Starts it on the network's node with these options, and waits until it listens.
    pub fn start(network: &Network, folder: &Path, options: &[&str]) -> Self {
        Self::start_by(network, folder, &[], options)
    }

    /// The same by a program that starts another one.
    pub fn start_by(network: &Network, folder: &Path, by: &[&str], options: &[&str]) -> Self {
        let tokens = folder.join("tokens");
        std::fs::write(&tokens, format!("# of the tests\n{TOKEN}\n")).unwrap();
        let words = [by, &[env!("CARGO_BIN_EXE_replyscope")]].concat();
        let mut command = network.command("node", words[0]);
        command
            .args(&words[1..])
            .args(["agent", "--listen", "127.0.0.1:0", "--node-name", "node3", "--tokens"])
            .arg(&tokens)
            .args(options)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped());
        let curl = network.command("node", "curl");
        let namespace =
            curl.get_args().map(|word| word.to_str().unwrap().to_owned()).collect::<Vec<_>>();
        let child = command.spawn().unwrap();
        let folder = folder.to_path_buf();
        let mut agent =
            Self { child, base: String::new(), namespace, folder, curl_options: Vec::new() };
        let mut log = BufReader::new(agent.child.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        while log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, address)) = line.split_once("listening on ") {
                let address = address.trim().chars();
                agent.base = address.take_while(char::is_ascii_graphic).collect();
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return agent;
            }
            said.push_str(&std::mem::take(&mut line));
        }
        panic!("the agent did not start: {said}");
    }

    /// Where it listens, as a URL without a path.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn curl(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(&self.namespace).args(["-sS", "--max-time", "60"]).args(&self.curl_options);
        command
    }

    /// A request with more arguments of curl.
    pub fn request(&self, path: &str, arguments: &[&str]) -> Answer {
        let output = self
            .curl()
            .args(["-w", "\n%{http_code}"])
            .args(arguments)
            .arg(format!("{}{path}", self.base()))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        // Where there is no answer, curl says why.
        let fault = String::from_utf8_lossy(&output.stderr);
        let body = if body.is_empty() { fault.as_ref() } else { body };
        let json = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        Answer { status: status.parse().unwrap(), json }
    }

    /// A request with the token.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.request(path, &["-H", &bearer()]);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json
    }

    /// Asks for a capture that is refused.
    pub fn refuse(&self, body: &str) -> Answer {
        self.request("/v1/captures", &["-H", &bearer(), "-d", body])
    }

    /// Starts a capture, and waits until it runs.
    pub fn capture(&self, name: &str, body: &str) -> Stream {
        let file = self.folder.join(format!("{name}.pcapng"));
        let head = self.folder.join(format!("{name}.head"));
        for old in [&file, &head] {
            // Of an earlier capture of this name, if there was one.
            let _ = std::fs::remove_file(old);
        }
        let child = self
            .curl()
            .args(["-N", "-f", "-H", &bearer(), "-d", body, "-D"])
            .arg(&head)
            .arg("-o")
            .arg(&file)
            .arg(format!("{}/v1/captures", self.base()))
            .spawn()
            .unwrap();
        let mut stream = Stream { child, file, id: String::new() };
        wait_until("the capture begins", || {
            std::fs::metadata(&stream.file).is_ok_and(|file| file.len() > 0)
        });
        let head = std::fs::read_to_string(head).unwrap();
        let id = head.lines().find_map(|line| line.strip_prefix("replyscope-capture-id: "));
        stream.id.push_str(id.unwrap());
        stream
    }

    /// Ends a capture, and returns its statistics.
    pub fn stop(&self, stream: &Stream) -> Value {
        let path = format!("/v1/captures/{}", stream.id);
        let answer = self.request(&path, &["-H", &bearer(), "-X", "DELETE"]);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json
    }

    /// The agent's own process: `ip netns exec` becomes it.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `-TERM`.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}")
}

/// A capture on its way into a file.
pub struct Stream {
    child: Child,
    pub file: PathBuf,
    pub id: String,
}

impl Stream {
    /// Waits until the stream has ended; whether it ended well.
    pub fn finish(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn read(&self) -> Capture {
        Capture::read(&std::fs::read(&self.file).unwrap())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a capture holds.
#[derive(Debug, Default)]
pub struct Capture {
    pub interfaces: Vec<String>,
    pub frames: Vec<Frame>,
    pub dropped: u64,
    pub faults: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub interface: usize,
    pub direction: Option<Direction>,
    pub at_ns: i64,
    pub bytes: Vec<u8>,
}

impl Capture {
    pub fn read(bytes: &[u8]) -> Self {
        let mut capture = Self::default();
        let limits = Limits { expanded_bytes: u64::MAX };
        ingest::read(&mut { bytes }, &limits, &mut |event| match event {
            Event::Interface(header) => capture.interfaces.push(header.name.unwrap()),
            Event::Frame(frame) => capture.frames.push(Frame {
                interface: usize::try_from(frame.interface).unwrap(),
                direction: frame.direction,
                at_ns: frame.at.as_nanoseconds(),
                bytes: frame.bytes.to_vec(),
            }),
            Event::Dropped { packets, .. } => capture.dropped += packets,
            Event::Fault(fault) => capture.faults.push(fault.to_string()),
            _ => {}
        })
        .unwrap();
        capture
    }

    /// Frames of an interface that hold all of these byte strings.
    pub fn count(&self, interface: usize, parts: &[&[u8]]) -> usize {
        let holds = |frame: &&Frame| {
            let found = |part: &&[u8]| frame.bytes.windows(part.len()).any(|bytes| bytes == *part);
            frame.interface == interface && parts.iter().all(found)
        };
        self.frames.iter().filter(holds).count()
    }
}

/// An address as it stands in packets.
pub fn octets(address: &str) -> Vec<u8> {
    match address.parse().unwrap() {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Waits for what must come soon.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: not within 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}
