//! Debian's Prometheus and Alertmanager on the network's node.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::site::Site;

/// A process that ends with the test, however that ends.
pub struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a program of Debian's packages is: as a command, or where `tests/run` puts it.
/// Where it is not, that is told.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/usr/bin").join(name);
    let found = [Path::new("/usr/bin").join(name), unpacked].into_iter().find(|one| one.exists());
    if found.is_none() {
        eprintln!("SKIPPED: it needs {name}; tests/run installs it");
    }
    found
}

/// Starts an Alertmanager at port 9093.
pub fn start_alertmanager(site: &Site, program: &Path, config: &str) -> Killed {
    let folder = site.folder.path();
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, config).unwrap();
    // Debian's build reads templates below /usr/share. `ip netns exec` gives it mounts of
    // its own, so that where it is only unpacked, its own folder can stand there.
    let share = program.parent().unwrap().with_file_name("share");
    let start = "if [ ! -e /usr/share/prometheus/alertmanager ]; then mount --bind \"$1\" /usr/share; fi; shift; exec \"$@\"";
    let mut command = site.network.command("node", "sh");
    command
        .args(["-ec", start, "sh"])
        .arg(share)
        .arg(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .args(["--cluster.listen-address=", "--web.listen-address=127.0.0.1:9093"]);
    Killed(command.stderr(Stdio::null()).spawn().unwrap())
}

/// Starts a Prometheus that asks the agent for its metrics each second, has these
/// rules, and sends alerts to the Alertmanager.
pub fn start_prometheus(site: &Site, program: &Path, rules: &str) -> Killed {
    let folder = site.folder.path();
    std::fs::write(folder.join("rules.yml"), rules).unwrap();
    let target = site.agent.base().strip_prefix("http://").unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:9093']}}]}}]}}
scrape_configs:
- job_name: replyscope-agent
  authorization: {{credentials_file: token}}
  static_configs: [{{targets: ['{target}']}}]
"
    );
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let mut command = site.network.command("node", program.to_str().unwrap());
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
        .arg("--web.listen-address=127.0.0.1:9090");
    Killed(command.stderr(Stdio::null()).spawn().unwrap())
}

/// The alerts that the Alertmanager has.
pub fn alerts(site: &Site) -> Vec<Value> {
    let mut curl = site.network.command("node", "curl");
    let kept = curl.args(["-sS", "http://127.0.0.1:9093/api/v2/alerts"]).output().unwrap().stdout;
    serde_json::from_slice(&kept).unwrap_or_default()
}
