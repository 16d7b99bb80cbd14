//! Lists that one value states.

use std::fmt::Display;
use std::str::FromStr;

/// Elements with commas or line feeds between them: a file of a ConfigMap ends in one.
/// White space around them and empty elements count for nothing, so an empty variable
/// is an empty list.
#[derive(Debug, Clone)]
pub struct List<T>(Vec<T>);

impl<T: FromStr> FromStr for List<T>
where
    T::Err: Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let elements = text.split([',', '\n']).map(str::trim).filter(|one| !one.is_empty());
        elements
            .map(|one| one.parse().map_err(|error: T::Err| error.to_string()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// All elements of an option that may be repeated.
#[must_use]
pub fn join<T>(lists: Vec<List<T>>) -> Vec<T> {
    lists.into_iter().flat_map(|List(elements)| elements).collect()
}

/// The same, without taking them.
pub fn iter<T>(lists: &[List<T>]) -> impl Iterator<Item = &T> {
    lists.iter().flat_map(|List(elements)| elements)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn elements_are_read_as_people_and_files_write_them() {
        let cases = [
            ("192.0.2.9,2001:db8::9", "192.0.2.9|2001:db8::9"),
            ("192.0.2.9, 2001:db8::9", "192.0.2.9|2001:db8::9"),
            ("192.0.2.9\n", "192.0.2.9"),
            ("2001:db8::9\r\n192.0.2.9\r\n", "2001:db8::9|192.0.2.9"),
            (" 2001:db8::9 ,", "2001:db8::9"),
            ("", ""),
            (" ,\n", ""),
        ];
        for (text, expected) in cases {
            let list: List<IpAddr> = text.parse().unwrap();
            let found: Vec<String> = iter(&[list]).map(ToString::to_string).collect();
            assert_eq!(found.join("|"), expected, "{text:?}");
        }
        for text in ["switch1", "192.0.2.9 2001:db8::9", "192.0.2.9;192.0.2.10"] {
            assert!(text.parse::<List<IpAddr>>().is_err(), "{text}");
        }
    }
}
