//! The capabilities of the process: the two that are needed, and no other.

use std::collections::HashSet;

use caps::{CapSet, Capability};

/// What the agent needs, and what for.
const NEEDED: [(Capability, &str); 2] = [
    (Capability::CAP_NET_RAW, "captures"),
    (Capability::CAP_NET_ADMIN, "the connection tracking table"),
];

/// Why the agent does not start.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    #[error(
        "this process lacks {}; start it as root, or give it the capability: AmbientCapabilities= in a systemd unit, securityContext.capabilities.add in a pod, `setcap cap_net_raw,cap_net_admin+ep FILE`",
        .0.join(" and ")
    )]
    Missing(Vec<String>),
    #[error("the capabilities of this process cannot be {0}: {1}")]
    Failed(&'static str, caps::errors::CapsError),
}

/// Keeps CAP_NET_RAW and CAP_NET_ADMIN and drops all others, for good.
///
/// Capabilities belong to threads, and new threads have those of the one that
/// starts them: call this before any other thread starts.
///
/// # Errors
///
/// Where one of the two is missing, or the kernel refuses.
pub fn reduce() -> Result<(), PrivilegeError> {
    let permitted = caps::read(None, CapSet::Permitted)
        .map_err(|error| PrivilegeError::Failed("read", error))?;
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|(capability, _)| !permitted.contains(capability))
        .map(|(capability, purpose)| format!("{capability} (for {purpose})"))
        .collect();
    if !missing.is_empty() {
        return Err(PrivilegeError::Missing(missing));
    }
    let kept: HashSet<Capability> = NEEDED.iter().map(|(capability, _)| *capability).collect();
    // The bounding set is what a program started from here could get back;
    // leaving it needs CAP_SETPCAP, which a good unit does not give. None is
    // started from here, so a refusal is no reason not to run.
    for capability in caps::read(None, CapSet::Bounding).unwrap_or_default() {
        if !kept.contains(&capability) {
            let _ = caps::drop(None, CapSet::Bounding, capability);
        }
    }
    let _ = caps::clear(None, CapSet::Ambient);
    let failed = |error| PrivilegeError::Failed("reduced", error);
    caps::set(None, CapSet::Effective, &kept).map_err(failed)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(failed)?;
    caps::clear(None, CapSet::Inheritable).map_err(failed)?;
    Ok(())
}
