//! How many devices `analyze` tells of, and how it says what it leaves out.

#[cfg(test)]
#[path = "support/cli.rs"]
mod cli;
#[cfg(test)]
#[path = "support/crowd.rs"]
mod crowd;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::cli::replyscope;
    use super::crowd::{capture, device};

    #[test]
    fn the_command_line_tells_of_the_worst_and_how_to_see_the_rest() {
        let crowd = capture(600);
        let text = |arguments: &[&str]| {
            let run = replyscope(&[&["analyze", "-"], arguments].concat(), &crowd);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            run.stdout
        };
        let default = text(&[]);
        assert!(default.contains("and 10 more devices; --devices all lists them"), "{default}");
        assert!(default.contains("540 devices are symmetric"), "{default}");
        let few = text(&["--devices", "3"]);
        assert_eq!(few.matches("BROKEN  device").count(), 3);
        assert!(few.contains("and 597 more devices"), "{few}");
        let all = text(&["--devices", "all"]);
        for number in 0..600 {
            assert!(all.contains(&device(number).to_string()), "{number}");
        }
        assert!(!all.contains("more devices"));

        let json: Value = serde_json::from_str(&text(&["--format", "json"])).unwrap();
        assert_eq!(json["devices"].as_array().unwrap().len(), 600);
        assert_eq!(json["devices_omitted"], 0);
        let json: Value =
            serde_json::from_str(&text(&["--format", "json", "--devices", "5"])).unwrap();
        assert_eq!(json["devices"].as_array().unwrap().len(), 5);
        assert_eq!(
            (&json["devices_omitted"], &json["summary"]["devices"]),
            (&595.into(), &600.into())
        );

        let html = text(&["--format", "html"]);
        assert!(html.contains("and 400 more"), "{}", html.len());
        assert!(!html.contains("/docs/causes"), "a file has no service behind it");
        let html = text(&["--format", "html", "--devices", "all"]);
        assert_eq!(
            html.matches("<tr role=\"row\"><td role=\"cell\"><span class=\"badge").count(),
            600
        );
    }
}
