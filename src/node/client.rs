//! The service's side of an agent's API.
//!
//! Where an agent listens comes from the settings or the Kubernetes API, never
//! from a request: its address is that of a node in the
//! [registry](super::registry), and no redirect is followed.

mod fault;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Certificate, Client, Identity, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::fault::render_fault;
use super::wire::{
    CAPTURE_ID_HEADER, CaptureRequest, CaptureStatistics, NodeFacts, Status, TrackedFlows,
};
use crate::model::problem::Problem;
use crate::model::reason::render_line;

/// How long an agent may take to be reached.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// How long an agent may take for an answer, other than a capture.
const ANSWER_TIME: Duration = Duration::from_secs(8);

/// How long the kernel waits for an agent that says nothing any more.
const SILENCE_TIME: Duration = Duration::from_secs(10);

/// The largest answer that is read: 50,000 tracked flows are some 20 MB.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How agents know the service, and how it knows them. All in the form of the files.
#[derive(Default)]
pub struct AgentAccess {
    /// The bearer token, without white space around it.
    pub token: Option<String>,
    /// The authority that signs agents' certificates, in PEM; without it, the system's.
    pub authority: Option<Vec<u8>>,
    /// The service's own certificate and key, in PEM, where agents ask for one.
    pub identity: Option<Vec<u8>>,
}

/// Why agents cannot be asked with these files.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("the token of the agents holds signs that no header may have")]
    Token,
    #[error("the authority of the agents is not a PEM file of certificates")]
    Authority(#[source] reqwest::Error),
    #[error("the certificate for the agents is not a PEM file of a certificate and its key")]
    Identity(#[source] reqwest::Error),
    #[error("the client for the agents cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Why an agent did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// There is no connection, or it broke.
    #[error("the agent is out of reach: {0}")]
    Unreachable(String),
    /// It answered, and says no.
    #[error("the agent refuses: {reason}")]
    Refused { status: u16, reason: String },
    /// It answered something that is no answer of an agent.
    #[error("what answers there is no agent that this service knows: {0}")]
    Malformed(String),
}

/// Asks agents. Clones share connections.
#[derive(Debug, Clone)]
pub struct AgentClient {
    http: Client,
    /// Marked as sensitive, so that it is in no log.
    authorization: Option<HeaderValue>,
}

impl AgentClient {
    /// A client with these files.
    ///
    /// # Errors
    ///
    /// Names the file that cannot be used.
    pub fn new(access: AgentAccess) -> Result<Self, AccessError> {
        // Refused where the process has one already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authorization = access.token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| AccessError::Token)?;
            value.set_sensitive(true);
            Ok(value)
        });
        let authority = access.authority.map(|pem| Certificate::from_pem_bundle(&pem));
        let authority = authority.transpose().map_err(AccessError::Authority)?;
        let identity = access.identity.map(|pem| Identity::from_pem(&pem));
        let identity = identity.transpose().map_err(AccessError::Identity)?;
        let build = |certificates: Option<Vec<Certificate>>| {
            let mut builder = Client::builder()
                .redirect(redirect::Policy::none())
                // A proxy of the environment would be sent the token.
                .no_proxy()
                .connect_timeout(CONNECT_TIME)
                .tcp_keepalive(SILENCE_TIME)
                .tcp_keepalive_interval(SILENCE_TIME)
                .tcp_keepalive_retries(2);
            if let Some(certificates) = certificates {
                builder = builder.tls_certs_only(certificates);
            }
            if let Some(identity) = identity.clone() {
                builder = builder.identity(identity);
            }
            builder.build()
        };
        let http = match authority {
            Some(certificates) => build(Some(certificates)),
            // A small image has no authorities of the system: then none is trusted.
            None => build(None).or_else(|_| build(Some(Vec::new()))),
        };
        Ok(Self {
            http: http.map_err(AccessError::Client)?,
            authorization: authorization.transpose()?,
        })
    }

    /// What the node knows of itself, and the way to a device.
    ///
    /// # Errors
    ///
    /// Where the agent is out of reach, refuses, or is none.
    pub async fn facts(&self, agent: &str, device: IpAddr) -> Result<NodeFacts, AgentError> {
        self.get(&format!("{agent}/v1/facts?device={device}")).await
    }

    /// Entries of the connection tracking table that name a device.
    ///
    /// # Errors
    ///
    /// As [`AgentClient::facts`].
    pub async fn conntrack(&self, agent: &str, device: IpAddr) -> Result<TrackedFlows, AgentError> {
        self.get(&format!("{agent}/v1/conntrack?device={device}")).await
    }

    /// How the agent is, and where it may capture.
    ///
    /// # Errors
    ///
    /// As [`AgentClient::facts`].
    pub async fn status(&self, agent: &str) -> Result<Status, AgentError> {
        self.get(&format!("{agent}/v1/status")).await
    }

    /// Starts a capture.
    ///
    /// # Errors
    ///
    /// As [`AgentClient::facts`].
    pub async fn capture(
        &self,
        agent: &str,
        request: &CaptureRequest,
    ) -> Result<LiveCapture, AgentError> {
        let sent = self.authorize(self.http.post(format!("{agent}/v1/captures"))).json(request);
        // Its head comes at once, its body for as long as the capture runs.
        let response = match tokio::time::timeout(ANSWER_TIME, sent.send()).await {
            Ok(response) => response.map_err(|error| unreachable_by(&error))?,
            Err(_) => return Err(late()),
        };
        let response = accept(response).await?;
        let id = response.headers().get(CAPTURE_ID_HEADER);
        let id = id.and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| AgentError::Malformed("it names no capture".to_owned()))?;
        Ok(LiveCapture { id, response })
    }

    /// Ends a capture: its stream ends with statistics.
    ///
    /// # Errors
    ///
    /// As [`AgentClient::facts`].
    pub async fn stop(&self, agent: &str, capture: Uuid) -> Result<CaptureStatistics, AgentError> {
        self.read(self.http.delete(format!("{agent}/v1/captures/{capture}"))).await
    }

    /// What became of a capture.
    ///
    /// # Errors
    ///
    /// As [`AgentClient::facts`].
    pub async fn statistics(
        &self,
        agent: &str,
        capture: Uuid,
    ) -> Result<CaptureStatistics, AgentError> {
        self.get(&format!("{agent}/v1/captures/{capture}")).await
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, AgentError> {
        self.read(self.http.get(url)).await
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, AgentError> {
        let ask = async {
            let sent = self.authorize(request).send().await;
            let response = accept(sent.map_err(|error| unreachable_by(&error))?).await?;
            let body = read_body(response, MAX_ANSWER_BYTES).await?;
            serde_json::from_slice(&body).map_err(|error| AgentError::Malformed(error.to_string()))
        };
        tokio::time::timeout(ANSWER_TIME, ask).await.unwrap_or_else(|_| Err(late()))
    }

    fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }
}

