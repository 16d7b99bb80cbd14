//! Clients that take their time, or come in crowds, do not keep the service from others.

#[cfg(test)]
#[path = "support/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "support/http.rs"]
mod http;

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use replyscope::web::Connections;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::{sleep, timeout};

    use super::folder::Folder;
    use super::http::{Server, problem};

    /// Longer than any limit that these tests set.
    const LONG: Duration = Duration::from_secs(10);

    fn connections(limit: usize, head_time: Duration) -> Connections {
        Connections { head_time, ..Connections::new(NonZeroUsize::new(limit).unwrap()) }
    }

    /// Sends `bytes` one by one, until all are sent or the connection is closed.
    async fn drip(mut connection: TcpStream, bytes: &[u8], pause: Duration) -> Vec<u8> {
        let (mut receiver, mut sender) = connection.split();
        let sending = async {
            for byte in bytes {
                if sender.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(pause).await;
            }
            std::future::pending::<()>().await;
        };
        let mut answer = Vec::new();
        let receiving = receiver.read_to_end(&mut answer);
        tokio::select! {
            () = sending => {}
            _ = receiving => {}
        }
        answer
    }

    #[tokio::test]
    async fn heads_that_take_too_long_end_the_connection() {
        let folder = Folder::new("connections-head");
        let limits = connections(100, Duration::from_millis(300));
        let server = Server::start_limited(folder.path(), |_| {}, limits).await;
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        for (bytes, answers) in
            [(&head[..], false), (b"", false), (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", true)]
        {
            let connection = TcpStream::connect(server.address).await.unwrap();
            // The last one is answered, then idle: that ends as well.
            let pause = Duration::from_millis(if answers { 1 } else { 50 });
            let answer = timeout(LONG, drip(connection, bytes, pause)).await.unwrap();
            assert_eq!(answer.starts_with(b"HTTP/1.1 200"), answers);
        }
        server.stop().await;
    }

    #[tokio::test]
    async fn more_connections_than_allowed_wait_for_their_turn() {
        let folder = Folder::new("connections-few");
        let server = Server::start(folder.path()).await;
        // Most of the tests go this way: the limits are out of the way.
        problem(server.get("/api/v1/nothing").await, 404, "not-found").await;
        server.stop().await;

        let folder = Folder::new("connections-limit");
        let limits = connections(2, LONG);
        let server = Server::start_limited(folder.path(), |_| {}, limits).await;
        let first = TcpStream::connect(server.address).await.unwrap();
        let _second = TcpStream::connect(server.address).await.unwrap();
        let mut third = TcpStream::connect(server.address).await.unwrap();
        third
            .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        let early = timeout(Duration::from_millis(200), third.read_to_string(&mut answer)).await;
        assert!(early.is_err(), "answered beside two others: {answer}");
        drop(first);
        timeout(LONG, third.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        // Being full does not hold up the end.
        timeout(LONG, server.stop()).await.unwrap();
    }

    #[tokio::test]
    async fn answers_that_nobody_reads_end_the_connection() {
        let folder = Folder::new("connections-unread");
        let limits = Connections { write_time: Duration::from_millis(300), ..connections(1, LONG) };
        let server = Server::start_limited(folder.path(), |_| {}, limits).await;
        let request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut deaf = TcpStream::connect(server.address).await.unwrap();
        // More than the sockets' buffers hold, and none of it is read.
        deaf.write_all(&request.repeat(100)).await.unwrap();
        let started = tokio::time::Instant::now();
        let answer = timeout(LONG, server.get("/livez")).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(started.elapsed() >= Duration::from_millis(250), "the slot was never taken");
        server.stop().await;
        drop(deaf);
    }

    #[tokio::test]
    async fn bodies_that_crawl_are_given_up() {
        let folder = Folder::new("connections-crawl");
        let server = Server::start_with(folder.path(), |settings| {
            settings.rate_time = Duration::from_millis(300);
            settings.least_bytes = 1_000;
        })
        .await;
        let request = "POST /api/v1/analyses HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let body = [b'x'; 200];
        let answer = timeout(LONG, drip(connection, &body, Duration::from_millis(20))).await;
        let answer = String::from_utf8(answer.unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("/problems/slow-upload"), "{answer}");
        assert!(answer.contains("less than 1000 bytes"), "{answer}");
        assert!(server.capture_folders().is_empty());

        // As long as it comes fast enough it may take longer than one round.
        let text = include_str!("../examples/founding-incident.txt");
        let step = text.len() / 10;
        let chunks: Vec<_> = text.as_bytes().chunks(step).map(<[u8]>::to_vec).collect();
        let body = futures_util::stream::unfold(chunks.into_iter(), |mut rest| async {
            sleep(Duration::from_millis(60)).await;
            rest.next().map(|chunk| (Ok::<_, std::io::Error>(chunk), rest))
        });
        let request = server.request(reqwest::Method::POST, "/api/v1/analyses");
        let response = request.body(reqwest::Body::wrap_stream(body)).send().await.unwrap();
        assert_eq!(response.status(), 201);
        let list = server.get_json("/api/v1/analyses").await;
        assert_eq!(list["analyses"].as_array().unwrap().len(), 1);
        server.stop().await;
    }
}
