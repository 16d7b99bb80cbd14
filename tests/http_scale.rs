//! A report on many devices over HTTP: paged, filtered, one device at a time.

#[cfg(test)]
#[path = "support/crowd.rs"]
mod crowd;
#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reqwest::Method;
    use serde_json::Value;

    use super::crowd::{PATTERN, capture, device};
    use super::folder::Folder;
    use super::http::{Server, problem};

    const DEVICES: u32 = 10_000;
    /// One that sorts by nothing.
    const CHOSEN_ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    const OF_EACH_FAULT: u32 = DEVICES / PATTERN;

    /// Uploads the crowd; returns the report's path in the API.
    async fn upload(server: &Server) -> (String, Value) {
        let query = format!("name=crowd.pcap&id={CHOSEN_ID}");
        let request = server.request(Method::POST, &format!("/api/v1/analyses?{query}"));
        let request = request.header("content-type", "application/vnd.tcpdump.pcap");
        let response = request.body(capture(DEVICES)).send().await.unwrap();
        assert_eq!(response.status(), 201);
        let path = response.headers()["location"].to_str().unwrap().to_owned();
        assert!(path.ends_with(CHOSEN_ID), "{path}");
        (path, response.json().await.unwrap())
    }

    fn addresses(devices: &Value) -> Vec<String> {
        let devices = devices.as_array().unwrap().iter();
        devices.map(|device| device["device"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_crowd_is_paged_filtered_and_found() {
        let folder = Folder::new("scale");
        let server = Server::start(folder.path()).await;
        let (path, report) = upload(&server).await;
        assert_eq!(report["summary"]["devices"], DEVICES);
        assert_eq!(report["summary"]["verdicts"]["broken"], OF_EACH_FAULT);
        assert_eq!(report["summary"]["verdicts"]["unanswered"], OF_EACH_FAULT);

        // Complete, and the same as what the upload answered.
        let whole = server.get_json(&path).await;
        assert!(whole == report, "the stored report is another one");
        let worst = addresses(&whole["devices"]);
        assert_eq!(worst.len(), usize::try_from(DEVICES).unwrap());

        check_cut(&server, &path, &whole).await;
        check_pages(&server, &path, &worst).await;
        check_filters(&server, &path).await;
        check_one_device(&server, &path, &whole).await;
        let page = path.replace("/api/v1", "");
        check_page(&server, &page).await;

        assert_eq!(server.capture_folders().len(), 1);
        let deletion = server.request(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(deletion.status(), 204);
        assert!(server.capture_folders().is_empty());
        problem(server.get(&format!("{path}/devices")).await, 404, "analysis-not-found").await;
        server.stop().await;
    }

    /// `device_limit` cuts the list and nothing else.
    async fn check_cut(server: &Server, path: &str, whole: &Value) {
        for limit in [0_u32, 1, 3, 199, 200, 201, 450] {
            let cut = server.get_json(&format!("{path}?device_limit={limit}")).await;
            let shown = usize::try_from(limit).unwrap();
            let devices = &whole["devices"].as_array().unwrap()[..shown];
            assert!(cut["devices"].as_array().unwrap().as_slice() == devices, "{limit}");
            assert_eq!(cut["devices_omitted"], DEVICES - limit, "{limit}");
            assert_eq!(cut["state"], "finished", "{limit}");
            for key in ["id", "headline", "summary", "captures", "addresses", "verdict"] {
                assert_eq!(cut[key], whole[key], "{key}");
            }
        }
        let all = server.get_json(&format!("{path}?device_limit=4294967296")).await;
        assert_eq!(all["devices_omitted"], 0);
        let response = server.get(&format!("{path}?device_limit=few")).await;
        problem(response, 400, "bad-query").await;
    }

    /// Pages have each device once, in the order of the report.
    async fn check_pages(server: &Server, path: &str, worst: &[String]) {
        let mut seen = Vec::new();
        let mut next = format!("{path}/devices?limit=200");
        loop {
            let page = server.get_json(&next).await;
            seen.extend(addresses(&page["devices"]));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{path}/devices?limit=200&cursor={cursor}");
        }
        assert!(seen == worst);
        for query in ["limit=0", "limit=201", "cursor=x", "cursor=-1", "verdict=good", "page=2"] {
            let response = server.get(&format!("{path}/devices?{query}")).await;
            problem(response, 400, "bad-query").await;
        }
    }

    async fn check_filters(server: &Server, path: &str) {
        let broken = OF_EACH_FAULT;
        let some = device(20 * 7).to_string();
        let cases = [
            ("verdict=broken", broken),
            ("verdict=tolerated", 0),
            ("cause=follow_up_to_request_address", broken),
            ("cause=request_unanswered&verdict=unanswered", OF_EACH_FAULT),
            ("cause=request_unanswered&verdict=broken", 0),
            (&*format!("q={some}"), 1),
            (&*format!("q={some}&verdict=symmetric"), 0),
            ("q=NTP+works&limit=1", DEVICES - 2 * OF_EACH_FAULT),
            ("q=100%25", 0),
        ];
        for (query, expected) in cases {
            let page = server.get_json(&format!("{path}/devices?{query}")).await;
            let shown = page["devices"].as_array().unwrap().len();
            let most = if query.contains("limit=1") { 1 } else { 50 };
            assert_eq!(shown, most.min(usize::try_from(expected).unwrap()), "{query}");
            assert_eq!(page["next_cursor"].is_null(), shown < most || expected <= 1, "{query}");
        }
        let missing = format!("{}x", &path[..path.len() - 1]);
        problem(server.get(&format!("{missing}/devices")).await, 400, "bad-path").await;
        let unknown = "/api/v1/analyses/00000000-0000-7000-8000-000000000000/devices";
        problem(server.get(unknown).await, 404, "analysis-not-found").await;
    }

    async fn check_one_device(server: &Server, path: &str, whole: &Value) {
        for place in [0, 499, 750, 9_999] {
            let expected = &whole["devices"][place];
            let address = expected["device"].as_str().unwrap();
            let part = server.get_json(&format!("{path}/devices/{address}")).await;
            assert_eq!(&part, expected);
            for finding in part["findings"].as_array().unwrap() {
                let cause = finding["cause"].as_str().unwrap();
                assert_eq!(finding["documentation"], format!("/docs/causes/{cause}"));
            }
            let page =
                server.get(&format!("{path}/devices/{address}").replace("/api/v1", "")).await;
            assert_eq!(page.status(), 200);
            assert!(page.text().await.unwrap().contains(address));
        }
        let response = server.get(&format!("{path}/devices/2001:db8:ffff::4")).await;
        problem(response, 404, "device-not-in-analysis").await;
    }

    /// Links to devices in the table of a page.
    fn rows(html: &str, page: &str) -> BTreeSet<String> {
        let table = html.split("<table class=\"devices\"").nth(1).unwrap_or_default();
        let table = table.split("</table>").next().unwrap();
        let start = format!("href=\"{page}/devices/");
        let links = table.split(&start).skip(1);
        links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    async fn check_page(server: &Server, page: &str) {
        let cases = [
            ("", 100, Some("1 to 100 of 10,000 devices")),
            ("?page=2", 100, Some("101 to 200 of 10,000 devices")),
            ("?page=100", 100, Some("9,901 to 10,000 of 10,000 devices")),
            ("?page=101", 0, Some("none here, of 10,000 devices")),
            ("?page=0", 100, Some("1 to 100 of 10,000 devices")),
            ("?page=18446744073709551615", 0, Some("none here, of 10,000 devices")),
            ("?page=x&from=mail", 100, Some("1 to 100 of 10,000 devices")),
            ("?verdict=unanswered&q=&page=5", 100, Some("401 to 500 of 500 devices")),
            ("?verdict=tolerated", 0, None),
            ("?q=NTP+works&page=2", 100, Some("101 to 200 of 9,000 devices")),
            ("?q=%3Cb%3E", 0, None),
        ];
        for (query, count, position) in cases {
            let response = server.get(&format!("{page}{query}")).await;
            assert_eq!(response.status(), 200, "{query}");
            let html = response.text().await.unwrap();
            assert!(html.len() < 1_000_000, "{query}: {} bytes", html.len());
            assert_eq!(rows(&html, page).len(), count, "{query}");
            match position {
                Some(words) => assert!(html.contains(words), "{query}: {words}"),
                None => assert!(!html.contains("class=\"pager\""), "{query}"),
            }
            assert!(html.contains("<b>500</b> broken"), "{query}: the counts are of all devices");
            assert!(!html.contains("<b>\""), "{query}");
        }
        // The first page tells of the worst, the others only list.
        let first = server.get(page).await.text().await.unwrap();
        assert!(first.contains("What to change"));
        assert!(first.contains("<summary>200 addresses</summary>"));
        assert!(first.contains("id=\"captures\""));
        assert!(first.contains("href=\"/docs/causes/follow_up_to_request_address\""));
        // Links keep the filter.
        let html = server.get(&format!("{page}?verdict=broken&q=2001%3Adb8")).await;
        let html = html.text().await.unwrap();
        let (_, next) = html.split_once("<a rel=\"next\" href=\"").unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&");
        assert!(next.ends_with("?verdict=broken&q=2001%3Adb8&page=2#devices"), "{next}");
        let html = server.get(next.split('#').next().unwrap()).await.text().await.unwrap();
        assert_eq!(rows(&html, page).len(), 100);
        assert!(html.contains("<option value=\"broken\" selected>"));
        assert!(html.contains("value=\"2001:db8\""));
    }
}
