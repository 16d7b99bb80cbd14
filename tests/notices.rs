//! Messages about changed verdicts: the real service, and programs that receive them.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/receiver.rs"]
mod receiver;
#[cfg(test)]
#[path = "support/samples.rs"]
mod samples;

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use replyscope::model::finding::Verdict;
    use replyscope::model::stand_in::address_of;
    use replyscope::store::Store;
    use reqwest::Client;
    use serde_json::Value;
    use tokio::time::Instant;

    use super::folder::Folder;
    use super::receiver::{Hook, Manner};
    use super::samples::report;

    const PUBLIC_URL: &str = "https://replyscope.example.org";

    /// Backups of two devices, one of each family: the follow-ups go to where the
    /// answer came from, or to where it was asked.
    fn backups(goes_on: bool) -> String {
        let (four, six) = if goes_on {
            ("198.51.100.13", "2001:db8::13")
        } else {
            ("198.51.100.21", "2001:db8::21")
        };
        format!(
            "10:00:00.000000 IP 192.0.2.7.58631 > 198.51.100.21.69: TFTP, length 64, WRQ \"startup.cfg\" octet
10:00:00.008000 IP 198.51.100.13.56284 > 192.0.2.7.58631: UDP, length 35
10:00:00.012000 IP 192.0.2.7.58631 > {four}.56284: UDP, length 516
10:00:01.000000 IP6 2001:db8:0:1::7.41226 > 2001:db8::21.69: TFTP, length 64, WRQ \"startup.cfg\" octet
10:00:01.008000 IP6 2001:db8::13.32991 > 2001:db8:0:1::7.41226: UDP, length 35
10:00:01.012000 IP6 2001:db8:0:1::7.41226 > {six}.32991: UDP, length 516
"
        )
    }

    /// The service as a process; dropped, it is killed.
    struct Service {
        child: Child,
        base: String,
        log: Arc<Mutex<String>>,
    }

    impl Service {
        fn start(folder: &Path, receivers: &str) -> Self {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let mut child = Command::new(env!("CARGO_BIN_EXE_replyscope"))
                .args(["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL, "--data"])
                .arg(folder)
                .env("REPLYSCOPE_NOTIFY_URL", receivers)
                .env("RUST_LOG", "trace")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut reader = BufReader::new(child.stderr.take().unwrap());
            let log = Arc::<Mutex<String>>::default();
            let mut base = String::new();
            let mut line = String::new();
            while base.is_empty() {
                line.clear();
                assert!(reader.read_line(&mut line).unwrap() > 0, "{}", log.lock().unwrap());
                log.lock().unwrap().push_str(&line);
                if let Some((_, rest)) = line.split_once("listening on ") {
                    base = rest.trim().trim_end_matches("\u{1b}[0m").to_owned();
                }
            }
            let rest = Arc::clone(&log);
            std::thread::spawn(move || {
                for line in reader.lines().map_while(Result::ok) {
                    rest.lock().unwrap().push_str(&line);
                }
            });
            Self { child, base, log }
        }

        /// Analyses a session, and returns the report.
        async fn analyse(&self, session: String) -> Value {
            let request = Client::new().post(format!("{}/api/v1/analyses", self.base));
            let response = request.header("content-type", "text/plain").body(session).send().await;
            let response = response.unwrap();
            assert_eq!(response.status(), 201);
            response.json().await.unwrap()
        }

        async fn get(&self, path: &str) -> String {
            let response = reqwest::get(format!("{}{path}", self.base)).await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            response.text().await.unwrap()
        }

        async fn wait_for_metric(&self, line: &str) {
            let began = Instant::now();
            loop {
                let metrics = self.get("/metrics").await;
                if metrics.lines().any(|found| found == line) {
                    return;
                }
                assert!(began.elapsed() < Duration::from_secs(20), "{line}\n{metrics}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }

        /// Ends it as a supervisor does; how long that took.
        fn stop(&mut self) -> Duration {
            let began = Instant::now();
            let id = self.child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            assert_eq!(self.child.wait().unwrap().code(), Some(0));
            began.elapsed()
        }
    }

    impl Drop for Service {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Device, verdict, and the verdict before, by device.
    fn verdicts(body: &Value) -> Vec<(&str, &str, Option<&str>)> {
        let changes = body["changes"].as_array().unwrap().iter();
        let mut verdicts: Vec<_> = changes
            .map(|one| {
                let text = |member: &str| one[member].as_str();
                (text("device").unwrap(), text("verdict").unwrap(), text("verdict_before"))
            })
            .collect();
        verdicts.sort_unstable();
        verdicts
    }

    #[tokio::test]
    async fn a_changed_verdict_is_told_again_until_it_is_taken_and_no_other() {
        let folder = Folder::new("notices-change");
        let hook = Hook::start(Manner::Answers(&[500]));
        let receiver = format!("generic=http://{}/hook?token=not-for-logs", hook.address);
        let mut service = Service::start(folder.path(), &receiver);

        let report = service.analyse(backups(false)).await;
        let first = hook.next();
        assert_eq!(first.path, "/hook?token=not-for-logs");
        let second = hook.next();
        assert_eq!(first.body, second.body);
        let body = second.body;
        let expected = [("192.0.2.7", "broken", None), ("2001:db8:0:1::7", "broken", None)];
        assert_eq!(verdicts(&body), expected, "{body:#}");
        let url = format!("{PUBLIC_URL}/analyses/{}", report["id"].as_str().unwrap());
        assert_eq!(body["analysis"]["url"], url);
        let change = body["changes"].as_array().unwrap();
        let change = change.iter().find(|one| one["device"] == "2001:db8:0:1::7").unwrap();
        assert_eq!(change["url"], format!("{url}/devices/2001:db8:0:1::7"));
        assert_eq!(change["asked"]["address"], "2001:db8::21");
        assert_eq!(change["answered_from"][0]["address"], "2001:db8::13");
        assert_eq!(change["followed_up_to"][0]["address"], "2001:db8::21");
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"generic\",outcome=\"sent\"} 1")
            .await;
        service
            .wait_for_metric("replyscope_notice_attempts_failed_total{receiver=\"generic\"} 1")
            .await;

        // The same again is no news; what comes next is.
        service.analyse(backups(false)).await;
        assert!(hook.is_quiet_for(Duration::from_secs(2)));
        service.analyse(backups(true)).await;
        let body = hook.next().body;
        let expected = [
            ("192.0.2.7", "tolerated", Some("broken")),
            ("2001:db8:0:1::7", "tolerated", Some("broken")),
        ];
        assert_eq!(verdicts(&body), expected);
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"generic\",outcome=\"sent\"} 2")
            .await;

        // Who knows the URL can write to the chat: it is nowhere.
        for page in ["/", "/metrics", "/nodes", "/openapi.json"] {
            assert!(!service.get(page).await.contains("not-for-logs"), "{page}");
        }
        service.stop();
        let log = service.log.lock().unwrap().clone();
        assert!(log.contains("a notice is sent"), "{log}");
        assert!(!log.contains("not-for-logs"), "{log}");
    }

    #[tokio::test]
    async fn a_receiver_that_never_answers_holds_up_nobody() {
        let folder = Folder::new("notices-silent");
        let (silent, well) = (Hook::start(Manner::Silent), Hook::start(Manner::Answers(&[])));
        let receivers = format!(
            "slack=http://{0}/services/key,slack=http://{1}/services/key",
            silent.address, well.address
        );
        let mut service = Service::start(folder.path(), &receivers);
        let began = Instant::now();
        service.analyse(backups(false)).await;
        service.analyse(backups(true)).await;
        let told = [well.next().body, well.next().body];
        assert!(told[0]["text"].as_str().unwrap().contains("is broken, not judged before"));
        assert!(told[1]["text"].as_str().unwrap().contains("is tolerated, was broken"));
        silent.next();
        // Sooner than the one that is silent would have been given up once.
        assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
        service.get("/readyz").await;
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"slack-2\",outcome=\"sent\"} 2")
            .await;
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"slack\",outcome=\"sent\"} 0")
            .await;
        service.wait_for_metric("replyscope_notices_waiting{receiver=\"slack\"} 1").await;
        let took = service.stop();
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    #[tokio::test]
    async fn a_receiver_that_refuses_is_not_asked_again() {
        let folder = Folder::new("notices-refused");
        let hook = Hook::start(Manner::Answers(&[404, 302]));
        let receiver = format!("teams=http://{}/workflow?sig=key", hook.address);
        let mut service = Service::start(folder.path(), &receiver);
        service.analyse(backups(false)).await;
        assert_eq!(hook.next().body["type"], "message");
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"teams\",outcome=\"failed\"} 1")
            .await;
        // A redirect is not followed: it could lead the text anywhere.
        service.analyse(backups(true)).await;
        hook.next();
        service
            .wait_for_metric("replyscope_notices_total{receiver=\"teams\",outcome=\"failed\"} 2")
            .await;
        assert!(hook.is_quiet_for(Duration::from_millis(1_500)));
        service.stop();
    }

    #[test]
    fn a_bad_receiver_ends_the_start_and_is_not_repeated() {
        let folder = Folder::new("notices-bad");
        for receiver in ["irc=http://192.0.2.1/key", "http://192.0.2.1/key", "slack=192.0.2.1/key"]
        {
            let output = Command::new(env!("CARGO_BIN_EXE_replyscope"))
                .args(["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL, "--data"])
                .arg(folder.path())
                .args(["--notify-url", receiver])
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(2), "{receiver}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("receiver number 1 of --notify-url"), "{said}");
            assert!(!said.contains("/key"), "{said}");
        }
    }

    /// What an analysis of the device says, and whether that is news: the verdict before,
    /// or `new` where there was none.
    const HISTORY: [(u64, &str, Option<&str>); 14] = [
        // second, verdict, news
        (1, "inconclusive", None),
        (2, "symmetric", None),
        (3, "one_way", None),
        (4, "symmetric", None),
        (5, "tolerated", Some("symmetric")),
        (6, "inconclusive", None),
        (7, "tolerated", None),
        (8, "broken", Some("tolerated")),
        (9, "inconclusive", None),
        (10, "broken", None),
        (20, "unanswered", Some("broken")),
        // It was begun before the one above and is saved after it.
        (15, "symmetric", None),
        (21, "unanswered", None),
        (22, "one_way", Some("unanswered")),
    ];

    #[tokio::test]
    async fn what_is_news_depends_on_what_was_known() {
        let folder = Folder::new("notices-store");
        let store = Store::open(folder.path(), None).await.unwrap();
        for device in ["192.0.2.7", "2001:db8::7"] {
            for (second, verdict, news) in HISTORY {
                // Ids count up with the seconds; each device has its own.
                let second = second + if device.contains(':') { 30 } else { 0 };
                let mut report = report(second, device, verdict, "reply_ignored");
                report.devices[0].addresses = vec![report.devices[0].device];
                store.save(&report).await.unwrap();
                let changes = store.verdict_changes(report.id, 5).await.unwrap();
                let found: Vec<_> = changes.worst.iter().map(|one| one.before).collect();
                let expected: Vec<_> = news.map(Verdict::find_token).into_iter().collect();
                assert_eq!(found, expected, "{device} at {second}: {verdict}");
                assert_eq!(changes.count, u64::try_from(expected.len()).unwrap());
            }
        }
        store.close().await;
    }

    /// They are first, since the worst come first and the order of equals is that of the
    /// report; so they must not take the place of a device that has an address.
    #[tokio::test]
    async fn devices_known_by_name_alone_take_no_place() {
        let folder = Folder::new("notices-named");
        let store = Store::open(folder.path(), None).await.unwrap();
        for (second, device) in [(1, "192.0.2.7"), (2, "2001:db8::7")] {
            let mut report = report(second, device, "unanswered", "request_unanswered");
            let known = report.devices[0].clone();
            for number in 0..5 {
                let name = format!("sw{number}.example");
                let mut named = known.clone();
                named.device = address_of(&name, known.device.is_ipv6());
                named.addresses = vec![named.device];
                named.name = Some(name);
                named.verdict = Verdict::Broken;
                report.devices.insert(0, named);
            }
            report.devices[5].addresses = vec![known.device];
            store.save(&report).await.unwrap();
            let changes = store.verdict_changes(report.id, 5).await.unwrap();
            let found: Vec<_> = changes.worst.iter().map(|one| one.device).collect();
            assert_eq!((found, changes.count), (vec![known.device], 1), "{device}");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn a_device_is_the_same_by_any_address_and_the_worst_come_first() {
        let folder = Folder::new("notices-addresses");
        let store = Store::open(folder.path(), None).await.unwrap();
        // A sample's device has a second address, which is the first one's here.
        store.save(&report(1, "192.0.2.7", "symmetric", "reply_ignored")).await.unwrap();
        let mut second = report(2, "2001:db8::ffff", "broken", "reply_ignored");
        for (number, verdict) in
            [(1, Verdict::Rejected), (2, Verdict::Unanswered), (3, Verdict::OneWay)]
        {
            let mut device = second.devices[0].clone();
            device.device = std::net::Ipv4Addr::new(198, 51, 100, number).into();
            device.addresses = vec![device.device];
            device.verdict = verdict;
            second.devices.push(device);
        }
        second.devices[0].addresses.dedup();
        store.save(&second).await.unwrap();
        let changes = store.verdict_changes(second.id, 2).await.unwrap();
        let found: Vec<_> = changes.worst.iter().map(|one| (one.verdict, one.before)).collect();
        let expected = [(Verdict::Broken, Some(Verdict::Symmetric)), (Verdict::Rejected, None)];
        assert_eq!((found.as_slice(), changes.count), (&expected[..], 3));
        store.close().await;
    }
}
