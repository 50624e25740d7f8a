//! Which domains of recipients take no mail for now.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;

/// How many mails in a row a domain puts off before the others to it are kept back for a while.
const PUT_OFF_IN_A_ROW: u32 = 3;
/// For how long.
const PAUSE: Duration = Duration::from_mins(1);
/// From so many domains in a row, 421 is what the relay says, and not they.
const SENT_AWAY_BY: usize = 3;

/// What a pass has learnt about domains.
#[derive(Debug, Default)]
pub(super) struct Domains {
    full_until: HashMap<String, Instant>,
    /// How many mails each put off since it last took one.
    put_off: HashMap<String, u32>,
    /// Those that answered 421 since a mail was last taken by any.
    sent_away_by: HashSet<String>,
}

impl Domains {
    pub(super) fn forget_past(&mut self) {
        let now = Instant::now();
        self.full_until.retain(|_, until| *until > now);
    }

    pub(super) fn has_room(&self, domain: &str) -> bool {
        !self.full_until.contains_key(domain)
    }

    pub(super) fn without_room(&self) -> impl Iterator<Item = &str> {
        self.full_until.keys().map(String::as_str)
    }

    /// How long until the first of them may have room again.
    pub(super) fn until_room(&self) -> Option<Duration> {
        let first = self.full_until.values().min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    /// The domain has no room for this long.
    pub(super) fn full_for(&mut self, domain: &str, wait: Duration) {
        self.full_until
            .insert(domain.to_owned(), Instant::now() + wait);
    }

    /// The domain took a mail.
    pub(super) fn took_one(&mut self, domain: &str) {
        self.put_off.remove(domain);
        self.sent_away_by.clear();
    }

    /// The domain put a mail off. One mailbox may be busy; several in a row are the domain's own doing.
    pub(super) fn put_one_off(&mut self, domain: &str) {
        let put_off = self.put_off.entry(domain.to_owned()).or_default();
        *put_off += 1;
        if *put_off >= PUT_OFF_IN_A_ROW {
            *put_off = 0;
            self.full_for(domain, PAUSE);
        }
    }

    /// We were sent away (421) when we named a recipient there. Answers whether that is about the domain alone: where
    /// several in a row do so, the relay is meant.
    pub(super) fn sent_us_away(&mut self, domain: &str) -> bool {
        self.full_for(domain, PAUSE);
        self.sent_away_by.insert(domain.to_owned());
        self.sent_away_by.len() < SENT_AWAY_BY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_busy_mailbox_is_not_the_whole_domain_and_three_in_a_row_are() {
        let mut domains = Domains::default();
        for _ in 0..2 {
            domains.put_one_off("a.test");
            domains.put_one_off("a.test");
            assert!(domains.has_room("a.test"));
            domains.took_one("a.test");
        }
        for _ in 0..3 {
            domains.put_one_off("a.test");
        }
        assert!(!domains.has_room("a.test") && domains.has_room("b.test"));
        assert_eq!(domains.without_room().collect::<Vec<_>>(), ["a.test"]);
    }

    #[test]
    fn one_domain_that_sends_us_away_is_not_the_relay_and_several_are() {
        let mut domains = Domains::default();
        for _ in 0..9 {
            assert!(domains.sent_us_away("a.test"));
        }
        assert!(domains.sent_us_away("b.test"));
        assert!(!domains.sent_us_away("c.test"));
        domains.took_one("d.test");
        assert!(domains.sent_us_away("c.test"));
    }
}
