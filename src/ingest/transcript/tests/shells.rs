//! Commands typed in a shell inside a container.

use super::{PACKET, PACKET6, outline, read_text};
use crate::ingest::Event;
use crate::model::capture::PointKind;

#[test]
fn what_is_typed_in_a_containers_shell_is_the_containers() {
    let listing = "1: lo: <UP> mtu 65536\n3: eth0@if7: <UP> mtu 1500\n";
    let cases = [
        // How the shell was started, its prompt, what the command then is.
        ("$ kubectl exec -it tftp-0 -- sh", "/ # ", "- 'kubectl exec -it tftp-0 -- ip a'"),
        (
            "root@node1:~# kubectl exec -it tftp-0 -- bash",
            "root@tftp-0:/# ",
            "- 'kubectl exec -it tftp-0 -- ip a'",
        ),
        ("root@node3:~# docker exec -it 3f2a /bin/sh", "/ # ", "node3 'docker exec -it 3f2a ip a'"),
        ("root@node3:~# nsenter -t 4711 -n bash", "bash-5.1# ", "node3 'nsenter -t 4711 -n ip a'"),
    ];
    for (start, prompt, inside) in cases {
        let outside = start.split_once(' ').map_or("", |(first, _)| first);
        let (back, node) = if outside == "$" {
            ("$ ", "-")
        } else {
            (outside, start.split(['@', ':']).nth(1).unwrap())
        };
        let text = format!("{start}\n{prompt}ip a\n{listing}{prompt}exit\n{back} ip a\n{listing}");
        let lines = outline(&text);
        assert_eq!(
            lines,
            [format!("inventory {inside} 2"), format!("inventory {node} 'ip a' 2")],
            "{text}"
        );
    }
}

#[test]
fn a_shell_ends_where_another_host_speaks() {
    let listing = "2: eth0: <UP> mtu 1500\n";
    let text = format!(
        "root@node1:~# kubectl exec -it tftp-0 -- sh\n/ # ip a\n{listing}root@node1:~# ip a\n{listing}"
    );
    let inside = "inventory - 'kubectl exec -it tftp-0 -- ip a' 1";
    assert_eq!(outline(&text), [inside, "inventory node1 'ip a' 1"]);
}

#[test]
fn captures_tell_their_point() {
    for packet in [PACKET, PACKET6] {
        let cases = [
            ("root@node3:~# tcpdump -ni eth0\n", None),
            ("root@node3:~# nsenter -t 4711 -n tcpdump -ni eth0\n", Some(PointKind::Pod)),
            ("$ kubectl exec -it tftp-0 -- sh\n/ # tcpdump -ni eth0\n", Some(PointKind::Pod)),
            ("$ kubectl exec -n kube-system calico-node-x -- tcpdump -ni eth0\n", None),
        ];
        for (before, expected) in cases {
            let mut points = Vec::new();
            let text = format!("{before}{packet}\n");
            read_text(&mut text.as_bytes(), &mut |event| {
                if let Event::CaptureBegins(header) = event {
                    points.push(header.point);
                }
            })
            .unwrap();
            assert_eq!(points, [expected], "{text}");
        }
    }
}
