//! Pods of the agent's DaemonSet, and where they listen.

use std::net::IpAddr;

use serde_json::Value;

/// The label by which the agent's pods are known, and its value.
pub const AGENT_LABEL: &str = "app.kubernetes.io/name";
pub const AGENT_NAME: &str = "replyscope-agent";

/// Whether a pod has the label of our agents.
pub fn has_agent_label(pod: &Value) -> bool {
    let label = pod.pointer("/metadata/labels").and_then(|labels| labels.get(AGENT_LABEL));
    label.and_then(Value::as_str) == Some(AGENT_NAME)
}

/// Where an agent listens: its pod's address and the container port named `https` or
/// `http`. `None` where the object is no agent's pod, or does not run yet.
///
/// An agent is sent our token, so a label alone is not enough: the pod must be in the
/// namespace that our own credentials name.
pub fn find_agent(pod: &Value, namespace: &str) -> Option<String> {
    if pod.pointer("/metadata/namespace")?.as_str()? != namespace {
        return None;
    }
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    if !has_agent_label(pod) || phase != Some("Running") {
        return None;
    }
    let (scheme, port) = find_port(pod)?;
    let address: IpAddr = pod.pointer("/status/podIP")?.as_str()?.parse().ok()?;
    Some(match address {
        IpAddr::V4(v4) => format!("{scheme}://{v4}:{port}"),
        IpAddr::V6(v6) => format!("{scheme}://[{v6}]:{port}"),
    })
}

fn find_port(pod: &Value) -> Option<(&'static str, u16)> {
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    let ports = containers.iter().filter_map(|one| one.get("ports")?.as_array()).flatten();
    let mut named = ports.filter_map(|port| {
        let scheme = match port.get("name")?.as_str()? {
            "https" => "https",
            "http" => "http",
            _ => return None,
        };
        Some((scheme, u16::try_from(port.get("containerPort")?.as_u64()?).ok()?))
    });
    named.next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn agents_are_known_by_label_and_named_port() {
        let pod = |label: &str, phase: &str, port: &str, address: &str| {
            json!({"metadata": {"namespace": "replyscope", "labels": {"app.kubernetes.io/name": label}},
                "spec": {"containers": [{"ports": [
                    {"name": "metrics", "containerPort": 9},
                    {"name": port, "containerPort": 8443}]}]},
                "status": {"phase": phase, "podIP": address}})
        };
        let cases = [
            (
                pod("replyscope-agent", "Running", "https", "192.0.2.1"),
                Some("https://192.0.2.1:8443"),
            ),
            (
                pod("replyscope-agent", "Running", "https", "2001:db8::1"),
                Some("https://[2001:db8::1]:8443"),
            ),
            (
                pod("replyscope-agent", "Running", "http", "192.0.2.1"),
                Some("http://192.0.2.1:8443"),
            ),
            (pod("replyscope-agent", "Pending", "https", "192.0.2.1"), None),
            (
                pod("replyscope-agent", "Running", "https", "2001:db8::"),
                Some("https://[2001:db8::]:8443"),
            ),
            (pod("replyscope", "Running", "https", "192.0.2.1"), None),
            (pod("replyscope-agent", "Running", "other", "2001:db8::1"), None),
            (pod("replyscope-agent", "Running", "https", "evil/@x"), None),
            (json!({}), None),
        ];
        for (pod, expected) in cases {
            assert_eq!(find_agent(&pod, "replyscope").as_deref(), expected, "{pod}");
            assert_eq!(find_agent(&pod, "elsewhere"), None, "{pod}");
        }
    }
}
