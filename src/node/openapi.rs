//! What the descriptions of both APIs, the service's and the agent's, say of bodies
//! that are bytes and of headers that come with problems.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, RefOr};

/// A body of bytes as they are. As a list of numbers, which a `Vec<u8>` would be,
/// generated clients would send it, and gateways that validate would ask for it.
/// `contentMediaType` is how OpenAPI 3.1 says it, `format` how generators of 3.0 read it.
#[derive(Debug, Clone, Copy)]
pub struct Binary;

impl utoipa::PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .content_media_type("application/octet-stream")
            .into()
    }
}

impl utoipa::ToSchema for Binary {}

/// Adds the headers that come with problems: `Retry-After` (RFC 9110, section 10.2.3),
/// `WWW-Authenticate` (section 11.6.1) and `Accept-Encoding` (section 12.5.3).
/// `passing` are the statuses that come with a `Retry-After`.
pub fn document_headers(document: &mut OpenApi, passing: &[&str]) {
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            document_operation(path, operation, passing);
        }
    }
}

fn document_operation(path: &str, operation: &mut Operation, passing: &[&str]) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        // Of conflicts only one passes by itself: the analysis runs.
        let is_passing = path.starts_with("/api/v1/analyses/{id}") && !path.ends_with("/stop");
        let (name, header) = match status.as_str() {
            "401" => ("WWW-Authenticate", header(Type::String, "The scheme: `Bearer`")),
            "409" if is_passing => ("Retry-After", retry_after()),
            status if passing.contains(&status) => ("Retry-After", retry_after()),
            "415" => {
                let about = "The codings of content that are taken, where the request's is none of them; not where its media type is none that is taken";
                ("Accept-Encoding", header(Type::String, about))
            }
            _ => continue,
        };
        response.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

fn retry_after() -> Header {
    header(Type::Integer, "Seconds after which it may work, where that is known")
}

fn header(schema_type: Type, description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(schema_type);
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
