//! The rooms of the house, what each may import, and who does not keep to it.

use std::collections::BTreeMap;

use super::source::{NamedPath, read_names};

const STAGES: [&str; 6] = ["ingest", "decode", "topology", "correlate", "diagnose", "report"];

/// What a room may import, as paths below the crate, and the rule that says so.
const MAY_IMPORT: &[(&str, &[&str], u8)] = &[
    ("model", &[], 1),
    ("ingest", &["model"], 2),
    ("decode", &["model"], 2),
    ("topology", &["model"], 2),
    ("correlate", &["model"], 2),
    ("diagnose", &["model"], 2),
    ("report", &["model"], 2),
    ("analysis", &["model", "ingest", "decode", "topology", "correlate", "diagnose", "report"], 2),
    ("clock", &["model"], 3),
    ("store", &["model"], 3),
    ("node", &["model"], 3),
    ("node/agent", &["model", "analysis", "node"], 3),
    ("notify", &["model"], 3),
    // Pages borrow the report: its two renderers are no work of the pipeline. The
    // tests of pages share its samples.
    (
        "web",
        &[
            "model",
            "analysis",
            "store",
            "node",
            "notify",
            "clock",
            "report::html",
            "report::text",
            "report::samples",
        ],
        3,
    ),
    ("config", &["model", "analysis"], 3),
    (
        "app",
        &[
            "model",
            "analysis",
            "store",
            "node",
            "notify",
            "clock",
            "web",
            "config",
            "report::html",
            "report::text",
        ],
        3,
    ),
    ("main", &["app", "config", "model"], 3),
    // The map of the house declares its rooms and imports none of them.
    ("lib", &[], 3),
];

/// Crates that the core never names.
const EDGE_CRATES: &[&str] = &[
    "axum",
    "axum_extra",
    "futures_util",
    "hyper",
    "kube",
    "object_store",
    "reqwest",
    "sqlx",
    "tokio",
    "tokio_stream",
    "tokio_util",
    "tower",
    "tower_http",
    "utoipa_axum",
];

/// Modules of the standard library that the core never names.
const EDGE_MODULES: &[&[&str]] =
    &[&["std", "env"], &["std", "fs"], &["std", "os"], &["std", "process"], THREADS];

/// The stages know of one core only; `analysis` may give them a second one.
const THREADS: &[&str] = &["std", "thread"];

/// Types and functions that the core never names, however they are imported.
const EDGE_NAMES: &[&str] = &[
    "Instant",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixDatagram",
    "UnixListener",
    "UnixStream",
    "now",
    "now_v7",
];

/// One message per offending line.
pub fn find_offences(sources: &BTreeMap<String, String>) -> Vec<String> {
    let named: Vec<_> = sources
        .iter()
        .map(|(file, text)| {
            let module = module_of(file);
            let names = read_names(&module, text);
            (file, module, names)
        })
        .collect();
    let test_modules: Vec<Vec<String>> = named
        .iter()
        .flat_map(|(_, module, names)| {
            names
                .test_modules
                .iter()
                .map(|name| [module.as_slice(), std::slice::from_ref(name)].concat())
        })
        .collect();

    let mut offences = Vec::new();
    for (file, module, names) in &named {
        let is_test_file = test_modules.iter().any(|test| module.starts_with(test));
        let mut last_line = 0;
        for path in &names.paths {
            let path = NamedPath { in_test: path.in_test || is_test_file, ..path.clone() };
            if path.line != last_line
                && let Some(offence) = find_offence(room_of(file), module, &path)
            {
                last_line = path.line;
                offences.push(format!("src/{file}:{}: {offence}", path.line));
            }
        }
    }
    offences
}

/// `ingest/tcpdump_text/line.rs` is the module `ingest::tcpdump_text::line`.
fn module_of(file: &str) -> Vec<String> {
    let name = file.trim_end_matches(".rs");
    let name = name.strip_suffix("/mod").unwrap_or(name);
    if matches!(name, "lib" | "main") {
        return Vec::new();
    }
    name.split('/').map(str::to_owned).collect()
}

/// The room that a file belongs to: the name by which [`MAY_IMPORT`] knows it.
fn room_of(file: &str) -> &str {
    if file.starts_with("node/agent") {
        return "node/agent";
    }
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

fn find_offence(room: &str, module: &[String], path: &NamedPath) -> Option<String> {
    let text = path.segments.join("::");
    if path.segments[0] == "crate" {
        let target = path.segments.get(1).map_or("*", String::as_str);
        if module.first().is_some_and(|own| own == target) {
            return None;
        }
        let Some((_, allowed, rule)) = MAY_IMPORT.iter().find(|(name, ..)| *name == room) else {
            return Some(format!(
                "`{room}` is no room of the house: add it to tests/layering.rs with what it may import"
            ));
        };
        let is_allowed = allowed.iter().any(|allowed| {
            let allowed: Vec<&str> = allowed.split("::").collect();
            path.segments[1..].iter().map(String::as_str).take(allowed.len()).eq(allowed)
        });
        if is_allowed {
            return None;
        }
        let may = match allowed {
            [] => "nothing of ours".to_owned(),
            some => some.join(", "),
        };
        return Some(format!(
            "`{room}` must not import `{text}` (rule {rule}: it may import {may})"
        ));
    }
    let is_core = room == "model" || room == "analysis" || STAGES.contains(&room);
    if !is_core || path.in_test {
        return None;
    }
    let names_crate = EDGE_CRATES.contains(&path.segments[0].as_str());
    let names_module = EDGE_MODULES.iter().any(|edge| {
        let is_allowed = *edge == THREADS && room == "analysis";
        !is_allowed
            && path.segments.iter().map(String::as_str).take(edge.len()).eq(edge.iter().copied())
    });
    let names_edge =
        path.segments.iter().skip(1).any(|segment| EDGE_NAMES.contains(&segment.as_str()));
    (names_crate || names_module || names_edge).then(|| {
        format!(
            "`{room}` must not name `{text}` (rule 4: no runtime, web server, database, file, socket or clock)"
        )
    })
}
