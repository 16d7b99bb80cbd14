//! Texts as people publish them. They belong to others and lie outside the
//! repository, so each test says by name what it skips where they are absent.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test by panicking")]

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use replyscope::ingest::transcript::read_text;
use replyscope::ingest::{CaptureHeader, Event};
use replyscope::model::capture::{CaptureFormat, Clock};
use replyscope::model::packet::{Application, Content, TftpMessage};

#[derive(Debug)]
struct Capture {
    header: CaptureHeader,
    packets: u64,
    datagrams: u64,
    icmp_errors: u64,
    requests: u64,
}

#[derive(Debug, Default)]
struct Outline {
    captures: Vec<Capture>,
    /// Command and node.
    inventories: Vec<(String, Option<String>)>,
    faults: Vec<String>,
}

fn read(path: &Path) -> Outline {
    let mut outline = Outline::default();
    let mut input = BufReader::new(File::open(path).unwrap());
    let result = read_text(&mut input, &mut |event| match event {
        Event::CaptureBegins(header) => outline.captures.push(Capture {
            header,
            packets: 0,
            datagrams: 0,
            icmp_errors: 0,
            requests: 0,
        }),
        Event::Frame(_) | Event::OtherPacket { .. } => {
            outline.captures.last_mut().unwrap().packets += 1;
        }
        Event::Packet(packet) => {
            let capture = outline.captures.last_mut().unwrap();
            capture.packets += 1;
            match packet.content {
                Content::Datagram(datagram) => {
                    capture.datagrams += 1;
                    capture.requests += u64::from(matches!(
                        datagram.application,
                        Application::Tftp(TftpMessage::WriteRequest(_))
                    ));
                }
                Content::IcmpError(_) => capture.icmp_errors += 1,
                Content::FragmentsLost(_)
                | Content::Discarded(_)
                | Content::Dropped(_)
                | Content::Neighbour(_)
                | Content::Segment(_) => {}
            }
        }
        Event::Inventory(text) => {
            outline.inventories.push((text.command.to_owned(), text.node.map(str::to_owned)));
        }
        Event::Fault(fault) => outline.faults.push(fault.to_string()),
        Event::NamedPacket(_) => outline.captures.last_mut().unwrap().packets += 1,
        Event::Interface(_)
        | Event::Fact(_)
        | Event::ServerLog(_)
        | Event::Dropped { .. }
        | Event::Note(_)
        | Event::Listened { .. }
        | Event::Unread { .. }
        | Event::CaptureEnds => {}
    });
    if let Err(error) = result {
        outline.faults.push(error.to_string());
    }
    outline
}

#[test]
fn the_founding_article_is_read_as_it_is() {
    let path = Path::new("../shared/incident/founding-incident.txt");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let outline = read(path);
    assert_eq!(outline.faults, Vec::<String>::new());
    let inventories: Vec<_> = outline
        .inventories
        .iter()
        .map(|(command, node)| {
            (command.split(' ').take(2).collect::<Vec<_>>().join(" "), node.as_deref())
        })
        .collect();
    assert_eq!(
        inventories,
        [
            ("ip addr".to_owned(), Some("node3")),
            ("kubectl get".to_owned(), Some("node1")),
            ("ip route".to_owned(), Some("node3")),
        ]
    );
    let captures: Vec<_> = outline
        .captures
        .iter()
        .map(|capture| {
            (
                capture.header.node.as_deref(),
                capture.header.interface.as_deref(),
                capture.packets,
                capture.datagrams,
                capture.icmp_errors,
                capture.requests,
            )
        })
        .collect();
    let pod = (Some("node3"), Some("cali928cc4cd898"));
    assert_eq!(
        captures,
        [
            (pod.0, pod.1, 7, 7, 0, 1),
            (None, None, 9, 7, 0, 1),
            (pod.0, pod.1, 10, 10, 0, 2),
            (None, None, 10, 7, 3, 1),
        ]
    );
    for capture in &outline.captures {
        assert_eq!(capture.header.format, CaptureFormat::TcpdumpText);
        assert_eq!(capture.header.clock, Clock::TimeOfDay);
    }
}

fn published_texts() -> Vec<PathBuf> {
    let Ok(groups) = fs::read_dir("../shared/captures") else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = groups
        .filter_map(|group| fs::read_dir(group.ok()?.path()).ok())
        .flatten()
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("text__")
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn published_texts_have_as_many_packets_as_lines() {
    let paths = published_texts();
    if paths.is_empty() {
        println!("skipped: ../shared/captures holds no text__*.txt");
        return;
    }
    let truth = fs::read_to_string("../shared/captures/truth.json").unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let (mut right, mut all) = (0, 0);
    for path in &paths {
        let key = path.strip_prefix("../shared/captures").unwrap().display().to_string();
        let counts = &truth["files"][&key]["packets"];
        let Some(expected) = counts["complete_lines"].as_u64() else {
            println!("skipped: {key} has no count of lines");
            continue;
        };
        let is_cut = counts["last_line_cut"].as_bool().unwrap_or(false);
        let outline = read(path);
        let found: u64 = outline.captures.iter().map(|capture| capture.packets).sum();
        // A last line that is cut may or may not be counted by a reader.
        let is_right = found == expected || (is_cut && found == expected + 1);
        all += 1;
        right += u32::from(is_right);
        println!(
            "{} {key}: {found} packets of {expected} lines in {} captures, {} faults",
            if is_right { "ok  " } else { "DIFF" },
            outline.captures.len(),
            outline.faults.len()
        );
        for fault in &outline.faults {
            println!("       {fault}");
        }
    }
    println!("score: {right} of {all} texts");
    assert_eq!(right, all);
}
