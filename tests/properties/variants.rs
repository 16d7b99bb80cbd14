//! Which scenarios a property holds for, and how many variants of each are tried.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::scenarios::{Diagnoses, Scenario, scenarios};

/// Variants of each scenario, unless `PROPTEST_CASES` asks for more.
pub const CASES: u32 = 4;

/// Scenarios with a file or an interface for each direction: nothing in one tells how its
/// clock runs beside the other's, nor which part of the other comes next.
const HAVE_A_DIRECTION_EACH: &[&str] = &[
    "bonded-founding",
    "tap-dns-new-ids-fine",
    "tap-founding-files",
    "tap-founding-interfaces",
    "uplinks-founding-files",
];

pub fn has_a_direction_each(scenario: &Scenario) -> bool {
    HAVE_A_DIRECTION_EACH.contains(&scenario.name.as_str())
}

/// Tries variants of every scenario and lists all that fail.
pub fn hold<S: Strategy>(
    variants: &S,
    holds: impl Fn(&Scenario, &Diagnoses, S::Value) -> Vec<String>,
) {
    hold_for(&scenarios(), CASES, variants, holds);
}

/// The same of these scenarios, with as many variants unless `PROPTEST_CASES` asks for more.
pub fn hold_for<S: Strategy>(
    scenarios: &[Scenario],
    cases: u32,
    variants: &S,
    holds: impl Fn(&Scenario, &Diagnoses, S::Value) -> Vec<String>,
) {
    let mut failed = Vec::new();
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    for scenario in scenarios {
        let expected = scenario.diagnose();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = ProptestConfig {
            cases: asked.unwrap_or(cases),
            failure_persistence: None,
            max_shrink_iters: 0,
            ..ProptestConfig::default()
        };
        let outcome = TestRunner::new_with_rng(config, rng).run(variants, |variant| {
            let differences = holds(scenario, &expected, variant);
            prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
            Ok(())
        });
        if let Err(error) = outcome {
            failed.push(format!("{}: {error}", scenario.name));
        }
    }
    assert!(failed.is_empty(), "{} scenarios:\n{}", failed.len(), failed.join("\n\n"));
}
