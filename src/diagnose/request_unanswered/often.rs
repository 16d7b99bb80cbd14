//! How often something was asked in vain. Of two questions the second repeats nothing, such
//! as that for the other kind of address.

use crate::diagnose::reading::Reading;
use crate::diagnose::wording::{count, fit_title, times};
use crate::model::endpoint::Endpoint;

/// How often it was asked: `3 times`, or `with 2 different requests, 4 packets`.
pub fn how_often(reading: &Reading<'_>) -> String {
    let requests = reading.view.requests;
    match reading.different_requests() {
        1 => reading.times(&requests),
        different if requests.packets <= different => {
            format!("with {}", count(different, "different request"))
        }
        different => format!(
            "with {}, {} in all,",
            count(different, "different request"),
            count(requests.packets, "packet")
        ),
    }
}

/// That a request, or several, got no `answer`.
pub fn title(reading: &Reading<'_>, asked: Endpoint, answer: &str) -> String {
    let protocol = reading.exchange.protocol;
    let requests = reading.view.requests;
    let different = reading.different_requests();
    if different == 1 {
        let often = reading.times(&requests);
        return fit_title([
            format!("{protocol} request to {asked} sent {often}, {answer}"),
            format!("{protocol} request sent {often}, {answer}"),
        ]);
    }
    let number = count(different, &format!("{protocol} request"));
    let often = if requests.packets > different {
        format!(" sent {} in all", times(requests.packets))
    } else {
        String::new()
    };
    fit_title([
        format!("{number} to {asked}{often}, {answer}"),
        format!("{number}{often}, {answer}"),
    ])
}

#[cfg(test)]
mod tests {
    use crate::diagnose::sample::{Family, Sample};
    use crate::model::finding::Cause;
    use crate::model::protocol::Protocol;

    #[test]
    fn two_questions_are_no_repetition() {
        for family in Family::BOTH {
            let dns = || Sample::request(family, Protocol::Dns, 53);
            let cases = [
                (dns().repeat_request(1), "DNS request to", "sent twice", "twice"),
                (dns().request_again(), "2 DNS requests to", ", no", "with 2 different requests"),
                (
                    dns().request_again().repeat_request(2),
                    "2 DNS requests to",
                    "sent 4 times in all",
                    "with 2 different requests, 4 packets in all,",
                ),
            ];
            for (sample, begins, contains, explained) in cases {
                let finding = sample.wait_seconds(5).finding(Cause::RequestUnanswered);
                let title = &finding.title;
                assert!(title.starts_with(begins) && title.contains(contains), "{title}");
                assert!(finding.explanation.contains(explained), "{}", finding.explanation);
            }
        }
    }
}
