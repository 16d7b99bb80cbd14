//! Which clusters an upload is read beside.

use super::super::error::Error;
use crate::node::registry::Nodes;

/// Names of clusters, or a word for all or none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClusterChoice {
    /// Nothing was said: all that are configured.
    #[default]
    All,
    Named(Vec<String>),
}

impl ClusterChoice {
    /// Reads a query's or a form's word: `all`, `none`, or names separated by commas.
    ///
    /// # Errors
    ///
    /// Names the cluster that is not configured.
    pub fn parse(text: &str, nodes: &Nodes) -> Result<Self, String> {
        match text.trim() {
            "" | "all" => Ok(Self::All),
            "none" => Ok(Self::Named(Vec::new())),
            names => {
                let names = names.split(',').map(|name| name.trim().to_owned());
                Self::of_names(names.collect(), nodes)
            }
        }
    }

    /// The clusters of these names.
    ///
    /// # Errors
    ///
    /// Names the one that is not configured.
    pub fn of_names(mut names: Vec<String>, nodes: &Nodes) -> Result<Self, String> {
        names.sort_unstable();
        names.dedup();
        let known = nodes.cluster_names();
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(Self::Named(names)),
            Some(name) if known.is_empty() => {
                Err(format!("the cluster '{name}' is not known; none is configured"))
            }
            Some(name) => Err(format!(
                "the cluster '{name}' is not known; expected some of {}",
                known.join(", ")
            )),
        }
    }

    /// The names, where some were named.
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Self::All => None,
            Self::Named(names) => Some(names),
        }
    }
}

/// What an upload said about the whole report.
#[derive(Debug, Default)]
pub struct Said {
    pub title: Option<String>,
    pub clusters: ClusterChoice,
}

impl Said {
    /// What the clusters say now.
    ///
    /// # Errors
    ///
    /// Where a cluster is not configured, which was looked at before.
    pub fn cluster_facts(
        &self,
        nodes: &Nodes,
    ) -> Result<Vec<crate::model::cluster::ClusterFacts>, Error> {
        let facts = nodes.facts(self.clusters.names());
        facts.map_err(|error| Error::BadMetadata(error.to_string()))
    }
}
