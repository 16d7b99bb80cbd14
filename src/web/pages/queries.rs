//! The forms that ask a node, and the button that stops it.

use axum::body::Body;
use axum::extract::State;
use axum::response::Redirect;
use reqwest::Url;
use uuid::Uuid;

use super::super::Service;
use super::super::api::nodes::NodePlace;
use super::super::api::queries::{DEFAULT_DURATION_S, read_body};
use super::super::error::{Error, PageError};
use super::super::extract::{DeviceAddress, Path, Query};
use super::super::queries::{Preflight, QueryRequest};
use super::super::query::given;

/// A form of names and numbers is short.
const MOST_BYTES: usize = 64 << 10;

/// `POST /nodes/{node}/analyses`: the form of a node's page.
pub async fn ask_node(
    State(service): State<Service>,
    Path(node): Path<String>,
    Query(place): Query<NodePlace>,
    body: Body,
) -> Result<Redirect, PageError> {
    let form = Form::read(body).await?;
    let device = form.device()?;
    start(&service, node, given(place.cluster), device, &form).await
}

/// `POST /devices/{device}/analyses`: the button of a device's page.
pub async fn ask_about_device(
    State(service): State<Service>,
    Path(device): Path<DeviceAddress>,
    body: Body,
) -> Result<Redirect, PageError> {
    let form = Form::read(body).await?;
    // The value of the choice is the cluster, which may be empty, and the node.
    let chosen = form.find("node").unwrap_or_default();
    let (cluster, node) = chosen.rsplit_once('/').unwrap_or(("", chosen));
    let cluster = given(Some(cluster.to_owned()));
    start(&service, node.to_owned(), cluster, device, &form).await
}

/// `POST /analyses/{id}/stop`
pub async fn stop(
    State(service): State<Service>,
    Path(id): Path<Uuid>,
) -> Result<Redirect, PageError> {
    match service.queries.stop(id) {
        // Its page says how it ended.
        Ok(()) | Err(Error::QueryNotRunning(_)) => Ok(Redirect::to(&format!("/analyses/{id}"))),
        Err(error) => Err(error.into()),
    }
}

async fn start(
    service: &Service,
    node: String,
    cluster: Option<String>,
    DeviceAddress(device): DeviceAddress,
    form: &Form,
) -> Result<Redirect, PageError> {
    let request = QueryRequest {
        node,
        cluster,
        device,
        addresses: Vec::new(),
        duration_s: form.duration_s()?,
        interfaces: form.all("interface").map(str::to_owned).collect(),
        ports: Vec::new(),
    };
    // A button says nothing of how to capture: whatever runs will do.
    let is_plain = form.find("duration_s").is_none() && request.interfaces.is_empty();
    let id = match service.queries.start(request, Preflight::AskFirst).await {
        Ok(started) => started.id(),
        Err(Error::QueryDiffers { id, .. }) if is_plain => id,
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/analyses/{id}")))
}

/// The fields of a form, in its order.
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(body: Body) -> Result<Self, Error> {
        let bytes = read_body(body, MOST_BYTES).await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::BadBody("the form is not text".to_owned()))?;
        Self::parse(text)
    }

    /// Reads `application/x-www-form-urlencoded`, which is how a URL's query is written.
    fn parse(text: &str) -> Result<Self, Error> {
        let mut url = Url::parse("http://form.invalid/")
            .map_err(|_| Error::Internal("a form cannot be read"))?;
        url.set_query(Some(text));
        Ok(Self(url.query_pairs().into_owned().collect()))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.0.iter().filter(move |(field, _)| field == name);
        fields.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim())
    }

    fn device(&self) -> Result<DeviceAddress, Error> {
        let text = self.find("device").unwrap_or_default();
        serde_json::from_value(text.into()).map_err(|error| Error::BadBody(error.to_string()))
    }

    fn duration_s(&self) -> Result<u32, Error> {
        let text = self.find("duration_s").unwrap_or_default();
        if text.is_empty() {
            return Ok(DEFAULT_DURATION_S);
        }
        text.parse().map_err(|_| {
            Error::BadBody(format!("the duration is '{text}'; expected a number of seconds"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_send_them() {
        let form = Form::parse(
            "device=2001%3Adb8%3A%3A9&duration_s=+30+&interface=eth0&interface=cali1&interface=",
        )
        .unwrap();
        assert_eq!(form.device().unwrap().0.to_string(), "2001:db8::9");
        assert_eq!(form.duration_s().unwrap(), 30);
        assert_eq!(form.all("interface").collect::<Vec<_>>(), ["eth0", "cali1"]);
        let form = Form::parse("device=192.0.2.9&duration_s=").unwrap();
        assert_eq!(form.device().unwrap().0.to_string(), "192.0.2.9");
        assert_eq!(form.duration_s().unwrap(), DEFAULT_DURATION_S);
        let form = Form::parse("device=udp+port+69&duration_s=soon#x").unwrap();
        assert!(matches!(form.device(), Err(Error::BadBody(_))));
        assert!(matches!(form.duration_s(), Err(Error::BadBody(_))));
    }
}
