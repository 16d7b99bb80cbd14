//! Which clusters and nodes the service knows.

use std::path::PathBuf;
use std::str::FromStr;

use axum::http::Uri;
use clap::Args;

use super::{List, iter_lists, name_option};

/// Where nodes come from.
#[derive(Debug, Clone, Default, Args)]
pub struct NodeSources {
    /// A Kubernetes cluster whose nodes, pods and services are known by its API, such as site-a=/etc/replyscope/site-a.yaml; may be repeated. Agents are found in the namespace that the context names, and without one in `default`
    // Agents are sent our token: whoever may make pods anywhere must not get it.
    #[arg(long = "cluster", env = "REPLYSCOPE_CLUSTER", value_name = "NAME=KUBECONFIG[#CONTEXT]")]
    pub clusters: Vec<List<ClusterOption>>,
    /// The cluster in which this service runs as a pod, known under this name; 0, no, off or false: not that one
    #[arg(
        long,
        env = "REPLYSCOPE_IN_CLUSTER",
        value_name = "NAME",
        num_args = 0..=1,
        default_missing_value = OWN_CLUSTER
    )]
    pub in_cluster: Option<ClusterSwitch>,
    /// A node whose agent listens at this address, such as node1=https://192.0.2.1:9443, or site-a/node1=URL for the node of that cluster; may be repeated
    #[arg(long = "node", env = "REPLYSCOPE_NODE", value_name = "[CLUSTER/]NAME=URL")]
    pub nodes: Vec<List<NodeOption>>,
}

impl NodeSources {
    /// The name of the cluster in which this service runs, where it asks that one.
    #[must_use]
    pub fn own_cluster(&self) -> Option<&str> {
        self.in_cluster.as_ref().and_then(|ClusterSwitch(name)| name.as_deref())
    }

    /// Whether each name stands for one thing.
    ///
    /// # Errors
    ///
    /// Names the one that does not.
    pub fn check(&self) -> Result<(), String> {
        let clusters = iter_lists(&self.clusters).map(|cluster| cluster.name.as_str());
        let clusters: Vec<&str> = clusters.chain(self.own_cluster()).collect();
        find_double(clusters.iter().copied()).map_or(Ok(()), |name| {
            Err(format!("{}: two clusters are called '{name}'", name_option("--cluster")))
        })?;
        let nodes: Vec<String> = iter_lists(&self.nodes).map(NodeOption::place).collect();
        find_double(nodes.iter().map(String::as_str)).map_or(Ok(()), |name| {
            Err(format!("{} names '{name}' twice", name_option("--node")))
        })?;
        let mut named = iter_lists(&self.nodes).filter_map(|node| node.cluster.as_deref());
        let unknown = named.find(|name| !clusters.contains(name));
        unknown.map_or(Ok(()), |name| {
            let known = if clusters.is_empty() { "none".to_owned() } else { clusters.join(", ") };
            let option = name_option("--node");
            Err(format!(
                "{option} names the cluster '{name}', which no --cluster is; known: {known}"
            ))
        })
    }
}

fn find_double<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut known = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !known.insert(*name))
}

/// A switch that may name what it switches on. Words of switches are never names: a
/// variable that says `0` or `false` wants it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSwitch(Option<String>);

impl FromStr for ClusterSwitch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The words that clap takes for a switch's, and their counterparts.
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "0" | "n" | "no" | "f" | "false" | "off" => Ok(Self(None)),
            "1" | "y" | "yes" | "t" | "true" | "on" => Ok(Self(Some(OWN_CLUSTER.to_owned()))),
            _ => parse_name(text).map(|name| Self(Some(name))),
        }
    }
}

/// What the service's own cluster is called where no name is given.
const OWN_CLUSTER: &str = "cluster";

/// A cluster and the kubeconfig that leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOption {
    pub name: String,
    pub kubeconfig: PathBuf,
    /// Without it, the kubeconfig's current one.
    pub context: Option<String>,
}

impl FromStr for ClusterOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once('=').ok_or(
            "expected a name, '=' and a kubeconfig file, such as site-a=/etc/replyscope/site-a.yaml",
        )?;
        let (file, context) = match rest.rsplit_once('#') {
            Some((file, context)) => (file, Some(context)),
            None => (rest, None),
        };
        if file.is_empty() || context.is_some_and(str::is_empty) {
            return Err("the kubeconfig file, or the context after '#', is empty".to_owned());
        }
        Ok(Self {
            name: parse_name(name)?,
            kubeconfig: PathBuf::from(file),
            context: context.map(str::to_owned),
        })
    }
}

/// A node and where its agent listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOption {
    /// Needed where several clusters have a node of this name.
    pub cluster: Option<String>,
    pub name: String,
    /// `http` or `https`, without path, query or credentials.
    pub url: String,
}

