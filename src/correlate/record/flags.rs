//! What is so of an exchange or is not, all of it in one byte: there may be a million.

/// One thing that may be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    HasPayloads = 0x01,
    /// Every packet so far could be TFTP data or its acknowledgement.
    LooksLikeTftp = 0x02,
    /// The client said something new to the answerer since the last reply.
    ClientNews = 0x04,
    /// The server said something new since the client's last packet.
    ServerNews = 0x08,
    /// A snap length cut what the client said first.
    OpeningIsCut = 0x10,
    /// The client's own words began it.
    IsOpenedByClient = 0x20,
    /// Another point saw answers, and it is not known whether they are all of them.
    AnswersElsewhere = 0x40,
    /// The last that the client of a tunnel said began a handshake.
    OpenedLast = 0x80,
}

/// All that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Self = Self(0);

    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag as u8 != 0
    }

    pub const fn add(&mut self, flag: Flag) {
        self.0 |= flag as u8;
    }

    /// Adds `flag` if `condition` holds.
    pub const fn add_if(&mut self, flag: Flag, condition: bool) {
        if condition {
            self.add(flag);
        }
    }

    pub const fn remove(&mut self, flag: Flag) {
        self.0 &= !(flag as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_stands_for_itself() {
        use Flag::{
            AnswersElsewhere, ClientNews, HasPayloads, IsOpenedByClient, LooksLikeTftp, OpenedLast,
            OpeningIsCut, ServerNews,
        };
        let all = [
            HasPayloads,
            LooksLikeTftp,
            ClientNews,
            ServerNews,
            OpeningIsCut,
            IsOpenedByClient,
            AnswersElsewhere,
            OpenedLast,
        ];
        for flag in all {
            let mut flags = Flags::NONE;
            flags.add_if(flag, false);
            assert_eq!(flags, Flags::NONE);
            flags.add_if(flag, true);
            for other in all {
                assert_eq!(flags.has(other), other == flag, "{flag:?}, {other:?}");
            }
            flags.remove(flag);
            assert_eq!(flags, Flags::NONE);
        }
    }
}
