//! Exchanges to verdicts and findings.

use crate::model::exchange::{Exchange, Point};
use crate::model::finding::{Diagnosis, Verdict};
use crate::model::topology::Topology;

/// What the rules may look at besides the exchange.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub topology: &'a Topology,
    /// All capture points of the analysis.
    pub points: &'a [Point],
}

/// Says how an exchange went and why.
#[must_use]
pub fn diagnose(_exchange: &Exchange, _context: Context<'_>) -> Diagnosis {
    Diagnosis { verdict: Verdict::Inconclusive, findings: Vec::new() }
}
