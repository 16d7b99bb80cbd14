//! The resources that are followed.

/// A resource of the API. `deploy/` grants exactly these, and a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Nodes,
    Services,
    Pods,
    EndpointSlices,
    /// Calico's pools of pod addresses; other clusters do not have them.
    IpPools,
}

impl Resource {
    /// In the order in which their facts are told: who states an address first, gives
    /// the reason.
    pub const ALL: [Self; 5] =
        [Self::Nodes, Self::Services, Self::Pods, Self::EndpointSlices, Self::IpPools];

    /// Its place in [`Resource::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Nodes => 0,
            Self::Services => 1,
            Self::Pods => 2,
            Self::EndpointSlices => 3,
            Self::IpPools => 4,
        }
    }

    /// The kind of its objects.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Nodes => "Node",
            Self::Services => "Service",
            Self::Pods => "Pod",
            Self::EndpointSlices => "EndpointSlice",
            Self::IpPools => "IPPool",
        }
    }

    /// Where all namespaces' objects are listed.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Nodes => "/api/v1/nodes",
            Self::Services => "/api/v1/services",
            Self::Pods => "/api/v1/pods",
            Self::EndpointSlices => "/apis/discovery.k8s.io/v1/endpointslices",
            Self::IpPools => "/apis/crd.projectcalico.org/v1/ippools",
        }
    }

    /// Its name in roles and messages.
    pub fn name(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// Whether a cluster may do without it.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::IpPools)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_has_its_place() {
        for (index, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(resource.index(), index, "{resource:?}");
        }
    }
}
