//! What the cluster says of the service that is asked.

use super::Sample;
use crate::model::cluster::{
    AddressPool, Announcer, ServiceFact, ServicePort, TrafficPolicy, Transport,
};

impl Sample {
    /// The VIP and the port asked are of the service `ss/server`, which kube-vip announces.
    pub fn of_service(mut self, policy: TrafficPolicy) -> Self {
        let number = self.exchange.views[0].asked.unwrap().port;
        self.services.push(ServiceFact {
            name: "ss/server".to_owned(),
            cluster: None,
            vips: vec![self.family.vip()],
            cluster_ips: Vec::new(),
            ports: vec![ServicePort { transport: Transport::Udp, number }],
            external_traffic_policy: Some(policy),
            internal_traffic_policy: None,
            announcer: Some(Announcer::KubeVip),
            vip_node: None,
            has_egress: false,
        });
        self
    }

    /// The pod's address is of a pool that is masqueraded.
    pub fn of_pool(mut self) -> Self {
        self.pools.push(AddressPool {
            name: "default-pool".to_owned(),
            cluster: None,
            network: self.family.pod().into(),
            nat_outgoing: true,
        });
        self
    }
}
