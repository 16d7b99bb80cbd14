//! Uploads that work: what comes back, what is kept, and what it is called.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use reqwest::multipart::{Form, Part};
    use reqwest::{Body, Method, Response};
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::folder::Folder;
    use super::http::{Server, problem};

    const ANALYSES: &str = "/api/v1/analyses";

    const TFTP_LINES: &str = "\
10:00:00.000000 IP 192.0.2.7.58631 > 198.51.100.21.69: TFTP, length 64, WRQ \"startup.cfg\" octet
10:00:00.008000 IP 198.51.100.13.56284 > 192.0.2.7.58631: UDP, length 35
10:00:00.012000 IP 192.0.2.7.58631 > 198.51.100.13.56284: UDP, length 516
10:00:01.000000 IP6 2001:db8:0:1::7.41226 > 2001:db8::21.69: TFTP, length 64, WRQ \"startup.cfg\" octet
10:00:01.008000 IP6 2001:db8::13.32991 > 2001:db8:0:1::7.41226: UDP, length 35
10:00:01.012000 IP6 2001:db8:0:1::7.41226 > 2001:db8::21.32991: UDP, length 516
";

    fn fixture(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/founding");
        std::fs::read(folder.join(name)).unwrap()
    }

    fn part(name: &str, file_name: &str) -> Part {
        Part::bytes(fixture(name)).file_name(file_name.to_owned())
    }

    /// A body without a length, in small pieces.
    fn chunked(bytes: &[u8]) -> Body {
        let chunks: Vec<_> =
            bytes.chunks(700).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
        Body::wrap_stream(futures_util::stream::iter(chunks))
    }

    /// Checks that `response` brings a report that can be found again, and returns it.
    async fn created(server: &Server, response: Response) -> Value {
        let status = response.status();
        let location = response.headers().get("location").cloned();
        let report: Value = response.json().await.unwrap();
        assert_eq!(status, 201, "{report}");
        let path = format!("{ANALYSES}/{}", report["id"].as_str().unwrap());
        assert_eq!(location.unwrap(), path.as_str());
        assert_eq!(server.get_json(&path).await, report);
        report
    }

    fn blob(folder: &Folder, report: &Value, number: u32) -> Vec<u8> {
        let id = report["id"].as_str().unwrap();
        std::fs::read(folder.path().join("captures").join(id).join(number.to_string())).unwrap()
    }

    /// Nine megabytes: large UDP datagrams to nobody's port, and `first` before them.
    fn large_capture(begin_s: u32, first: Option<(u16, u16)>) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            file.extend(word.to_le_bytes());
        }
        let ports = first.into_iter().map(|ports| (ports, 8_u16));
        let packets = ports.chain((0..150).map(|_| ((9, 9), 60_000)));
        for (number, ((from, to), length)) in (0_u32..).zip(packets) {
            let is_answer = from == 53;
            let udp = [from, to, 8 + length, 0].into_iter().flat_map(u16::to_be_bytes);
            let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
            frame.extend((28 + length).to_be_bytes());
            frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
            let (source, destination) = if is_answer { (21, 7) } else { (7, 21) };
            frame.extend([192, 0, 2, source, 192, 0, 2, destination]);
            frame.extend(udp);
            frame.resize(42 + usize::from(length), 0);
            let captured = u32::try_from(frame.len()).unwrap();
            for word in [1_732_000_000 + begin_s, number * 1_000, captured, captured] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    #[tokio::test]
    async fn large_files_of_one_upload_may_come_in_any_order() {
        let folder = Folder::new("happy-order");
        let server = Server::start(folder.path()).await;
        let files = [
            ("cap", large_capture(0, Some((5_000, 53)))),
            ("cap2", large_capture(1, Some((53, 5_000)))),
            ("cap10", large_capture(2, None)),
        ];
        let mut told = Vec::new();
        for order in [[0, 1, 2], [0, 2, 1], [2, 1, 0]] {
            let mut form = Form::new();
            for (name, bytes) in order.map(|place| &files[place]) {
                form = form.part("capture", Part::bytes(bytes.clone()).file_name(*name));
            }
            let request = server.request(Method::POST, ANALYSES).multipart(form);
            let report = created(&server, request.send().await.unwrap()).await;
            // As they came.
            for (number, place) in (0..).zip(order) {
                assert!(blob(&folder, &report, number) == files[place].1, "{order:?}");
            }
            told.push(
                [&report["captures"], &report["devices"], &report["headline"]].map(Value::clone),
            );
        }
        assert_eq!(told[0][0][2]["continues"], "cap2");
        assert_eq!(told[1], told[0]);
        assert_eq!(told[2], told[0]);
    }

    #[tokio::test]
    async fn a_capture_as_the_body() {
        let folder = Folder::new("happy-body");
        let server = Server::start(folder.path()).await;
        let capture = fixture("host.pcap");
        let path = format!("{ANALYSES}?name=../host.pcap&point=host@node3/eth0&title=the+incident");
        for content_type in
            [None, Some("application/vnd.tcpdump.pcap"), Some("application/octet-stream")]
        {
            let request = server.request(Method::POST, &path);
            let request = match content_type {
                Some(content_type) => {
                    request.header("content-type", content_type).body(capture.clone())
                }
                None => request.body(chunked(&capture)),
            };
            let report = created(&server, request.send().await.unwrap()).await;
            assert_eq!(report["title"], "the incident");
            assert_eq!(report["captures"][0]["name"], "host.pcap");
            assert_eq!(report["captures"][0]["point"], "host");
            assert_eq!(report["captures"][0]["node"], "node3");
            assert!(!report["devices"].as_array().unwrap().is_empty());
            assert_eq!(blob(&folder, &report, 0), capture);
        }
        let list = server.get_json(&format!("{ANALYSES}?q=incident")).await;
        assert_eq!(list["analyses"].as_array().unwrap().len(), 3);
        let device = list_device(&server).await;
        let history = server.get_json(&format!("/api/v1/devices/{device}")).await;
        assert_eq!(history["history"].as_array().unwrap().len(), 3);
        server.stop().await;
    }

    async fn list_device(server: &Server) -> String {
        let list = server.get_json("/api/v1/devices?limit=1").await;
        list["devices"][0]["device"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn captures_inventories_and_metadata_as_a_form() {
        let folder = Folder::new("happy-form");
        let server = Server::start(folder.path()).await;
        // Which devices there are, a first upload says.
        let request = server.request(Method::POST, ANALYSES).body(fixture("host.pcap"));
        let first = created(&server, request.send().await.unwrap()).await;
        let device = first["devices"][0]["device"].as_str().unwrap();

        let metadata = json!({
            "title": "two points",
            "points": { "a.pcap": "host@node3/eth0", "pod.pcap": "pod@node3" },
            "devices": { device: "access switch" },
        });
        let form = Form::new()
            .text("metadata", metadata.to_string())
            .part("inventory", part("ip-addr.txt", "ip-addr.txt"))
            .part("inventory", part("pods.txt", "pods.txt"))
            .part("capture", part("host.pcap", "a.pcap"))
            .part("capture", part("pod.pcap", "pod.pcap"));
        let request = server.request(Method::POST, ANALYSES).multipart(form);
        let report = created(&server, request.send().await.unwrap()).await;
        assert_eq!(report["title"], "two points");
        let captures = report["captures"].as_array().unwrap();
        let points: Vec<_> =
            captures.iter().map(|one| (one["name"].clone(), one["point"].clone())).collect();
        assert_eq!(points, [(json!("a.pcap"), json!("host")), (json!("pod.pcap"), json!("pod"))]);
        assert_eq!(blob(&folder, &report, 0), fixture("host.pcap"));
        assert_eq!(blob(&folder, &report, 1), fixture("pod.pcap"));
        let id = report["id"].as_str().unwrap();
        let part = server.get_json(&format!("{ANALYSES}/{id}/devices/{device}")).await;
        assert_eq!(part["name"], "access switch");
        for page in [format!("/analyses/{id}"), format!("/analyses/{id}/devices/{device}")] {
            let response = server.get(&page).await;
            assert_eq!(response.status(), 200, "{page}");
            assert!(response.text().await.unwrap().contains("access switch"), "{page}");
        }
        let found = server.get_json(&format!("{ANALYSES}?node=node3&q=two+points")).await;
        assert_eq!(found["analyses"][0]["id"], report["id"]);

        let deletion = server.request(Method::DELETE, &format!("{ANALYSES}/{id}"));
        assert_eq!(deletion.send().await.unwrap().status(), 204);
        assert!(!server.capture_folders().contains(&id.to_owned()));
        server.stop().await;
    }

    #[tokio::test]
    async fn pasted_text() {
        let folder = Folder::new("happy-text");
        let server = Server::start(folder.path()).await;
        let raw = server.request(Method::POST, ANALYSES).header("content-type", "text/plain");
        let form = Form::new().text("title", "pasted").text("text", TFTP_LINES);
        let requests =
            [raw.body(TFTP_LINES), server.request(Method::POST, ANALYSES).multipart(form)];
        for request in requests {
            let report = created(&server, request.send().await.unwrap()).await;
            assert_eq!(report["captures"][0]["format"], "tcpdump_text");
            assert_eq!(report["captures"][0]["datagrams"], 6);
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn the_form_of_the_page() {
        let folder = Folder::new("happy-page");
        let server = Server::start(folder.path()).await;
        let nothing = || Part::bytes(Vec::new()).file_name("");
        let form = Form::new()
            .part("capture", part("host.pcap", "<img src=x>.pcap"))
            .part("inventory", nothing())
            .text("text", "")
            .text("title", "");
        let request =
            server.request(Method::POST, "/analyses").header("sec-fetch-site", "same-origin");
        let response = request.multipart(form).send().await.unwrap();
        assert_eq!(response.status(), 303);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let page = server.get(&location).await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        assert!(!page.contains("<img src=x>"), "a name brings no markup");
        assert!(page.contains("src=x"), "the name is shown, escaped");
        assert!(server.get("/").await.text().await.unwrap().contains(&location));
        server.stop().await;
    }

    #[tokio::test]
    async fn names_are_labels() {
        let folder = Folder::new("happy-names");
        let server = Server::start(folder.path()).await;
        let form = Form::new()
            .part("capture", part("host.pcap", "../../../etc/passwd"))
            .part("capture", part("host.pcap", "passwd"))
            .part("capture", part("host.pcap", "..\\..\\x\u{202e}.pcap"));
        let request = server.request(Method::POST, ANALYSES).multipart(form);
        let report = created(&server, request.send().await.unwrap()).await;
        let captures = report["captures"].as_array().unwrap();
        let names: Vec<_> = captures.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["passwd", "passwd (2)", "x.pcap"]);
        let path = folder.path().join("captures").join(report["id"].as_str().unwrap());
        let mut files: Vec<_> =
            std::fs::read_dir(path).unwrap().map(|one| one.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["0", "1", "2"]);
        server.stop().await;
    }

    #[tokio::test]
    async fn a_form_with_one_bad_part_keeps_nothing() {
        let folder = Folder::new("happy-bad-part");
        let server = Server::start(folder.path()).await;
        let post = |form| server.request(Method::POST, ANALYSES).multipart(form);
        let good = || part("host.pcap", "good.pcap");
        let jpeg = || Part::bytes(&b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"[..]).file_name("photo.jpg");
        let points = json!({ "points": { "good.pcap": "host" } }).to_string();
        let cases = [
            (
                Form::new().part("capture", good()).part("capture", jpeg()),
                "not-a-capture",
                "photo.jpg",
            ),
            (
                Form::new().part("capture", good()).part("inventory", jpeg()),
                "not-an-inventory",
                "photo.jpg",
            ),
            (
                Form::new().part("capture", good()).text("metadata", points),
                "bad-metadata",
                "metadata first",
            ),
            (
                Form::new()
                    .part("capture", good())
                    .part("capture", Part::bytes(Vec::new()).file_name("0.pcap")),
                "empty-input",
                "0.pcap",
            ),
        ];
        for (form, kind, words) in cases {
            let found = problem(post(form).send().await.unwrap(), 400, kind).await;
            assert!(found["detail"].as_str().unwrap().contains(words), "{found}");
        }
        assert!(server.capture_folders().is_empty());
        assert_eq!(server.get_json(ANALYSES).await["analyses"], json!([]));
        server.stop().await;
    }

    #[tokio::test]
    async fn an_upload_that_gets_no_place_is_told_when_to_come_back() {
        let folder = Folder::new("happy-places");
        let server = Server::start_with(folder.path(), |settings| {
            settings.concurrent_uploads = 1;
            settings.queue_time = Duration::from_millis(200);
        })
        .await;
        let mut busy = TcpStream::connect(server.address).await.unwrap();
        let capture = fixture("host.pcap");
        let head = format!(
            "POST {ANALYSES} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
            capture.len()
        );
        busy.write_all(head.as_bytes()).await.unwrap();
        busy.write_all(&capture[..1_000]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;

        let request = server.request(Method::POST, ANALYSES).body(capture.clone());
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "10");
        problem(response, 503, "busy").await;

        // An upload that ends early leaves nothing, and its place to the next.
        assert_eq!(server.capture_folders().len(), 1);
        drop(busy);
        let request = server.request(Method::POST, ANALYSES).body(capture);
        let report = created(&server, request.send().await.unwrap()).await;
        assert_eq!(server.capture_folders(), [report["id"].as_str().unwrap()]);
        // None of it is a fault of the service, nor of what was sent.
        let metrics = server.get("/metrics").await.text().await.unwrap();
        let counts = [("stored", 1), ("busy", 1), ("abandoned", 1), ("refused", 0), ("failed", 0)];
        for (outcome, count) in counts {
            let line = format!("replyscope_uploads_total{{outcome=\"{outcome}\"}} {count}");
            assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn slow_senders_keep_nobody_from_being_analysed() {
        let folder = Folder::new("happy-turns");
        let server = Server::start_with(folder.path(), |settings| {
            settings.concurrent_analyses = 1;
            settings.queue_time = Duration::from_millis(200);
        })
        .await;
        let capture = fixture("host.pcap");
        let head = format!(
            "POST {ANALYSES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            capture.len()
        );
        let mut slow = Vec::new();
        for sent in [0, 1, 1_000] {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            connection.write_all(head.as_bytes()).await.unwrap();
            connection.write_all(&capture[..sent]).await.unwrap();
            slow.push((connection, sent));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let request = server.request(Method::POST, ANALYSES).body(capture.clone());
        created(&server, request.send().await.unwrap()).await;
        // Theirs come in the end as well.
        for (mut connection, sent) in slow {
            connection.write_all(&capture[sent..]).await.unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn a_form_larger_than_any_buffer() {
        let folder = Folder::new("happy-large");
        let server = Server::start(folder.path()).await;
        let mut capture = fixture("host.pcap");
        // The records again and again, after one file header of 24 bytes.
        let records = capture[24..].to_vec();
        while capture.len() < 8 << 20 {
            capture.extend_from_slice(&records);
        }
        let form =
            Form::new().part("capture", Part::bytes(capture.clone()).file_name("large.pcap"));
        let request = server.request(Method::POST, ANALYSES).multipart(form);
        let report = created(&server, request.send().await.unwrap()).await;
        assert_eq!(report["captures"][0]["warnings"], json!([]));
        assert!(blob(&folder, &report, 0) == capture);
        server.stop().await;
    }
}
