//! Tables with and without header, squeezed or aligned.

use crate::topology::parse;
use crate::topology::samples::render_addresses;

fn says(command: &str, text: &str) -> Vec<String> {
    let facts = parse(command, Some("admin"), text, 1);
    assert_eq!(facts.faults, [], "{text}");
    render_addresses(&facts)
}

/// What, command, text, facts.
const ROWS: &[(&str, &str, &str, &[&str])] = &[
    (
        "no header, IPv4",
        "",
        "ss tftp-798nv 1/1 Running 2 13d 192.0.2.7 node1 <none> <none>",
        &["192.0.2.7 pod node1 ss/tftp-798nv"],
    ),
    (
        "no header, IPv6",
        "",
        "ss tftp-798nv 1/1 Running 2 13d 2001:db8::7 node1 <none> <none>",
        &["2001:db8::7 pod node1 ss/tftp-798nv"],
    ),
    (
        "restarts with their age",
        "",
        "ss tftp-798nv 1/1 Running 2 (3d ago) 13d 192.0.2.7 node1 <none> <none>",
        &["192.0.2.7 pod node1 ss/tftp-798nv"],
    ),
    (
        "no namespace column",
        "",
        "tftp-798nv 1/1 Running 0 5h3m 192.0.2.7 node1 <none> <none>",
        &["192.0.2.7 pod node1 tftp-798nv"],
    ),
    (
        "namespace of the command",
        "kubectl get po -n ss -o wide",
        "tftp-798nv 1/1 Running 0 5h3m 2001:db8::7 node1 <none> <none>",
        &["2001:db8::7 pod node1 ss/tftp-798nv"],
    ),
    (
        "several kinds",
        "",
        "ss pod/tftp-798nv 1/1 Running 0 1s 192.0.2.7 node1 <none> <none>",
        &["192.0.2.7 pod node1 ss/tftp-798nv"],
    ),
    (
        "aligned",
        "",
        "NAMESPACE   NAME         READY   STATUS    RESTARTS       AGE   IP          NODE    NOMINATED NODE   READINESS GATES\nss          tftp-798nv   1/1     Running   2 (3d ago)     13d   192.0.2.7   node1   <none>           <none>\n",
        &["192.0.2.7 pod node1 ss/tftp-798nv"],
    ),
    (
        "squeezed header",
        "",
        "NAMESPACE NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES\nss tftp-798nv 1/1 Running 2 13d 2001:db8::7 node1 <none> <none>\n",
        &["2001:db8::7 pod node1 ss/tftp-798nv"],
    ),
    (
        "header aligned, rows squeezed",
        "",
        "NAMESPACE   NAME         READY   STATUS    RESTARTS   AGE   IP          NODE\nss tftp-798nv 1/1 Running 2 13d 192.0.2.7 node1\n",
        &["192.0.2.7 pod node1 ss/tftp-798nv"],
    ),
    (
        "columns of one's own",
        "",
        "NAME         NODE    IP\ntftp-798nv   node1   192.0.2.7\n",
        &["192.0.2.7 pod node1 tftp-798nv"],
    ),
    ("no address yet", "", "ss tftp-798nv 0/1 Pending 0 1s <none> <none> <none> <none>", &[]),
    ("ended", "", "ss job-798nv 0/1 Completed 0 1s 192.0.2.7 node1 <none> <none>", &[]),
    (
        "not wide",
        "",
        "NAMESPACE   NAME         READY   STATUS    RESTARTS   AGE\nss          tftp-798nv   1/1     Running   2          13d\n",
        &[],
    ),
    (
        "host network",
        "",
        "kube-system kube-proxy-x 1/1 Running 0 1d 192.0.2.1 node1 <none> <none>\nkube-system etcd-node1 1/1 Running 0 1d 192.0.2.1 node1 <none> <none>\n",
        &["192.0.2.1 node node1 -", "192.0.2.1 node node1 -"],
    ),
    (
        "nodes",
        "",
        "NAME    STATUS                     ROLES           AGE   VERSION   INTERNAL-IP   EXTERNAL-IP   OS-IMAGE             KERNEL-VERSION      CONTAINER-RUNTIME\nnode1   Ready                      control-plane   41d   v1.31.2   192.0.2.1     <none>        Debian GNU/Linux 12  6.1.0-26-amd64      containerd://1.7.22\n",
        &["192.0.2.1 node node1 -"],
    ),
    (
        "nodes without header",
        "",
        "node1 Ready,SchedulingDisabled <none> 41d v1.31.2 2001:db8::1 198.51.100.1 Debian GNU/Linux 12 (bookworm) 6.1.0 containerd://1.7.22",
        &["2001:db8::1 node node1 -", "198.51.100.1 node node1 -"],
    ),
    (
        "services",
        "",
        "NAMESPACE   NAME   TYPE           CLUSTER-IP     EXTERNAL-IP             PORT(S)         AGE   SELECTOR\nss          tftp   LoadBalancer   198.51.100.9   192.0.2.9,2001:db8::9   69:30069/UDP    13d   app=tftp\n",
        &["198.51.100.9 service - -", "192.0.2.9 vip - -", "2001:db8::9 vip - -"],
    ),
    (
        "services without header",
        "",
        "ss tftp NodePort 2001:db8:96::9 <none> 69:30069/UDP 13d app=tftp",
        &["2001:db8:96::9 service - -"],
    ),
    (
        "services without address",
        "",
        "ss tftp LoadBalancer None <pending> 69/UDP 13d\nss web ExternalName <none> web.example.org <none> 13d",
        &[],
    ),
    (
        "two tables",
        "",
        "NAMESPACE   NAME             READY   STATUS    RESTARTS   AGE   IP          NODE\nss          pod/tftp-798nv   1/1     Running   2          13d   192.0.2.7   node1\n\nNAMESPACE   NAME           TYPE        CLUSTER-IP     EXTERNAL-IP   PORT(S)   AGE\nss          service/tftp   ClusterIP   198.51.100.9   <none>        69/UDP    13d\n",
        &["192.0.2.7 pod node1 ss/tftp-798nv", "198.51.100.9 service - -"],
    ),
];

#[test]
fn rows_are_read_by_header_or_by_form() {
    for (name, command, text, expected) in ROWS {
        assert_eq!(says(command, text), *expected, "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_located() {
    let text = "NAMESPACE   NAME   TYPE           CLUSTER-IP     EXTERNAL-IP        PORT(S)   AGE\nss          tftp   LoadBalancer   198.51.100.9   2001:db8:65::...   69/UDP    13d\nnot a row\n";
    let facts = parse("kubectl get svc -A", None, text, 7);
    let faults: Vec<String> = facts.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 8: expected an IPv4 or IPv6 address, found '2001:db8:65::...'",
            "line 9: expected a row of the service table, found 'not a row'",
        ]
    );
    assert_eq!(facts.addresses.len(), 1);
}