impl NodeOption {
    /// `CLUSTER/NAME`, or the name alone.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("{cluster}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl FromStr for NodeOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected http:// or https:// with address and port, such as https://192.0.2.1:9443 or https://[2001:db8::1]:9443";
        let (name, url) = text.split_once('=').ok_or(
            "expected a node's name, '=' and the URL of its agent, such as node1=https://192.0.2.1:9443",
        )?;
        let uri: Uri = url.parse().map_err(|_| EXPECTED.to_owned())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(EXPECTED.to_owned());
        };
        if authority.as_str().contains('@') {
            return Err("the URL holds credentials; the agent's token comes from a file".to_owned());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(EXPECTED.to_owned());
        }
        let (cluster, name) = match name.split_once('/') {
            Some((cluster, name)) => (Some(parse_name(cluster)?), name),
            None => (None, name),
        };
        Ok(Self { cluster, name: parse_name(name)?, url: format!("{scheme}://{authority}") })
    }
}

/// A name that stands in paths and lists.
fn parse_name(text: &str) -> Result<String, String> {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "._-".contains(sign);
    if text.is_empty() || text.len() > 253 || !text.chars().all(is_sign) {
        return Err(format!("'{text}' is not a name; expected letters, digits, '.', '_' and '-'"));
    }
    if matches!(text, "all" | "none") {
        return Err(format!("'{text}' stands for itself in requests; choose another name"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Sources {
        #[command(flatten)]
        sources: NodeSources,
    }

    fn parse(arguments: &[&str]) -> Result<NodeSources, String> {
        let arguments = std::iter::once(&"replyscope").chain(arguments);
        let parsed = Sources::try_parse_from(arguments).map_err(|error| error.to_string())?;
        parsed.sources.check().map(|()| parsed.sources)
    }

    #[test]
    fn clusters_and_nodes_have_names() {
        let sources = parse(&[
            "--cluster",
            "a=/etc/a.yaml#admin@a",
            "--cluster",
            "b=b.yaml",
            "--in-cluster",
            "--node",
            "n1=https://192.0.2.1:9443",
            "--node",
            "n2=http://[2001:db8::2]:9443/",
        ])
        .unwrap();
        let clusters: Vec<_> = iter_lists(&sources.clusters).collect();
        assert_eq!(clusters[0].context.as_deref(), Some("admin@a"));
        assert_eq!(clusters[0].kubeconfig, PathBuf::from("/etc/a.yaml"));
        assert_eq!(clusters[1].context, None);
        assert_eq!(sources.own_cluster(), Some("cluster"));
        let nodes: Vec<_> = iter_lists(&sources.nodes).collect();
        assert_eq!(nodes[0].url, "https://192.0.2.1:9443");
        assert_eq!(nodes[1].url, "http://[2001:db8::2]:9443");
        let lists = ["--in-cluster", "here", "--cluster", "a=a.yaml, b=b.yaml,\n", "--node"];
        let sources =
            parse(&[&lists[..], &["b/n1=http://192.0.2.1:9, n1=http://[2001:db8::1]:9"]].concat());
        let sources = sources.unwrap();
        assert_eq!(sources.own_cluster(), Some("here"));
        assert_eq!(iter_lists(&sources.clusters).count(), 2);
        let places: Vec<_> = iter_lists(&sources.nodes).map(NodeOption::place).collect();
        assert_eq!(places, ["b/n1", "n1"]);
    }

    #[test]
    fn words_of_switches_are_no_names() {
        let cases = [
            ("0", None),
            ("no", None),
            ("OFF", None),
            ("False", None),
            ("1", Some("cluster")),
            ("yes", Some("cluster")),
            ("On", Some("cluster")),
            ("true", Some("cluster")),
            ("site-a", Some("site-a")),
            ("north", Some("north")),
        ];
        for (text, expected) in cases {
            let sources = parse(&["--in-cluster", text]).unwrap();
            assert_eq!(sources.own_cluster(), expected, "{text}");
        }
    }

    #[test]
    fn bad_sources_are_refused_with_a_reason() {
        let cases: [(&[&str], &str); 15] = [
            (&["--cluster", "a"], "expected a name, '='"),
            (&["--cluster", "a="], "is empty"),
            (&["--cluster", "a=x#"], "is empty"),
            (&["--cluster", "a/b=x"], "is not a name"),
            (&["--cluster", "none=x"], "stands for itself"),
            (&["--cluster", "a=x", "--in-cluster", "a"], "two clusters are called 'a'"),
            (&["--in-cluster", "a/b"], "is not a name"),
            (&["--node", "n1"], "the URL of its agent"),
            (&["--node", "n1=192.0.2.1:9443"], "expected http://"),
            (&["--node", "n1=ftp://192.0.2.1"], "expected http://"),
            (&["--node", "n1=https://u:p@[2001:db8::1]:9443"], "holds credentials"),
            (&["--node", "n1=https://192.0.2.1/x"], "expected http://"),
            (&["--node", "n=http://192.0.2.1", "--node", "n=http://192.0.2.2"], "twice"),
            (&["--node", "c/n=http://192.0.2.1"], "which no --cluster is; known: none"),
            (&["--cluster", "a=x", "--node", "b/n=http://[2001:db8::1]"], "known: a"),
        ];
        for (arguments, expected) in cases {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }
}
