//! The whole way of an alert: an agent's watch, the rules and the route in `deploy/`,
//! Prometheus and Alertmanager as they are, and the query that comes of it.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::monitoring::{alerts, find_program, start_alertmanager, start_prometheus};
use crate::netns::{DEVICE, VIP, endpoint};
use crate::site::{Site, site, wait};

/// Waiting is what the example does on purpose and a test need not.
fn deployed(file: &str, changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(file);
    let mut text = std::fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{file} has no '{from}'");
        text = text.replace(from, to);
    }
    text
}

/// A device that fails to make its backup.
fn fail(site: &Site, family: usize, port: u16) -> Child {
    let (from, to) = (endpoint(DEVICE[family], port), endpoint(VIP[family], 69));
    let mut put = site.network.helper("device", &format!("put {from} {to} to-asked"));
    put.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn an_alert_on_a_watched_device_asks_the_node_that_saw_it() {
    let (Some(alertmanager), Some(prometheus)) =
        (find_program("prometheus-alertmanager"), find_program("prometheus"))
    else {
        return;
    };
    let devices = DEVICE.join(",");
    let options = ["--watch", &devices, "--watch-window-seconds", "8"];
    let Some(site) = site("watched-alerts", &options) else { return };
    // Of several nodes the label alone says which is meant.
    let service = site.serve(&["--alert-seconds", "12", "--node", "node4=http://127.0.0.1:9"]);
    let route = deployed(
        "alertmanager/alertmanager.yml",
        &[
            ("https://replyscope.example.org", &format!("http://{}", service.address)),
            ("  group_by:", "  group_wait: 0s\n  group_interval: 1s\n  group_by:"),
        ],
    );
    let rules = deployed("prometheus/watch.yml", &[("for: 1m", "for: 1s")]);
    let _alertmanager = start_alertmanager(&site, &alertmanager, &route);
    let _prometheus = start_prometheus(&site, &prometheus, &rules);

    let is_over = AtomicBool::new(false);
    let ids = std::thread::scope(|scope| {
        for family in [0, 1] {
            let (site, is_over) = (&site, &is_over);
            scope.spawn(move || {
                for port in 40_000.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    // It ends when nothing is answered any more.
                    fail(site, family, port).wait().unwrap();
                }
            });
        }
        let find = |device: &str| {
            let text = service.get(&format!("/devices/{device}")).text;
            let (_, rest) = text.split_once("href=\"/analyses/")?;
            Some(rest.split(['"', '/']).next().unwrap().to_owned())
        };
        let mut ids = Vec::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for device in DEVICE {
                wait("an alert starts a query", || find(device).is_some());
                ids.push(find(device).unwrap());
            }
            for id in &ids {
                let report = service.report(id);
                assert_eq!(report["verdict"], "broken", "{report:#}");
                assert_eq!(report["query"]["node"], "node3");
            }
        }));
        is_over.store(true, Ordering::Relaxed);
        if let Err(panic) = found {
            std::panic::resume_unwind(panic);
        }
        ids
    });
    let sent = alerts(&site);
    for (device, id) in DEVICE.iter().zip(ids) {
        let is_meant = |one: &&serde_json::Value| {
            one["labels"]["alertname"] == "DeviceExchangeBroken"
                && one["labels"]["device"] == *device
        };
        let alert = sent.iter().find(is_meant).unwrap_or_else(|| panic!("{sent:#?}"));
        assert_eq!(alert["labels"]["node"], "node3", "{alert:#}");
        let link = alert["annotations"]["replyscope"].as_str().unwrap();
        let path = link.strip_prefix("https://replyscope.example.org").unwrap();
        let text = service.get(path).text;
        assert!(text.contains(&format!("href=\"/analyses/{id}/devices/")), "{text}");
    }
}
