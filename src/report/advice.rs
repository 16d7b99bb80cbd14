//! What to change on behalf of one device.

use crate::model::finding::Remedy;
use crate::model::report::Device;

/// The remedies of all findings, the most helpful first, none twice.
///
/// A remedy that only points at another finding says nothing new beside the
/// remedies of that finding.
pub(super) fn remedies(device: &Device) -> Vec<&Remedy> {
    let is_pointer = |remedy: &Remedy| {
        let target = remedy.title.strip_prefix("See ");
        target.is_some_and(|target| {
            device.findings.iter().any(|finding| finding.cause.as_token() == target)
        })
    };
    let mut remedies: Vec<&Remedy> = Vec::new();
    for remedy in device.findings.iter().flat_map(|finding| &finding.remedies) {
        if !remedies.contains(&remedy) && !is_pointer(remedy) {
            remedies.push(remedy);
        }
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn each_remedy_is_told_once() {
        let mut device = samples::founding().devices.remove(0);
        let known = device.findings[0].remedies[0].clone();
        let titled = |title: &str| Remedy { title: title.to_owned(), ..known.clone() };
        device.findings[2].remedies = vec![
            known.clone(),
            titled("See follow_up_to_request_address"),
            titled("See one_direction_captured"),
        ];
        let told: Vec<_> =
            remedies(&device).into_iter().map(|remedy| remedy.title.as_str()).collect();
        assert_eq!(
            told,
            [
                "Attach the kernel's TFTP helper to the VIP",
                "Let the device answer who answered",
                "Keep the server on the host's network",
                "See one_direction_captured",
            ]
        );
    }
}
