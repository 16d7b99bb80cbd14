use uuid::Uuid;

use super::*;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Verdict;
use crate::model::time::Timestamp;
use crate::notify::notice::Change;

const KINDS: [Kind; 5] = [Kind::Slack, Kind::Teams, Kind::Feishu, Kind::DingTalk, Kind::Generic];

const BASE: &str = "https://replyscope.example.org/analyses/01940000-0000-7000-8000-000000000001";

fn endpoint(text: &str) -> Endpoint {
    text.parse::<std::net::SocketAddr>().unwrap().into()
}

fn change(device: &str, asked: &str, answerer: &str, before: Option<Verdict>) -> Change {
    let device: std::net::IpAddr = device.parse().unwrap();
    let asked = endpoint(asked);
    let answerer = endpoint(answerer);
    Change {
        device,
        name: None,
        verdict: Verdict::Broken,
        verdict_before: before,
        headline: format!(
            "Follow-ups go to {}, the answer came from {}",
            asked.address, answerer.address
        ),
        asked: Some(asked),
        answered_from: vec![answerer],
        followed_up_to: vec![Endpoint::new(asked.address, answerer.port)],
        url: format!("{BASE}/devices/{device}"),
        names: crate::model::stand_in::StandIns::default(),
    }
}

fn notice(changes: Vec<Change>, changes_omitted: u64) -> Notice {
    Notice {
        analysis: Uuid::from_u128(0x0194_0000_0000_7000_8000_0000_0000_0001),
        title: "node3 asked about 2001:db8::7".to_owned(),
        created_at: Timestamp::from_seconds(1_732_000_000),
        url: BASE.to_owned(),
        changes,
        changes_omitted,
    }
}

fn four() -> Change {
    change("192.0.2.7", "198.51.100.21:69", "198.51.100.13:56284", None)
}

fn six() -> Change {
    let before = Some(Verdict::Tolerated);
    change("2001:db8::7", "[2001:db8:1::21]:69", "[2001:db8:1::13]:32991", before)
}

#[test]
fn one_device_in_each_kind() {
    for kind in KINDS {
        let body = render(kind, &notice(vec![six()], 0));
        insta::assert_json_snapshot!(format!("one_device_{}", kind.as_token()), body);
    }
}

#[test]
fn several_devices_in_each_kind() {
    let silent = Change {
        name: Some("switch1".to_owned()),
        verdict: Verdict::Unanswered,
        verdict_before: Some(Verdict::Symmetric),
        headline: "No answer to 3 requests".to_owned(),
        answered_from: Vec::new(),
        followed_up_to: Vec::new(),
        ..four()
    };
    for kind in KINDS {
        let body = render(kind, &notice(vec![four(), six(), silent.clone()], 12));
        insta::assert_json_snapshot!(format!("several_devices_{}", kind.as_token()), body);
    }
}

#[test]
fn names_are_no_markup_of_those_that_take_slacks_messages() {
    let cases = [
        // a device's name, and what must not come of it
        ("@channel [report](http://evil.example)", vec!["@channel", "](", "http://evil"]),
        ("@here @all", vec!["@here", "@all"]),
        ("[x][y] [y]: http://evil.example", vec!["][", "]:\u{20}", "http://evil"]),
        ("www.evil.example WWW.evil.example", vec!["www.e", "WWW.e"]),
        ("*b* _i_ ~s~ `c` ~town-square", vec!["*b", "_i", "~", "`"]),
        ("# heading #tag", vec!["# ", "#tag"]),
        ("a|b\\*", vec!["a|b", "\\"]),
    ];
    for (name, parts) in cases {
        for change in [four(), six()] {
            let change = Change { name: Some(name.to_owned()), ..change };
            let mut notice = notice(vec![change], 0);
            notice.title = name.to_owned();
            let body = render(Kind::Slack, &notice);
            let text = body["text"].as_str().unwrap();
            let said: String = text.lines().filter(|line| !line.starts_with('<')).collect();
            let link = text.lines().last().unwrap().rsplit_once('|').unwrap().1;
            for part in &parts {
                assert!(!said[1..].contains(part), "{part} in {said}");
                assert!(!link.contains(part), "{part} in {link}");
            }
        }
    }
    // What names and addresses have anyway stays.
    let change = Change { name: Some("switch_1.example-a (rack 2)".to_owned()), ..six() };
    let body = render(Kind::Slack, &notice(vec![change], 0));
    let text = body["text"].as_str().unwrap();
    for part in ["switch_1.example-a (rack 2) (2001:db8::7)", "[2001:db8:1::21]:69"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn names_from_outside_are_only_names() {
    let hostile = Change {
        name: Some(
            "<!channel> [x](http://evil.example) <at user_id=\"all\">\n\u{202e}*b*".to_owned(),
        ),
        headline: "x".repeat(10_000),
        ..six()
    };
    let mut hostile = notice(vec![hostile], 0);
    hostile.title = "<https://evil.example|report>\r\n@all".to_owned();
    for kind in KINDS {
        let body = render(kind, &hostile);
        let text = body.to_string();
        assert!(text.len() < 8_000, "{kind:?}: {}", text.len());
        assert!(!text.contains('\u{202e}') && !text.contains("\\r"), "{text}");
        match kind {
            Kind::Slack => {
                let text = body["text"].as_str().unwrap();
                assert!(text.contains("&lt;!channel&gt;"), "{text}");
                assert_eq!(text.matches('<').count(), 2, "{text}");
                // Only our own: the title in bold, and two links.
                assert_eq!(text.matches('*').count(), 2, "{text}");
                assert_eq!(text.matches("://").count(), 2, "{text}");
                for part in ["](", "@all", "~"] {
                    assert!(!text.contains(part), "{part} in {text}");
                }
            }
            Kind::Teams => assert!(!text.contains("\"TextBlock\""), "{text}"),
            Kind::Feishu => assert_eq!(body["msg_type"], "post"),
            Kind::DingTalk => assert_eq!(body["at"]["isAtAll"], false),
            Kind::Generic => assert_eq!(body["changes"][0]["device"], "2001:db8::7"),
        }
    }
}
