//! The service as a process: it starts, keeps reports, and ends when told.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/process.rs"]
mod process;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use super::folder::Folder;
    use super::process::Service;

    fn get(address: &str, path: &str) -> String {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn signals_end_it_cleanly_and_its_data_can_be_used_again() {
        let folder = Folder::new("process-signals");
        for (signal, format) in [("-TERM", "text"), ("-INT", "json")] {
            let mut service = Service::start(folder.path(), &["--log-format", format]);
            let address = service.address.clone();
            assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
            // A connection that stays open and idle must not hold up the end.
            let _idle = TcpStream::connect(&address).unwrap();
            service.signal(signal);
            assert_eq!(service.child.wait().unwrap().code(), Some(0), "{signal}");
            assert!(TcpStream::connect(&address).is_err(), "it still listens");
        }
    }

    #[test]
    fn an_upload_that_runs_at_the_end_is_finished_and_kept() {
        let folder = Folder::new("process-upload");
        let capture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding/host.pcap");
        let capture = std::fs::read(capture).unwrap();
        let mut service = Service::start(folder.path(), &[]);
        let mut connection = TcpStream::connect(&service.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let length = capture.len();
        write!(
            connection,
            "POST /api/v1/analyses HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        )
        .unwrap();
        connection.write_all(&capture[..1_000]).unwrap();
        // Its captures are there: the upload runs.
        while std::fs::read_dir(folder.path().join("captures")).unwrap().next().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        service.signal("-TERM");
        std::thread::sleep(Duration::from_millis(100));
        assert!(service.child.try_wait().unwrap().is_none(), "it did not wait for the upload");
        connection.write_all(&capture[1_000..]).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        assert_eq!(service.child.wait().unwrap().code(), Some(0));

        let (_, rest) = answer.split_once("location: ").unwrap();
        let path = rest.split_whitespace().next().unwrap();
        let service = Service::start(folder.path(), &[]);
        assert!(get(&service.address, path).starts_with("HTTP/1.1 200"), "{path}");
        assert_eq!(service.stop(), Some(0));
    }

    #[test]
    fn on_loopback_it_answers_under_no_other_name() {
        let folder = Folder::new("process-host");
        let options = ["--public-url", "https://replyscope.example.org"];
        let service = Service::start(folder.path(), &options);
        let (_, number) = service.address.rsplit_once(':').unwrap();
        let post = |host: &str| {
            let mut connection = TcpStream::connect(&service.address).unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            // As the page of a name sends it that was made to lead here.
            write!(connection, "POST /api/v1/analyses HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            answer
        };
        for (host, words) in [
            (format!("evil.example:{number}"), "/problems/foreign-host"),
            (format!("192.0.2.1:{number}"), "/problems/foreign-host"),
            (format!("[2001:db8::1]:{number}"), "/problems/foreign-host"),
            (format!("localhost:{number}"), "/problems/empty-input"),
            (format!("127.0.0.1:{number}"), "/problems/empty-input"),
            ("replyscope.example.org".to_owned(), "/problems/empty-input"),
        ] {
            let answer = post(&host);
            assert!(answer.contains(words), "{host}: {answer}");
        }
        // Reading alone carries off every report; probes tell nothing.
        let read = |path: &str, host: &str| {
            let mut connection = TcpStream::connect(&service.address).unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            write!(connection, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).unwrap();
            answer.split(' ').nth(1).unwrap().to_owned()
        };
        for host in ["evil.example", "192.0.2.1:80", "[2001:db8::1]"] {
            for path in ["/", "/api/v1/analyses", "/openapi.json", "/docs/", "/nowhere"] {
                assert_eq!(read(path, host), "403", "{host} {path}");
            }
            for path in ["/livez", "/readyz", "/metrics"] {
                assert_eq!(read(path, host), "200", "{host} {path}");
            }
        }
        for host in ["localhost", "[::1]:1", "replyscope.example.org"] {
            assert_eq!(read("/api/v1/analyses", host), "200", "{host}");
        }
        assert_eq!(service.stop(), Some(0));
    }

    #[test]
    fn bad_settings_end_it_with_code_2() {
        let folder = Folder::new("process-settings");
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = listener.local_addr().unwrap().to_string();
        let file = file.to_str().unwrap();
        let cases = [
            (vec!["--database-url", "postgres://x/y"], "PostgreSQL is not supported yet"),
            (vec!["--data", file], "cannot be used"),
            (vec!["--public-url", "https://portal.example.org/replyscope"], "'/replyscope'"),
            (vec!["--listen", &taken], "cannot listen on"),
        ];
        for (options, words) in cases {
            let mut arguments = vec!["serve"];
            if !options.contains(&"--data") {
                arguments.extend(["--data", folder.path().to_str().unwrap()]);
            }
            arguments.extend(&options);
            let output =
                Command::new(env!("CARGO_BIN_EXE_replyscope")).args(&arguments).output().unwrap();
            let log = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{options:?}: {log}");
            assert!(log.contains(words), "{options:?}: {log}");
            assert!(output.stdout.is_empty());
        }
    }
}
