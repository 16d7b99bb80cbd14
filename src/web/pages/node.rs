//! Nodes as pages: all of them, and one.

use askama::Template;

use super::super::query::encode;
use crate::node::summary::{
    AgentState, ClusterState, NodeDetails, NodeSummary, ResourceHealth, ResourceState,
};
use crate::node::wire::InterfaceStatus;
use crate::report::html::{Setting, TimeWords as _, finish};

/// What the page of all nodes shows.
#[derive(Debug, Clone, Copy)]
pub struct NodesView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    pub nodes: &'a [NodeSummary],
    /// Nodes that fit the filter and are not shown.
    pub omitted: usize,
    pub clusters: &'a [ClusterState],
    /// What the list is filtered by.
    pub cluster: Option<&'a str>,
    pub text: &'a str,
}

/// What the page of one node shows.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    /// The path of the stylesheet.
    pub stylesheet: &'a str,
    pub node: &'a NodeDetails,
    /// Interfaces at which its agent may capture; `None` where there is no agent.
    pub interfaces: Option<&'a [InterfaceStatus]>,
    /// Why the agent does not say where it may capture.
    pub complaint: Option<&'a str>,
    /// The longest capture, in seconds.
    pub longest_s: u32,
}

/// The page of all nodes.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_nodes(view: &NodesView<'_>) -> Result<String, askama::Error> {
    finish(&NodesPage { setting: Setting::Service { stylesheet: view.stylesheet }, view })
}

/// The page of one node.
///
/// # Errors
///
/// Where the template cannot be rendered.
pub fn render_node(view: &NodeView<'_>) -> Result<String, askama::Error> {
    finish(&NodePage {
        setting: Setting::Service { stylesheet: view.stylesheet },
        node: &view.node.summary,
        view,
    })
}

#[derive(Template)]
#[template(path = "pages/nodes.html")]
struct NodesPage<'a> {
    setting: Setting<'a>,
    view: &'a NodesView<'a>,
}

#[derive(Template)]
#[template(path = "pages/node.html")]
struct NodePage<'a> {
    setting: Setting<'a>,
    node: &'a NodeSummary,
    view: &'a NodeView<'a>,
}

impl NodesPage<'_> {
    fn is_filtered(&self) -> bool {
        self.view.cluster.is_some() || !self.view.text.is_empty()
    }
}

/// What templates say of a node.
trait NodeWords {
    /// The path of its page.
    fn path(&self) -> String;
    /// Where its form is sent.
    fn ask_path(&self) -> String;
    fn has_agent(&self) -> bool;
}

impl NodeWords for NodeSummary {
    fn ask_path(&self) -> String {
        let cluster = self.cluster.as_deref().map(|name| format!("?cluster={}", encode(name)));
        format!("/nodes/{}/analyses{}", encode(&self.node), cluster.unwrap_or_default())
    }

    fn path(&self) -> String {
        let cluster = self.cluster.as_deref().map(|name| format!("?cluster={}", encode(name)));
        format!("/nodes/{}{}", encode(&self.node), cluster.unwrap_or_default())
    }

    fn has_agent(&self) -> bool {
        match self.agent.state {
            AgentState::Registered => true,
            AgentState::None => false,
        }
    }
}

/// What templates say of a cluster.
trait ClusterWords {
    /// What is not as it should be, in words.
    fn complaints(&self) -> Vec<String>;
    fn heard(&self) -> String;
}

impl ClusterWords for ClusterState {
    fn complaints(&self) -> Vec<String> {
        let elsewhere = (self.agents_elsewhere > 0).then(|| {
            format!(
                "pods with the agents' label in other namespaces: {}; agents are asked in the namespace of the service's credentials only",
                self.agents_elsewhere
            )
        });
        self.resources.iter().filter_map(find_complaint).chain(elsewhere).collect()
    }

    fn heard(&self) -> String {
        self.last_event_at.map_or_else(|| "never".to_owned(), |at| at.minute())
    }
}

fn find_complaint(one: &ResourceState) -> Option<String> {
    let error = one.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    let name = &one.resource;
    match one.state {
        ResourceHealth::Fresh | ResourceHealth::Absent if one.objects_omitted == 0 => None,
        ResourceHealth::Fresh | ResourceHealth::Absent => {
            Some(format!("{} {name} are more than are kept, and not known", one.objects_omitted))
        }
        ResourceHealth::Starting => Some(format!("{name} are not listed yet")),
        ResourceHealth::Forbidden => Some(format!("{name} may not be read{error}")),
        ResourceHealth::Failing => Some(format!("{name} are out of reach{error}")),
    }
}
