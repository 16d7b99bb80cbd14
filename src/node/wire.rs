//! What an agent says and is told: the JSON of its API, and what it means in
//! the words of [`model`](crate::model).
//!
//! Tables of the kernel keep the names that `ip -j` gives them, so that what an
//! agent answers reads like what the command prints.

mod capture;
mod conntrack;
mod facts;
mod status;
mod watch;

pub use capture::{
    CaptureEnd, CaptureFilter, CaptureInterface, CaptureLimits, CaptureRequest, CaptureStatistics,
    InterfaceStatistics,
};
pub use conntrack::{TrackedCount, TrackedDirection, TrackedFlow, TrackedFlows};
pub use facts::{
    AddressRole, Cable, InterfaceAddress, InterfaceNetwork, Link, Neighbour, NodeFacts, Route,
    Settings,
};
pub use status::{InterfaceStatus, Status};
pub use watch::{
    Watch, WatchAnalysis, WatchedDevice, WatchedFinding, WatchedInterface, WatchedState,
};

/// The version of the API, which is the first part of its paths. Members are only added
/// within a version. Readers of answers ignore those they do not know; requests are
/// strict, because a filter that an agent does not know would capture too much. So a
/// service sends a member that is newer than the version only where it is needed: an older
/// agent refuses that request by the member's name.
pub const API_VERSION: u32 = 1;

/// The header that names a capture in the answer that streams it.
pub const CAPTURE_ID_HEADER: &str = "replyscope-capture-id";

/// The media type of a streamed capture.
pub const PCAPNG_MEDIA_TYPE: &str = "application/x-pcapng";
