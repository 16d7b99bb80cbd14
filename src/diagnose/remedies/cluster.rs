//! What the cluster itself says of the service that was asked.

use crate::diagnose::reading::Reading;
use crate::diagnose::wording::plain_name;
use crate::model::cluster::{Announcer, ServiceFact, TrafficPolicy};
use crate::model::endpoint::Endpoint;

/// The service that an endpoint is of, where the cluster's own words are known.
pub fn find_service<'a>(reading: &Reading<'a>, asked: Endpoint) -> Option<&'a ServiceFact> {
    reading.topology.service_of(asked.address, asked.port)
}

/// Its name as a sentence says it; a name that is none is not repeated.
pub fn name_of(service: &ServiceFact) -> String {
    let (namespace, name) = service.name_parts();
    match (namespace.map(plain_name), plain_name(name)) {
        (Some(Some(namespace)), Some(name)) => format!("the service {namespace}/{name}"),
        (None, Some(name)) => format!("the service {name}"),
        (_, None) | (Some(None), _) => "the service".to_owned(),
    }
}

/// `-n NAMESPACE NAME`, with the words in capitals where they are not known.
pub fn kubectl_name(service: Option<&ServiceFact>) -> String {
    let parts = service.map(ServiceFact::name_parts);
    let namespace = parts.and_then(|(namespace, _)| plain_name(namespace?));
    let name = parts.and_then(|(_, name)| plain_name(name));
    format!("-n {} {}", namespace.unwrap_or("NAMESPACE"), name.unwrap_or("SERVICE"))
}

/// The command that lists where a service sends what reaches it.
pub fn list_endpoints(service: Option<&ServiceFact>) -> String {
    let parts = service.and_then(|service| {
        let (namespace, name) = service.name_parts();
        Some((plain_name(namespace?)?, plain_name(name)?))
    });
    match parts {
        Some((namespace, name)) => format!(
            "kubectl get endpointslices -n {namespace} -l kubernetes.io/service-name={name} -o wide"
        ),
        None => "kubectl get endpointslices -A".to_owned(),
    }
}

/// `externalTrafficPolicy: Local of the service ss/tftp`; without a service, the bare word.
pub fn policy_of(service: Option<&ServiceFact>) -> String {
    let known = service.and_then(|one| Some((one, one.external_traffic_policy?)));
    match known {
        Some((service, policy)) => {
            format!("externalTrafficPolicy: {} of {}", policy.as_token(), name_of(service))
        }
        None => "externalTrafficPolicy".to_owned(),
    }
}

/// The policy, where the cluster says it.
pub fn find_policy(service: Option<&ServiceFact>) -> Option<TrafficPolicy> {
    service?.external_traffic_policy
}

/// Whether kube-vip can give the pod's own packets the VIP: it does so for services that
/// keep the sender's address, if told.
pub fn can_kube_vip_do_egress(service: &ServiceFact) -> bool {
    service.announcer == Some(Announcer::KubeVip)
        && service.external_traffic_policy == Some(TrafficPolicy::Local)
        && !service.has_egress
}
