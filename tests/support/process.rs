//! The service as a process of its own, on a free port.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running service; dropped, it is killed.
pub struct Service {
    /// Address and port.
    pub address: String,
    pub child: Child,
}

impl Service {
    /// Starts it with its data in `folder`, and waits until it listens.
    pub fn start(folder: &Path, options: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_replyscope"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .args(options)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut service = Self { address: String::new(), child };
        let mut log = BufReader::new(service.child.stderr.take().unwrap());
        let mut line = String::new();
        while log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("http://") {
                let is_part = |sign: char| sign == ':' || sign == '.' || sign.is_ascii_digit();
                let end = rest.find(|sign| !is_part(sign)).unwrap_or(rest.len());
                service.address.push_str(&rest[..end]);
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return service;
            }
            line.clear();
        }
        panic!("the service did not say where it listens");
    }

    /// Sends a signal, such as `-TERM`.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it as a supervisor does, and returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where `stop` was called.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
