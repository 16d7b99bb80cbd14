//! Who is told of changed verdicts, from the settings.

use super::nodes::Failure;
use crate::config::{NotifySettings, iter_lists, name_option};
use crate::notify::{Notifier, Target};

/// Starts what tells them; needs a runtime.
pub fn start(settings: &NotifySettings, public_url: Option<&str>) -> Result<Notifier, Failure> {
    settings.check(public_url)?;
    let mut targets = Vec::new();
    for (number, receiver) in (1..).zip(iter_lists(&settings.receivers)) {
        let target: Target = receiver.reveal().parse().map_err(|error| {
            let option = name_option("--notify-url");
            format!("the receiver number {number} of {option}: {error}")
        })?;
        targets.push(target);
    }
    if !targets.is_empty() {
        tracing::info!(?targets, "telling receivers of changed verdicts");
    }
    Ok(Notifier::start(targets)?)
}
