//! The types of problems, each with what to do about it. `/problems/{type}` explains
//! them, and every problem document names one.

use axum::http::StatusCode;

use crate::model::input::InputErrorKind;

/// A type of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The last part of a problem's `type`.
    pub token: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What to do about it, where the case at hand knows no better.
    pub advice: &'static str,
}

macro_rules! problem_types {
    ($($name:ident = $status:ident, $token:literal, $title:literal, $advice:literal;)*) => {
        $(pub const $name: &ProblemType = &ProblemType {
            token: $token, status: StatusCode::$status, title: $title, advice: $advice,
        };)*
        /// All of them, in the order of their statuses.
        pub const ALL: &[&ProblemType] = &[$($name),*];
    };
}

problem_types! {
    BAD_PATH = BAD_REQUEST, "bad-path", "Path not understood",
        "Compare the path with the API's description at /docs.";
    BAD_QUERY = BAD_REQUEST, "bad-query", "Query not understood",
        "Compare the query with the API's description at /docs.";
    BAD_BODY = BAD_REQUEST, "bad-body", "Request not understood",
        "Compare the body with the API's description at /docs.";
    BAD_MULTIPART = BAD_REQUEST, "bad-multipart", "Form not understood",
        "Send the form as a browser or `curl -F` does; /docs names its parts.";
    BAD_METADATA = BAD_REQUEST, "bad-metadata", "Metadata not understood",
        "Compare title, points, devices and clusters with the API's description at /docs.";
    EMPTY_UPLOAD = BAD_REQUEST, "empty-upload", "Nothing to analyse",
        "Choose a capture file, or paste what tcpdump printed.";
    INCOMPLETE_UPLOAD = BAD_REQUEST, "incomplete-upload", "Upload incomplete", "Send it again.";
    EMPTY_INPUT = BAD_REQUEST, "empty-input", "Input cannot be analysed",
        "Check that the capture ran and that the file was copied completely.";
    NOT_A_CAPTURE = BAD_REQUEST, "not-a-capture", "Input cannot be analysed",
        "Send a capture, or the text that tcpdump or `conntrack -L` printed.";
    NO_PACKETS = BAD_REQUEST, "no-packets", "Input cannot be analysed",
        "Add a capture, the lines that tcpdump printed, or those of `conntrack -L`.";
    NOTHING_IN_ARCHIVE = BAD_REQUEST, "nothing-in-archive", "Input cannot be analysed",
        "Put captures, or the text that tcpdump printed, into the archive, without a password.";
    NOT_AN_INVENTORY = BAD_REQUEST, "not-an-inventory", "Input cannot be analysed",
        "Send what `ip addr`, `ip route` or `kubectl get pod,node,svc -o wide` printed, or a device list.";
    DAMAGED_INPUT = BAD_REQUEST, "damaged-input", "Input cannot be analysed",
        "Copy the file again in binary mode, or make a new capture with `tcpdump -w`.";
    UNREADABLE_INPUT = BAD_REQUEST, "unreadable-input", "Input cannot be analysed", "Send it again.";
    UNAUTHORIZED = UNAUTHORIZED, "unauthorized", "Token needed",
        "Send the header `Authorization: Bearer TOKEN`.";
    CROSS_SITE_REQUEST = FORBIDDEN, "cross-site-request", "Request from another site",
        "Open this service in its own tab and send the form there.";
    FOREIGN_HOST = FORBIDDEN, "foreign-host", "Request under another name",
        "It listens on loopback only: use localhost, or, behind a proxy, start it with --public-url and the address that people use.";
    NOT_FOUND = NOT_FOUND, "not-found", "Not found", "The API is described at /docs.";
    ANALYSIS_NOT_FOUND = NOT_FOUND, "analysis-not-found", "Analysis not found",
        "Look for it in the list of analyses; one that was deleted is gone.";
    ANALYSIS_FAILED = NOT_FOUND, "analysis-failed", "Analysis failed",
        "The detail says why; there is no report. Mend that, and send or ask again.";
    QUERY_NOT_FOUND = NOT_FOUND, "query-not-found", "No node query",
        "The analysis itself is under the same path without its last part.";
    DEVICE_NOT_IN_ANALYSIS = NOT_FOUND, "device-not-in-analysis", "Device not in this analysis",
        "Look for it in the analysis' list of devices; any of its addresses finds it.";
    DEVICE_NOT_FOUND = NOT_FOUND, "device-not-found", "Device not seen yet",
        "Send a capture in which the device talks; its verdict is then here, under the same address. What nodes were asked about it is at /api/v1/devices/{device}/queries.";
    NODE_NOT_FOUND = NOT_FOUND, "node-not-found", "Node not known",
        "Nodes come from the clusters that the service follows (--cluster, --in-cluster) and from --node NAME=URL; /api/v1/nodes lists them.";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed",
        "The Allow header names the methods that work there.";
    STALLED_UPLOAD = REQUEST_TIMEOUT, "stalled-upload", "Upload stalled", "Send it again.";
    SLOW_UPLOAD = REQUEST_TIMEOUT, "slow-upload", "Upload too slow",
        "Write the capture to a file first, and send the file; gzip or zstd make it smaller.";
    ANALYSIS_RUNS = CONFLICT, "analysis-runs", "Analysis runs",
        "Wait until it has ended; its events say when.";
    ID_TAKEN = CONFLICT, "id-taken", "Id already used", "Choose a new UUID for each analysis.";
    NODE_AMBIGUOUS = CONFLICT, "node-ambiguous", "Several nodes have this name",
        "Say which one is meant, with ?cluster=NAME.";
    NO_AGENT = CONFLICT, "no-agent", "Node without an agent",
        "Start `replyscope agent` there, and register it with --node NAME=URL; in a followed cluster, its DaemonSet does both.";
    QUERY_DIFFERS = CONFLICT, "query-differs", "Another node query runs",
        "The detail names the query: wait for its report, or end it with POST to that path and /stop, and ask again.";
    QUERY_NOT_RUNNING = CONFLICT, "query-not-running", "Node query not running",
        "It has ended; its state says how.";
    QUERY_STOPPED = CONFLICT, "query-stopped", "Node query stopped", "Ask the node again.";
    TOO_LARGE = PAYLOAD_TOO_LARGE, "too-large", "Upload too large",
        "Cut the capture down first, for example with `tcpdump -r IN -w OUT host DEVICE`, or start the service with a larger --upload-limit-bytes.";
    EXPANDS_TOO_FAR = PAYLOAD_TOO_LARGE, "expands-too-far", "Input too large",
        "Cut the capture down first, for example with `tcpdump -r IN -w OUT host DEVICE`.";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Content type not supported",
        "With curl, send `-F capture=@FILE`, or `-H 'Content-Type: application/octet-stream' --data-binary @FILE`.";
    UNSUPPORTED_CONTENT_CODING = UNSUPPORTED_MEDIA_TYPE, "unsupported-content-coding", "Content coding not supported",
        "Send the body as it is, without Content-Encoding; a capture may be compressed itself.";
    QUEUE_FULL = TOO_MANY_REQUESTS, "queue-full", "Too many node queries",
        "Try again later; the Retry-After header says when.";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Internal error",
        "It is a fault of the service; its log says more, under the id in the X-Request-Id header.";
    DAMAGED_REPORT = INTERNAL_SERVER_ERROR, "damaged-report", "Stored report damaged",
        "Restore the database from a backup, or delete the analysis and send its captures again.";
    CAPTURE_STORE = INTERNAL_SERVER_ERROR, "capture-store", "Captures cannot be kept",
        "Look at the space that is left in the data directory, and at who may write there; the log names the file.";
    AGENT_REFUSED = BAD_GATEWAY, "agent-refused", "Agent refuses",
        "The detail says why: the agent's settings, or its tokens.";
    AGENT_UNREACHABLE = SERVICE_UNAVAILABLE, "agent-unreachable", "Agent out of reach",
        "Check that the agent runs, and that a firewall lets this service reach it; /nodes names its address.";
    QUERY_INTERRUPTED = SERVICE_UNAVAILABLE, "query-interrupted", "Node query interrupted",
        "Ask the node again.";
    ALERTS_WAIT = SERVICE_UNAVAILABLE, "alerts-wait", "Too many node queries",
        "Send the alerts again: those that started a query start no second one.";
    TOO_MANY_LISTENERS = SERVICE_UNAVAILABLE, "too-many-listeners", "Too many listeners",
        "Try again later; the Retry-After header says when.";
    BUSY = SERVICE_UNAVAILABLE, "busy", "Too many analyses at once",
        "Try again later; the Retry-After header says when.";
    ENDING = SERVICE_UNAVAILABLE, "ending", "Service ends",
        "Try again later; the Retry-After header says when.";
    TIMEOUT = SERVICE_UNAVAILABLE, "timeout", "Answer took too long",
        "Try again later; the Retry-After header says when.";
    NOT_READY = SERVICE_UNAVAILABLE, "not-ready", "Captures cannot be kept",
        "Look at the space that is left in the data directory, and at who may write there; the log names the file. Deleting analyses makes room.";
    STORE = SERVICE_UNAVAILABLE, "store", "Store unavailable",
        "Try again in a minute; the log says what is wrong with the database.";
}