/// A capture that comes while it is taken.
#[derive(Debug)]
pub struct LiveCapture {
    id: Uuid,
    response: Response,
}

impl LiveCapture {
    /// The agent's name of it, which ends it.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The next bytes of the pcapng; `None` at its end.
    ///
    /// # Errors
    ///
    /// Where the connection broke before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AgentError> {
        self.response.chunk().await.map_err(|error| unreachable_by(&error))
    }
}

/// Makes an error of an answer that says no.
async fn accept(response: Response) -> Result<Response, AgentError> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let body = read_body(response, 64 << 10).await.unwrap_or_default();
    let said = serde_json::from_slice::<Problem>(&body).ok().map(|problem| problem.detail);
    let reason = said.unwrap_or_else(|| format!("HTTP status {status}"));
    Err(AgentError::Refused { status: status.as_u16(), reason: render_line(&reason) })
}

async fn read_body(mut response: Response, limit_bytes: usize) -> Result<Vec<u8>, AgentError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_by(&error))? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(AgentError::Malformed(format!("more than {limit_bytes} bytes came")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn late() -> AgentError {
    AgentError::Unreachable(format!("no answer within {} s", ANSWER_TIME.as_secs()))
}

fn unreachable_by(error: &reqwest::Error) -> AgentError {
    AgentError::Unreachable(render_fault(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let cases = [
            (AgentAccess { token: Some("a\nb".to_owned()), ..AgentAccess::default() }, "token"),
            (
                AgentAccess { identity: Some(b"nothing".to_vec()), ..AgentAccess::default() },
                "certificate for the agents",
            ),
        ];
        for (access, expected) in cases {
            let error = AgentClient::new(access).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let access = AgentAccess { token: Some("secret".to_owned()), ..AgentAccess::default() };
        let shown = format!("{:?}", AgentClient::new(access).unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
