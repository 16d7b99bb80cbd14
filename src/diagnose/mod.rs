//! Exchanges to verdicts and findings.
