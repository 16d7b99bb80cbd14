//! Every scenario of the lab comes out as its `truth.json` says.
//!
//! The lab lies beside the project as `../shared/lab`; six of its scenarios are
//! copied into `tests/fixtures/lab`, so that a clone alone runs those.

#[cfg(test)]
#[path = "support/analysed.rs"]
mod analysed;
#[cfg(test)]
#[path = "support/header.rs"]
mod header;
#[cfg(test)]
#[path = "support/scenarios.rs"]
mod scenarios;
#[cfg(test)]
#[path = "support/truth.rs"]
mod truth;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::analysed::analyse;
    use super::scenarios::read_scenarios;
    use super::truth::Truth;

    /// Scenarios whose causes have no rule yet. One that passes must leave this list.
    const TO_COME: &[&str] = &[];

    #[test]
    fn the_six_copied_scenarios_come_out_as_their_truth_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(check(&root.join("tests/fixtures/lab")).len(), 6);
    }

    #[test]
    fn scenarios_made_for_this_repository_come_out_as_their_truth_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(check(&root.join("tests/fixtures/lab_more")).len() >= 38);
    }

    /// Those that other tests do not print or change: texts, tunnels, extension headers,
    /// edited times.
    #[test]
    fn scenarios_that_stand_apart_come_out_as_their_truth_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(check(&root.join("tests/fixtures/lab_apart")).len() >= 38);
    }

    #[test]
    fn all_scenarios_of_the_lab_come_out_as_their_truth_says() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/lab/scenarios");
        if !folder.is_dir() {
            println!(
                "skipped: all_scenarios_of_the_lab_come_out_as_their_truth_says: ../shared/lab is not there; \
                 the six scenarios under tests/fixtures/lab ran"
            );
            return;
        }
        let names = check(&folder);
        for name in TO_COME {
            assert!(names.iter().any(|known| known == name), "the lab has no scenario '{name}'");
        }
    }

    /// Runs the scenarios of a folder, prints the score, and fails where it is not
    /// as expected. Returns their names.
    fn check(folder: &Path) -> Vec<String> {
        let scenarios = read_scenarios(folder);
        let mut table = Vec::new();
        let mut faults = Vec::new();
        let mut passed = 0;
        for scenario in &scenarios {
            let name = &scenario.name;
            let truth = Truth::read(scenario);
            let missing = truth.missing_causes();
            let differences = analyse(scenario, |path| std::fs::read(path).unwrap())
                .map_or_else(|error| vec![error], |report| truth.compare(&report));
            let is_to_come = TO_COME.contains(&name.as_str());
            let state = match (differences.is_empty(), is_to_come) {
                (true, false) => {
                    passed += 1;
                    "as expected".to_owned()
                }
                (true, true) => {
                    passed += 1;
                    faults.push(format!("{name}: passes now; take it off TO_COME"));
                    "as expected (no longer to come)".to_owned()
                }
                (false, true) if missing.is_empty() => "to come".to_owned(),
                (false, true) => format!("to come: {}", missing.join(", ")),
                (false, false) => {
                    faults.push(format!("{name}: {}", differences.join("; ")));
                    "DIFFERS".to_owned()
                }
            };
            table.push(format!("  {name:<26} {state}"));
            table.extend(differences.iter().map(|line| format!("      {line}")));
        }
        println!("\nlab, {}:", folder.display());
        println!("{}", table.join("\n"));
        println!("  score: {passed} of {} scenarios as expected\n", scenarios.len());
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
        scenarios.into_iter().map(|scenario| scenario.name).collect()
    }
}
