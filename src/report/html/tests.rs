use super::*;
use crate::report::samples;

const SERVICE: Setting<'_> = Setting::Service { stylesheet: "/static/app-0123456789abcdef.css" };

/// Both pages of a report in both settings.
fn pages(report: &Report) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for (name, setting) in [("file", Setting::File), ("service", SERVICE)] {
        pages.push((format!("report-{name}"), render_report(report, setting).unwrap()));
        for device in &report.devices[..2] {
            let page = render_device(report, device.device, setting).unwrap().unwrap();
            pages.push((format!("device-{name}"), page));
        }
    }
    pages
}

#[test]
fn no_page_runs_or_fetches_anything() {
    for report in [samples::founding(), samples::hostile()] {
        for (name, page) in pages(&report) {
            samples::assert_harmless(&name, &page);
        }
    }
}

#[test]
fn a_page_has_its_styles_where_its_setting_wants_them() {
    let report = samples::founding();
    let file = render_report(&report, Setting::File).unwrap();
    assert_eq!(file.matches("<style>").count(), 1);
    assert!(!file.contains("<link"));
    assert!(!file.contains("href=\"/"), "a file has no service behind it");
    let page = render_report(&report, SERVICE).unwrap();
    assert!(page.contains("<link rel=\"stylesheet\" href=\"/static/app-0123456789abcdef.css\">"));
    assert!(!page.contains("<style"));
    assert!(page.contains(&format!("href=\"/analyses/{}/devices/2000::65:119\"", report.id)));
}

#[test]
fn links_within_a_page_lead_somewhere() {
    for report in [samples::founding(), samples::large(300)] {
        let page = render_report(&report, Setting::File).unwrap();
        for link in page.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }
}

#[test]
fn ids_are_unique() {
    for (name, page) in pages(&samples::founding()) {
        let mut ids: Vec<_> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|a, b| a < b), "{name}: {ids:?}");
    }
}

#[test]
fn a_capture_without_dates_shows_none() {
    for (name, page) in pages(&samples::founding()) {
        assert!(!page.contains("1970"), "{name}");
        assert!(page.contains("11:55:29.405745") || page.contains("12:00:02.350499"), "{name}");
    }
}

#[test]
fn a_large_report_makes_a_small_page() {
    let page = render_report(&samples::large(100_000), Setting::File).unwrap();
    assert_eq!(
        page.matches("<svg class=\"wide\"").count(),
        11,
        "ten devices, one with two exchanges"
    );
    assert!(page.contains("and 99,800 more"));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn an_empty_report_is_a_page() {
    let mut report = samples::founding();
    (report.devices, report.addresses, report.captures) = (Vec::new(), Vec::new(), Vec::new());
    assert!(render_report(&report, Setting::File).unwrap().contains("<h1>"));
}

#[test]
fn a_device_is_found_by_any_of_its_addresses() {
    let mut report = samples::founding();
    let second = samples::ip("2001:db8::7");
    report.devices[1].addresses.push(second);
    let cases = [
        ("192.168.101.254", true),
        ("2001:db8::7", true),
        ("2000::65:119", true),
        ("192.0.2.9", false),
    ];
    for (address, is_found) in cases {
        let page = render_device(&report, samples::ip(address), Setting::File).unwrap();
        assert_eq!(page.is_some(), is_found, "{address}");
    }
}

#[test]
fn the_founding_report_reads_so() {
    let page = render_report(&samples::founding(), Setting::File).unwrap();
    insta::assert_snapshot!("founding_html", page.replace(STYLESHEET, ""));
}
