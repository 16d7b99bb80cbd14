//! Objects of the Kubernetes API, alone and in lists.

use crate::topology::parse;
use crate::topology::samples::render_addresses;

fn says(text: &str) -> Vec<String> {
    let facts = parse("kubectl get pod -o json", Some("admin"), text, 1);
    assert_eq!(facts.faults, [], "{text}");
    render_addresses(&facts)
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"tftp-0","namespace":"ss"},
    "spec":{"nodeName":"node1"},
    "status":{"phase":"Running","hostIP":"192.0.2.1","hostIPs":[{"ip":"192.0.2.1"},{"ip":"2001:db8::1"}],
    "podIP":"198.51.100.7","podIPs":[{"ip":"198.51.100.7"},{"ip":"2001:db8:1::7"}]}}"#;

#[test]
fn objects_state_their_addresses() {
    let cases: [(&str, String, &[&str]); 8] = [
        (
            "pod",
            POD.to_owned(),
            &[
                "192.0.2.1 node node1 -",
                "2001:db8::1 node node1 -",
                "198.51.100.7 pod node1 ss/tftp-0",
                "2001:db8:1::7 pod node1 ss/tftp-0",
            ],
        ),
        (
            "list",
            format!(r#"{{"apiVersion":"v1","kind":"List","items":[{POD}]}}"#),
            &[
                "192.0.2.1 node node1 -",
                "2001:db8::1 node node1 -",
                "198.51.100.7 pod node1 ss/tftp-0",
                "2001:db8:1::7 pod node1 ss/tftp-0",
            ],
        ),
        (
            "pod on the host's network, in a list of the API",
            r#"{"kind":"PodList","items":[{"metadata":{"name":"proxy","namespace":"sys"},
                "spec":{"nodeName":"node1","hostNetwork":true},
                "status":{"phase":"Running","podIPs":[{"ip":"192.0.2.1"},{"ip":"2001:db8::1"}]}}]}"#
                .to_owned(),
            &["192.0.2.1 node node1 -", "2001:db8::1 node node1 -"],
        ),
        (
            "pod that has ended",
            POD.replace("Running", "Succeeded"),
            &["192.0.2.1 node node1 -", "2001:db8::1 node node1 -"],
        ),
        (
            "node",
            r#"{"kind":"Node","metadata":{"name":"node1","annotations":{
                "projectcalico.org/IPv4Address":"192.0.2.1/24",
                "projectcalico.org/IPv6VXLANTunnelAddr":"2001:db8:1::1"}},
                "status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},
                {"type":"InternalIP","address":"2001:db8::1"},
                {"type":"ExternalIP","address":"203.0.113.1"},{"type":"Hostname","address":"node1"}]}}"#
                .to_owned(),
            &[
                "192.0.2.1 node node1 -",
                "2001:db8::1 node node1 -",
                "203.0.113.1 node node1 -",
                "192.0.2.1 node node1 -",
                "2001:db8:1::1 node node1 -",
            ],
        ),
        (
            "service",
            r#"{"kind":"Service","metadata":{"name":"tftp","namespace":"ss","annotations":{
                "kube-vip.io/loadbalancerIPs":"192.0.2.11,2001:db8::11",
                "metallb.universe.tf/loadBalancerIPs":"192.0.2.12",
                "metallb.io/loadBalancerIPs":"2001:db8::12"}},
                "spec":{"clusterIP":"198.51.100.9","clusterIPs":["198.51.100.9","2001:db8:96::9"],
                "externalIPs":["192.0.2.10","2001:db8::10"],"loadBalancerIP":"192.0.2.13"},
                "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.9"},{"ip":"2001:db8::9"},{"hostname":"lb.example.org"}]}}}"#
                .to_owned(),
            &[
                "198.51.100.9 service - -",
                "2001:db8:96::9 service - -",
                "192.0.2.10 vip - -",
                "2001:db8::10 vip - -",
                "192.0.2.9 vip - -",
                "2001:db8::9 vip - -",
                "192.0.2.13 vip - -",
                "192.0.2.11 vip - -",
                "2001:db8::11 vip - -",
                "192.0.2.12 vip - -",
                "2001:db8::12 vip - -",
            ],
        ),
        (
            "headless service",
            r#"{"kind":"Service","metadata":{"name":"db"},"spec":{"clusterIP":"None","clusterIPs":["None"]}}"#
                .to_owned(),
            &[],
        ),
        (
            "endpoint slice",
            r#"{"kind":"EndpointSlice","metadata":{"name":"tftp-x","namespace":"ss"},"endpoints":[
                {"addresses":["198.51.100.7"],"nodeName":"node1","targetRef":{"kind":"Pod","name":"tftp-0","namespace":"ss"}},
                {"addresses":["2001:db8:1::7"],"nodeName":"node1","targetRef":{"kind":"Pod","name":"tftp-0","namespace":"ss"}},
                {"addresses":["203.0.113.5"]}]}"#
                .to_owned(),
            &["198.51.100.7 pod node1 ss/tftp-0", "2001:db8:1::7 pod node1 ss/tftp-0"],
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(says(&text), expected, "{name}");
    }
}

#[test]
fn a_word_that_is_no_address_is_a_fault_of_its_object() {
    let text = POD.replace("198.51.100.7", "soon");
    let facts = parse("", None, &text, 3);
    let faults: Vec<String> = facts.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["line 3: Pod ss/tftp-0: expected an IPv4 or IPv6 address, found 'soon'"]);
    assert_eq!(facts.addresses.len(), 3);
}

#[test]
fn objects_one_after_the_other_are_all_read() {
    assert_eq!(says(&format!("{POD}\n{POD}")).len(), 8);
}
