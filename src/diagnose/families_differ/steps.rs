//! An exchange as a row of steps that can be compared with another's.

use std::fmt;
use std::net::IpAddr;

use crate::diagnose::reading::{Reading, SeenErrors};
use crate::model::endpoint::Endpoint;
use crate::model::exchange::{Course, FollowUps, Origin, Replies};
use crate::model::finding::Evidence;
use crate::model::packet::IcmpKind;
use crate::model::report::Quotes;
use crate::model::topology::Role;

/// What happened in one exchange: each step with what can be compared across
/// families, and its addresses for the reader.
#[derive(Debug)]
pub struct Walk<'a> {
    asked: Option<(Role, Endpoint)>,
    answer: Answer<'a>,
    follow_up: Option<&'a FollowUps>,
    errors: Vec<SeenErrors<'a>>,
    went_on: bool,
}

/// Who answered.
#[derive(Debug)]
enum Answer<'a> {
    By(&'a Replies, Role),
    Refused(IcmpKind, IpAddr),
    Nobody,
}

/// The first step at which two exchanges differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    Asked,
    Answer,
    FollowUp,
    IcmpError,
    End,
}

impl Difference {
    /// As the end of a sentence.
    #[must_use]
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::Asked => "at the address that is asked",
            Self::Answer => "at the answer",
            Self::FollowUp => "at the follow-up",
            Self::IcmpError => "at the ICMP error",
            Self::End => "after the follow-up",
        }
    }
}

impl<'a> Walk<'a> {
    /// The steps of an exchange.
    #[must_use]
    pub fn of(reading: &Reading<'a>) -> Self {
        let refused = reading.errors.iter().find(|seen| seen.errors.quotes == Quotes::Request);
        let reply = reading.changed.or_else(|| reading.replies().next());
        let answer = match (reply, refused) {
            (Some(reply), _) => Answer::By(reply, reading.role_of(reply.source.address)),
            (None, Some(seen)) => Answer::Refused(seen.errors.kind, seen.errors.from),
            (None, None) => Answer::Nobody,
        };
        let follow_up = reading
            .wrong_address
            .map(|wrong| wrong.follow_ups)
            .or(reading.wrong_port)
            .or(reading.other_source)
            .or_else(|| reading.follow_ups().next());
        Self {
            asked: reading.view.asked.map(|asked| (reading.role_of(asked.address), asked)),
            answer,
            follow_up,
            errors: reading.errors.clone(),
            went_on: reading.went_on(),
        }
    }

    /// The first step at which `other` differs in kind; addresses always differ.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<Difference> {
        let asked = |walk: &Self| walk.asked.map(|(role, _)| role);
        let errors = |walk: &Self| {
            let ended = walk.errors.iter().find(|seen| seen.ended);
            ended.map(|seen| (seen.errors.kind, seen.errors.quotes == Quotes::Reply))
        };
        if asked(self) != asked(other) {
            Some(Difference::Asked)
        } else if self.answer.kind() != other.answer.kind() {
            Some(Difference::Answer)
        } else if self.course() != other.course() {
            Some(Difference::FollowUp)
        } else if errors(self) != errors(other) {
            Some(Difference::IcmpError)
        } else {
            (self.went_on != other.went_on).then_some(Difference::End)
        }
    }

    fn course(&self) -> Option<Course> {
        self.follow_up.map(|follow_ups| follow_ups.course)
    }

    /// A frame of that step; the request where the step is missing.
    #[must_use]
    pub fn evidence(&self, reading: &Reading<'_>, step: Difference) -> Option<Evidence> {
        let error = || self.errors.first().and_then(SeenErrors::first_error);
        let shown = match step {
            Difference::Asked => None,
            Difference::Answer => match &self.answer {
                Answer::By(reply, _) => reading.first_reply(reply),
                Answer::Refused(..) => error(),
                Answer::Nobody => None,
            },
            Difference::FollowUp | Difference::End => {
                self.follow_up.and_then(|follow_ups| reading.first_follow_up(follow_ups))
            }
            Difference::IcmpError => error(),
        };
        shown.or_else(|| reading.first_request())
    }
}

impl Answer<'_> {
    /// Whose answer it is, whatever its address.
    fn kind(&self) -> (u8, Option<Role>) {
        match self {
            Self::By(reply, role) => match reply.origin {
                Origin::Asked | Origin::ByDesign | Origin::Unknown => (0, None),
                Origin::OtherPort(_) => (1, None),
                Origin::OtherAddress(_) => (2, Some(*role)),
            },
            Self::Refused(..) => (3, None),
            Self::Nobody => (4, None),
        }
    }
}

/// `asked [2001:db8:100::10]:69, answered by [2001:db8:100::4]:40001, follow-ups
/// to [2001:db8:100::10]:40001, ICMP port unreachable`: without a full stop.
impl fmt::Display for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, asked)) = self.asked {
            write!(f, "asked {asked}, ")?;
        }
        match &self.answer {
            Answer::By(reply, _) => write!(f, "answered by {}", reply.source)?,
            Answer::Refused(kind, from) => {
                write!(f, "refused with ICMP {} from {from}", kind.as_text())?;
            }
            Answer::Nobody => f.write_str("answered by nobody")?,
        }
        if let Some(follow_ups) = self.follow_up {
            write!(f, ", follow-ups to {}", follow_ups.destination)?;
            if follow_ups.course == Course::FromOtherSource {
                write!(f, " from {}", follow_ups.source)?;
            }
        }
        let error = self.errors.iter().find(|seen| seen.errors.quotes != Quotes::Request);
        if let Some(seen) = error {
            write!(f, ", then ICMP {} from {}", seen.errors.kind.as_text(), seen.errors.from)?;
        }
        if self.went_on { f.write_str(", went on") } else { Ok(()) }
    }
}
