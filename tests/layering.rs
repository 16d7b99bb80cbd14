//! Who may import whom, read from the sources.
//!
//! 1. `model` imports nothing of ours.
//! 2. The stages import only `model`, never each other; they meet in `analysis`.
//! 3. The edges (`store`, `node`, `notify`) import `model`, and `node::agent` `analysis`;
//!    `web` imports `model`, `analysis`, the edges and the two renderers of
//!    `report`; what `diagnose` documents of causes it has through `analysis`. Only `app` imports `web`, and only `app` and `main` `config`.
//! 4. `model`, the stages and `analysis` name no runtime, no web server, no
//!    database, no file, no socket and no clock.
//!
//! Rules 1 to 3 hold for unit tests too; rule 4 does not, since tests read files.

#[cfg(test)]
#[path = "support/rooms.rs"]
mod rooms;
#[cfg(test)]
#[path = "support/source.rs"]
mod source;
#[cfg(test)]
#[path = "support/tokens.rs"]
mod tokens;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::rooms::find_offences;

    #[test]
    fn rooms_import_only_what_they_may() {
        let sources = read_sources();
        assert!(sources.len() > 10, "only {} files found under src/", sources.len());
        let offences = find_offences(&sources);
        assert!(offences.is_empty(), "\n{}", offences.join("\n"));
    }

    /// Files under `src/` with their text, by path below it.
    fn read_sources() -> BTreeMap<String, String> {
        fn visit(folder: &Path, below: &str, sources: &mut BTreeMap<String, String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let below = if below.is_empty() { name } else { format!("{below}/{name}") };
                if path.is_dir() {
                    visit(&path, &below, sources);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    sources.insert(below, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut sources = BTreeMap::new();
        visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
        sources
    }

    #[test]
    fn offences_are_found() {
        let cases = [
            // file, source, the lines that offend
            ("model/flow.rs", "use crate::decode::decode;", &[1][..]),
            ("model/flow.rs", "use super::time::Timestamp;", &[]),
            ("ingest/mod.rs", "use crate::model::capture::Frame;", &[]),
            ("ingest/mod.rs", "\n\nuse crate::decode::decode;", &[3]),
            (
                "ingest/mod.rs",
                "use crate::{model::capture::Frame,\n decode::{self, Decoded}};",
                &[2],
            ),
            ("ingest/pcap.rs", "use super::Event;", &[]),
            ("ingest/pcap.rs", "use super::super::decode::Decoded;", &[1]),
            ("ingest/mod.rs", "use super::decode::Decoded;", &[1]),
            ("ingest/mod.rs", "mod tests {\n use super::*;\n use super::super::report;\n}", &[3]),
            ("ingest/mod.rs", "fn f() {\n crate::topology::parse();\n}", &[2]),
            ("ingest/mod.rs", "fn f() -> crate::model::time::Timestamp { g() }", &[]),
            ("ingest/mod.rs", "pub(in crate::ingest) fn f() {}", &[]),
            ("ingest/mod.rs", "use crate as all;", &[1]),
            ("ingest/mod.rs", "use crate::*;", &[1]),
            ("ingest/mod.rs", "use replyscope::web::router;", &[1]),
            (
                "ingest/mod.rs",
                "// use crate::web;\n/* use crate::web; */\nconst A: &str = \"crate::web::x\";",
                &[],
            ),
            (
                "ingest/mod.rs",
                "const A: &str = r#\"a \" crate::web::x\"#; const B: char = '\"'; use crate::web;",
                &[1],
            ),
            ("ingest/mod.rs", "fn f<'a>(a: &'a str) -> &'a str { crate::web::x(a) }", &[1]),
            ("ingest/mod.rs", "#[cfg(test)]\nmod tests {\n use crate::decode::decode;\n}", &[3]),
            ("analysis.rs", "use crate::{ingest, decode, report::build};", &[]),
            ("analysis.rs", "use crate::store::Store;", &[1]),
            ("store/mod.rs", "use crate::model::report::Report;", &[]),
            ("store/mod.rs", "use crate::analysis::Limits;", &[1]),
            ("store/mod.rs", "use crate::config::Config;", &[1]),
            ("node/client.rs", "use crate::analysis::Analysis;", &[1]),
            ("notify/mod.rs", "use crate::store::Store;", &[1]),
            ("node/agent/mod.rs", "use crate::analysis::Analysis;", &[]),
            ("web/api/analyses.rs", "use crate::report::html::render_report;", &[]),
            ("web/api/analyses.rs", "use crate::report::build;", &[1]),
            ("web/api/analyses.rs", "use crate::ingest::read;", &[1]),
            ("web/pages/causes.rs", "use crate::analysis::documentation;", &[]),
            ("web/pages/causes.rs", "use crate::diagnose::documentation;", &[1]),
            ("web/mod.rs", "use crate::config::Config;", &[1]),
            ("app.rs", "use crate::{config::Config, web};", &[]),
            ("main.rs", "use replyscope::config::Config;", &[]),
            ("main.rs", "fn main() { replyscope::web::serve() }", &[1]),
            ("utils.rs", "use crate::model::time::Timestamp;", &[1]),
            // Rule 4.
            ("decode/mod.rs", "use tokio::io::AsyncRead;", &[1]),
            ("decode/mod.rs", "fn f() { tokio::spawn(g()) }", &[1]),
            ("decode/mod.rs", "use std::fs;", &[1]),
            ("decode/mod.rs", "use std::{io::Read, fs::File};", &[1]),
            ("decode/mod.rs", "fn f() { ::std::fs::read(a) }", &[1]),
            ("decode/mod.rs", "use std::net::{IpAddr, Ipv6Addr, SocketAddr};", &[]),
            ("decode/mod.rs", "use std::net::{IpAddr, UdpSocket};", &[1]),
            ("decode/mod.rs", "use std::time::Duration;", &[]),
            ("decode/mod.rs", "use std::time;\nfn f() { time::Instant::now() }", &[2]),
            ("decode/mod.rs", "fn f() { jiff::Timestamp::now() }", &[1]),
            ("report/mod.rs", "use sqlx::SqlitePool;", &[1]),
            (
                "decode/mod.rs",
                "#[cfg(test)]\nmod tests {\n use std::fs::read;\n}\nuse std::fs::write;",
                &[5],
            ),
            ("decode/mod.rs", "#[test]\nfn f() -> [u8; 3] { std::fs::read(a) }", &[]),
            ("decode/mod.rs", "#[cfg(test)]\nuse std::{fs::{self}, env};\nuse std::env;", &[3]),
            ("decode/mod.rs", "#![cfg(test)]\nuse std::fs;", &[]),
            ("web/mod.rs", "use tokio::fs;\nuse std::time::Instant;", &[]),
        ];
        for (file, text, lines) in cases {
            let sources = BTreeMap::from([(file.to_owned(), text.to_owned())]);
            let offences = find_offences(&sources);
            let found: Vec<String> =
                offences.iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect();
            let expected: Vec<String> =
                lines.iter().map(|line| format!("src/{file}:{line}")).collect();
            assert_eq!(found, expected, "{text}\n{offences:#?}");
        }
    }

    #[test]
    fn files_of_test_modules_may_read_files() {
        let sources = BTreeMap::from([
            ("decode/mod.rs".to_owned(), "#[cfg(test)]\nmod samples;".to_owned()),
            ("decode/samples.rs".to_owned(), "use std::fs;".to_owned()),
            ("decode/other.rs".to_owned(), "use std::fs;".to_owned()),
        ]);
        let offences = find_offences(&sources);
        assert_eq!(offences.len(), 1, "{offences:#?}");
        assert!(offences[0].starts_with("src/decode/other.rs:1: `decode` must not name"));
    }

    #[test]
    fn an_offence_names_file_line_and_rule() {
        let sources = BTreeMap::from([(
            "decode/ip.rs".to_owned(),
            "//! IP.\nuse crate::topology::parse;".to_owned(),
        )]);
        assert_eq!(
            find_offences(&sources),
            [
                "src/decode/ip.rs:2: `decode` must not import `crate::topology::parse` (rule 2: it may import model)"
            ]
        );
    }
}