/// The type of an input's fault.
pub const fn of_input(kind: &InputErrorKind) -> &'static ProblemType {
    match kind {
        InputErrorKind::Empty => EMPTY_INPUT,
        InputErrorKind::NotACapture(_) => NOT_A_CAPTURE,
        InputErrorKind::NoPackets { .. }
        | InputErrorKind::OnlyFacts
        | InputErrorKind::OnlyServerLog { .. } => NO_PACKETS,
        InputErrorKind::NothingInArchive { .. } => NOTHING_IN_ARCHIVE,
        InputErrorKind::NotAnInventory(_) => NOT_AN_INVENTORY,
        InputErrorKind::Damaged { .. } => DAMAGED_INPUT,
        InputErrorKind::ExpandsTooFar { .. } => EXPANDS_TOO_FAR,
        InputErrorKind::TooLarge { .. } => TOO_LARGE,
        InputErrorKind::Read(_) => UNREADABLE_INPUT,
    }
}

/// The type that a problem names.
pub fn find(token: &str) -> Option<&'static ProblemType> {
    ALL.iter().copied().find(|one| one.token == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_names_one_type() {
        for one in ALL {
            assert_eq!(find(one.token), Some(*one));
            assert!(one.status.is_client_error() || one.status.is_server_error());
            assert!(one.advice.ends_with('.'), "{}", one.token);
        }
        assert!(ALL.is_sorted_by_key(|one| one.status), "in the order of their statuses");
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn faults_of_inputs_are_called_the_same_everywhere() {
        let text = || "x".to_owned();
        for kind in [
            InputErrorKind::Empty,
            InputErrorKind::NotACapture("x"),
            InputErrorKind::NoPackets { lines: 1 },
            InputErrorKind::NothingInArchive { archive: "x", holds: text() },
            InputErrorKind::OnlyFacts,
            InputErrorKind::OnlyServerLog { failure: text() },
            InputErrorKind::NotAnInventory(text()),
            InputErrorKind::Damaged { message: text(), offset_bytes: 1 },
            InputErrorKind::ExpandsTooFar { limit_bytes: 1 },
            InputErrorKind::TooLarge { limit_bytes: 1 },
            InputErrorKind::Read(std::io::Error::other("x")),
        ] {
            assert_eq!(of_input(&kind).token, kind.as_token());
        }
    }
}
